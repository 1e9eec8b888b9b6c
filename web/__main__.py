"""Lets `python -m web` do what the command `cascade` does."""

import sys

from web.cli import main

if __name__ == "__main__":
    sys.exit(main())
