"""The machine of a run in one line."""

import re

from bench.record import EnvironmentModel
from bench.record.run import RunModel
from reports.text import comma_list, number, one_line, plural

GIBIBYTE = 2**30
TRADE_MARK = re.compile(r"\((?:R|TM|C)\)", re.IGNORECASE)


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


def cpu_name(environment: EnvironmentModel) -> str:
    """Return `AMD EPYC, 2 cores`, without trade marks and clock rate."""
    # after the @ comes the nominal clock rate
    name = plain(environment.cpu.partition("@")[0]) or "unnamed CPU"
    cores, logical = environment.cores, environment.cores_logical
    if cores == logical:
        return f"{name}, {plural(cores, 'core')}"
    return f"{name}, {cores} of {plural(logical, 'core')}"


def gpu_names(environment: EnvironmentModel) -> str:
    """Return the names of the GPUs, each once; empty if there is none."""
    return ", ".join(dict.fromkeys(plain(gpu.name) for gpu in environment.gpus))


def machine_name(run: RunModel, device: str) -> str:
    """Return the GPU and the CPU beside it for a device that is a GPU, else the CPU."""
    names = [cpu_name(run.environment)]
    if device != "cpu":
        names = [name for name in (gpu_names(run.environment), *names) if name]
    return " with ".join(names)


def machines(run: RunModel) -> str:
    """Return the name of the machine, with its GPUs if a trial is planned for a GPU."""
    accelerators = {trial.execution.device for trial in run.trials} - {"cpu"}
    return machine_name(run, min(accelerators, default="cpu"))


def short_machine(run: RunModel) -> str:
    """Return the GPUs if a trial is planned for a GPU, else the CPU with its cores."""
    on_gpu = any(trial.execution.device != "cpu" for trial in run.trials)
    return (gpu_names(run.environment) if on_gpu else "") or cpu_name(run.environment)


def plain(name: str) -> str:
    """Return the name of a product as one line without trade marks."""
    return one_line(TRADE_MARK.sub(" ", name))


def device_name(run: RunModel, device: str) -> str:
    """Return `NVIDIA H200` for a GPU, `AMD EPYC, 2 cores` for the CPU; `cuda:1` if unknown."""
    if device == "cpu":
        return cpu_name(run.environment)
    names = {plain(gpu.name) for gpu in run.environment.gpus}
    # CUDA's own numbers leave out hidden GPUs: with unlike GPUs a number names none of them
    return names.pop() if len(names) == 1 else device
