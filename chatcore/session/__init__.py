"""A client's side of the server: what one connection may say in which order, and what it is told. See README.md."""
