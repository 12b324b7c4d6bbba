"""Measure rounds of one cell under several names, like a run.

Every name has the plan of the first, with the same blocks and slices. There are no parity trials
and no trainings; the rest is the code of a run.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends import BACKENDS, Place
from bench import profiles
from bench.record import Record, TrialModel
from bench.record.quantities import step_seconds
from bench.record.run import RunModel, read_run, write_run
from bench.record.selection import comparable
from bench.record.stored import read_records
from bench.run import plan
from bench.run.planner import Planner
from bench.run.process import worker_packages
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.runner import Runner
from bench.run.schedule import most_repeats
from bench.spec import Trial
from bench.workloads import MLP_512_256

PLANTED = Path(__file__).parent / "planted"
PLAIN = "pytorch"
AGAIN = "{backend}-again"
SLOWER = "pytorch-slower-{percent}"


def places(names: Sequence[str]) -> dict[str, Place]:
    """Return the place of each name: its backend's, or that of PyTorch with a planted effect."""
    return {name: place(name) for name in names}


def place(name: str) -> Place:
    if name.startswith(SLOWER.format(percent="")):
        return replace(BACKENDS[PLAIN], adapter="planted.slower")
    return BACKENDS[name.removesuffix(AGAIN.format(backend=""))]


def profile(rounds: int) -> profiles.Profile:
    """Return a profile that times `step` like `standard`, and other lanes as short as possible."""
    return profiles.Profile(
        name="selftest", rounds=rounds, parity=(), seeds=(), native_seconds=0.0,
        latency_seconds=0.0, tutorial_steps=1,
    )  # fmt: skip


class Watcher(Display):
    """A display with a line per trial; a subclass may disturb some of the trials."""

    def piloting(self, backend: str, device: str) -> None:
        print(f"pilot of {backend}", flush=True)

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None:
        print(f"{len(missing)} trials", flush=True)

    def added(self, trials: Sequence[Trial], why: str) -> None:
        print(f"{why}: {len(trials)} more", flush=True)

    def ended(self, record: Record) -> None:
        name, flags = record.name, ", ".join(record.flags)
        print(f"{name}: {record.status} {flags}".rstrip(), flush=True)


def run(
    names: Sequence[str], rounds: int, interpreter: str, folder: Path, display: Watcher
) -> list[Record]:
    """Return the records of `rounds` rounds of one cell under each of these names."""
    request = Request(
        workloads=[MLP_512_256], backends=names, devices=["cpu"], profile=profile(0),
        interpreters=dict.fromkeys(names, interpreter), places=places(names), packages=[PLANTED],
    )  # fmt: skip
    with worker_packages(*request.packages) as packages:
        pilot = Planner(request, folder, packages, display).new_run()
        whole = add_rounds(pilot, names, rounds)
        write_run(whole, folder)
        Runner(request, folder, packages, display).execute(whole)
    return list(read_records(folder, read_run(folder)))


def add_rounds(piloted: RunModel, names: Sequence[str], rounds: int) -> RunModel:
    """Return the run with its rounds; all cells have the pilot figures of the first name."""
    assert len(piloted.pilot) == len(names), "a pilot failed; see the logs"
    cells = [cell for name in names for cell in cells_of(name)]
    figures = dict.fromkeys(cells, piloted.pilot[0])
    trials = plan.expand(figures, profile(rounds), piloted.order_seed)
    return piloted.model_copy(
        update={
            "trials": [TrialModel.of(trial) for trial in trials],
            "most_repeats": most_repeats(trials),
        }
    )


def cells_of(name: str) -> list[Any]:
    request = Request(
        workloads=[MLP_512_256], backends=[name], devices=["cpu"], profile=profile(0),
        interpreters={},
    )  # fmt: skip
    return request.cells(name, "cpu")


def by_round(records: Sequence[Record], name: str) -> dict[int, float]:
    """Return the step seconds of one name by round, for the records that a report compares."""
    own = [record for record in records if record.trial.backend == name]
    return {
        record.trial.round: seconds
        for record in comparable(own)
        if record.trial.round is not None and (seconds := step_seconds(record)) is not None
    }
