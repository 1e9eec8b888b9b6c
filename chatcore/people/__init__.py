"""Who people are: accounts, sessions, tokens, guests and their names. Knows no room, no channel and no HTTP."""
