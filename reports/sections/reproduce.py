"""The command that repeats a run."""

import re
from collections.abc import Sequence

from bench.profiles import PROFILES
from bench.record.run import RunModel
from reports.results.cells import CellResults, backends, workloads
from reports.sections.summary import declared_seeds


def repeat(run: RunModel, cells: Sequence[CellResults]) -> list[str]:
    devices = dict.fromkeys(results.cell.execution.device for results in cells)
    return [
        "## How to repeat it",
        f"```sh\nnox -s bench -- --profile {plain(run.profile)}{adjustments(run)} \\\n"
        f"  --workload {plain(*workloads(cells))} \\\n"
        f"  --backend {plain(*backends(cells))} --device {plain(*devices)}\n"
        "samestep report FOLDER\n```",
        "The first command measures again, on your machine. The second makes this report again "
        "from the folder that it lies in, without any framework.",
    ]


def adjustments(run: RunModel) -> str:
    """Options for rounds and seeds that are not the profile's own."""
    profile = PROFILES.get(run.profile)
    rounds = len({trial.round for trial in run.trials if trial.timing is not None})
    seeds = tuple(declared_seeds(run))
    options = ""
    if profile is not None and rounds != profile.rounds:
        options += f" --rounds {rounds}"
    if profile is not None and seeds != profile.seeds:
        options += f" --seeds {plain(*map(str, seeds))}"
    return options


def plain(*words: str) -> str:
    """Words for a command, comma-separated; `...` where one is not safe to paste into a shell."""
    text = ",".join(words)
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:,-]*", text) else "..."
