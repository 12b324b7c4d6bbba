"""The command that repeats a run."""

from collections.abc import Iterator

from bench.profiles import PROFILES
from bench.record.run import RunModel
from reports.results.cells import backends, declared_seeds, workloads
from reports.results.report import Report
from reports.results.versus import versus_options
from reports.text import shell_list


def section(report: Report) -> Iterator[str]:
    """Yield the commands that measure again and that write this report again."""
    run, cells = report.run, report.cells
    devices = dict.fromkeys(results.cell.execution.device for results in cells)
    names = [name for name in backends(cells) if name not in run.versus]
    yield "## How to repeat it"
    yield (
        f"```sh\nnox -s bench -- --profile {shell_list(run.profile)}{adjustments(run)} \\\n"
        f"  --workload {shell_list(*workloads(cells))} \\\n"
        f"  --backend {shell_list(*names)}{versus_options(run)} --device {shell_list(*devices)}\n"
        "samestep report FOLDER\n```"
    )
    yield (
        "The first command measures again, on your machine. The second makes this report again "
        "from the folder that it lies in, without any framework."
    )


def adjustments(run: RunModel) -> str:
    """Return the options for rounds and seeds that differ from the profile's own."""
    profile = PROFILES.get(run.profile)
    rounds = len({trial.round for trial in run.trials if trial.timing is not None})
    seeds = tuple(declared_seeds(run))
    options = ""
    if profile is not None and rounds != profile.rounds:
        options += f" --rounds {rounds}"
    if profile is not None and seeds != profile.seeds:
        options += f" --seeds {shell_list(*map(str, seeds))}"
    return options
