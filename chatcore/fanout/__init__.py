"""Fan-out: what happens on this node is carried to its connections here (README.md in this folder)."""
