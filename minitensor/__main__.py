"""`python -m minitensor`."""

import sys

from minitensor.cli import main

if __name__ == "__main__":
    sys.exit(main())
