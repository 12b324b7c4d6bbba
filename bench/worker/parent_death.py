"""End a worker with its parent, even while it computes in native code and gets no signal."""

import ctypes
import signal
import sys

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; on Linux alone.

    If the parent ended before this call, the first event fails: its pipe has no reader.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
