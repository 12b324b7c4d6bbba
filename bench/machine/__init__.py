"""What the machine is, whether it is quiet, its GPUs, and the lock of one run at a time."""
