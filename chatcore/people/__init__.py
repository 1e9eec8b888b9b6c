"""Who people are: accounts, sessions, tokens, guests, names. Knows no room, no channel and no HTTP."""
