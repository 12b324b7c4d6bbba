"""What `samestep run` refuses beside `--resume`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import options
from bench.cli.versus import OtherEnvironment, require_environments
from bench.errors import UsageError
from bench.spec import require

if TYPE_CHECKING:
    from bench.record.run import RunModel


def require_resumable(
    folder: Path,
    *others: object,
    rounds: int | None,
    environments: Sequence[OtherEnvironment],
) -> None:
    """Raise `UsageError` if `--resume` is combined with an option, or a GPU of the run is gone.

    Without this check each trial of that GPU would be recorded as a failure. `rounds` may be more
    than the run has.
    """
    from bench.record.run import read_run
    from bench.run.carry_out import devices_of

    if any(option is not None for option in others):
        raise UsageError(
            "--resume finishes the plan that the run was started with. Expected: nothing beside it "
            "but --rounds, --python, --versus, --fail-slower, --quiet and --json"
        )
    run = read_run(folder)
    require_environments(run, environments)
    if rounds is not None:
        require_more_rounds(run, rounds)
    options.select_devices(devices_of(run))


def require_more_rounds(run: "RunModel", rounds: int) -> None:
    """Raise `UsageError` if a run can't get so many rounds: it has more, or times nothing."""
    planned = len({trial.round for trial in run.trials if trial.round is not None})
    require(
        0 < planned <= rounds,
        "--rounds with --resume",
        expected=f"at least the {planned} rounds of the run, and a run that times something",
        received=rounds,
    )
