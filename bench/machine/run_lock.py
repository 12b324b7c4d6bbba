"""Hold the machine and its GPUs for one command.

Apart from `bench.machine.lock`, which the tests inside a framework's environment read too: there is
no NVML there.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.machine import nvml
from bench.machine.lock import MACHINE, hold


@contextmanager
def hold_machine(devices: Iterable[str], command: str, folder: Path) -> Iterator[None]:
    """Hold the machine and its GPUs for a command that works in `folder`.

    Raises `LockedError` if another run has one of them.
    """
    purpose = f"samestep {command} in {folder.absolute()}"
    with hold(*lock_names(devices), purpose=purpose):
        yield


def lock_names(devices: Iterable[str]) -> list[str]:
    """Return the machine's lock, which every run takes, and those of the GPUs among `devices`."""
    return [MACHINE, *(nvml.gpu_uuid(device) for device in devices if device != "cpu")]
