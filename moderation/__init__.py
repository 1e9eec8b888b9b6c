"""Moderation: draft in, verdict out, and people in the loop. Knows no rooms, no sockets, no media server."""
