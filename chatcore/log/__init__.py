"""The durable log: what happened, in order, on disk. See README.md."""
