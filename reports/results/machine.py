"""The machine of a run in one line."""

from bench.record import EnvironmentModel
from bench.record.run import RunModel
from reports.text import comma_list, number, plural

GIBIBYTE = 2**30


def hardware(run: RunModel) -> str:
    """Return `<CPU>, 2 logical cores, 7.8 GiB of memory; GPU: none`, with names as they are."""
    found = run.environment
    gpus = comma_list(gpu.name for gpu in found.gpus) if found.gpus else "none"
    return (
        f"{found.cpu}, {plural(found.cores_logical, 'logical core')}{cores_used(found)}, "
        f"{number(found.memory_bytes / GIBIBYTE)} GiB of memory; GPU: {gpus}"
    )


def cores_used(found: EnvironmentModel) -> str:
    """Return `, 1 of them used`; empty if processes may run on all cores."""
    if found.cores == found.cores_logical:
        return ""
    return f", {found.cores} of them used"
