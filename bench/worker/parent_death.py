"""A worker ends with its parent, even while it computes in native code and hears of nothing."""

import ctypes
import signal
import sys

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; on Linux alone.

    A parent that ended before this call is found out by the first event: nobody reads it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
