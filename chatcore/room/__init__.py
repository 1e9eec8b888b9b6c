"""The room, pure: its events and state, who may do what, and what follows. No I/O, no clock, no randomness."""
