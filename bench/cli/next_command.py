"""The command that a user is likely to want after a run."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.results.report import Report


def next_commands(report: "Report", folder: Path) -> Iterator[str]:
    """Yield a line with a command: what mends the run, or what can be done with it."""
    from reports.results.rounds_wanted import rounds_wanted
    from reports.results.versus import versus_options

    place = shlex.quote(str(folder))
    run = report.run
    resume = f"samestep run --resume {place}{versus_options(run)}"
    if run.backends and all(backend.unavailable for backend in run.backends.values()):
        yield "To see what is missing: samestep doctor --environments"
    elif any(results.missing_trials for results in report.cells):
        yield f"To finish the run: {resume}"
    elif run.profile == "smoke":
        yield "To rank the backends: samestep run --profile standard"
    elif wanted := rounds_wanted(report):
        yield f"To decide what is UNDECIDED: {resume} --rounds {wanted}"
    else:
        yield f"To compare it with another run: samestep compare {place} RUN"
        yield f"To publish it: samestep publish {place} --to DIR"
