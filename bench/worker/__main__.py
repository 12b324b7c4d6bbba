"""`python -m bench.worker`: one task, then the process ends."""

import os
import sys

from bench.worker.parent_death import end_with_parent

if __name__ == "__main__":
    # first of all, for importing NumPy takes a while
    end_with_parent()
    from bench.worker.entry import main

    main()
    sys.stdout.flush()
    sys.stderr.flush()
    # the result is sent: tearing a framework down takes a second, which every trial would pay
    os._exit(0)
