"""Run `python -m bench.worker`: do one task, then end the process."""

import os
import sys

from bench.worker.parent_death import end_with_parent

if __name__ == "__main__":
    # before all else, for importing NumPy takes a while
    end_with_parent()
    from bench.worker.entry import main

    main()
    sys.stdout.flush()
    sys.stderr.flush()
    # the result is sent; to tear a framework down takes a second, which every trial would pay
    os._exit(0)
