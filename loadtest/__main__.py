"""`python -m loadtest`: the bench."""

import sys

from loadtest.bench import main

if __name__ == "__main__":
    sys.exit(main())
