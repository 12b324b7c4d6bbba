"""`python -m bench.worker`: one job, then the process ends."""

from bench.worker.entry import main

if __name__ == "__main__":
    main()
