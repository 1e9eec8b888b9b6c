"""Other ways to send one message to many sockets, speaking just enough of our protocol to meet the same crowd.

Each peer keeps no log, checks nothing and knows one room: what it costs is the fan-out alone, so a comparison
with the full server flatters the peer. They are programs of their own: `python -m loadtest.peers.NAME PORT`.
"""
