"""The machine of a run in one line."""

from bench.record import EnvironmentModel
from bench.record.run import RunModel
from reports.text import comma_list, number, plural

GIBIBYTE = 2**30


def hardware(run: RunModel) -> str:
    """Return `<CPU>, 2 logical cores, 7.8 GiB of memory; GPU: none`, with names as they are."""
    environment = run.environment
    gpus = comma_list(gpu.name for gpu in environment.gpus) if environment.gpus else "none"
    cores = plural(environment.cores_logical, "logical core")
    return (
        f"{environment.cpu}, {cores}{used_cores(environment)}, "
        f"{number(environment.memory_bytes / GIBIBYTE)} GiB of memory; GPU: {gpus}"
    )


def used_cores(environment: EnvironmentModel) -> str:
    """Return `, 1 of them used`; empty if processes may run on all cores."""
    if environment.cores == environment.cores_logical:
        return ""
    return f", {environment.cores} of them used"
