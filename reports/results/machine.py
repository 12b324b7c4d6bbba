"""The machine of a run in one line."""

from bench.record import EnvironmentModel
from bench.record.run import RunModel
from reports.text import listed, number, plural

GIBIBYTE = 2**30


def hardware(run: RunModel) -> str:
    """`<CPU>, 2 logical cores, 7.8 GiB of memory; GPU: none`, names as they are."""
    found = run.environment
    gpus = listed(gpu.name for gpu in found.gpus) if found.gpus else "none"
    return (
        f"{found.cpu}, {plural(found.cores_logical, 'logical core')}{of_them(found)}, "
        f"{number(found.memory_bytes / GIBIBYTE)} GiB of memory; GPU: {gpus}"
    )


def of_them(found: EnvironmentModel) -> str:
    """`, 1 of them used`, where processes may not run on all of them; else nothing."""
    if found.cores == found.cores_logical:
        return ""
    return f", {found.cores} of them used"
