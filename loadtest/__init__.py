"""A crowd for the server: load, measurements and crash tests. It knows the wire protocol and nothing of the code."""
