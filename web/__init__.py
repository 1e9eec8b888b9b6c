"""The outside: the only package that knows all others, Starlette and the environment."""

__version__ = "0.1.0"
