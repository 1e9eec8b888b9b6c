"""The real-time heart: rooms, the durable log, fan-out, sessions, people.

Knows no Starlette, no media server, no classifier.
"""
