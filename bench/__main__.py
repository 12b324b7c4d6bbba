"""`python -m bench` is `samestep`."""

from bench.cli import main

if __name__ == "__main__":
    main()
