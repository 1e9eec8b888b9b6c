"""Makers of what is generated from the tables: descriptions, constants, and tables of PROTOCOL.md.

Each is a pure function from the tables to text or a JSON value. Refuses to touch files: `schemas.generate`
does.
"""
