"""Row 1: a worker is ended by a signal; its trial says so, and nothing else notices."""

import random
import signal
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.record import TrialModel
from bench.run_file import read_records, read_run
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import Place, damaged, ended, unfinished, workers
from tests.faults.stand_in import order
from tests.records import BACKENDS

TRIES = 100
IN_A_RUN = 5
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)


def killed_workers(share: float, folder: Path) -> Iterator[Try]:
    """Some of the trials of each run, each by one of the signals."""
    place, draw, left = Place.make(folder), random.Random(1), so_many(TRIES, share)
    number = 0
    while left:
        victims = chosen(draw, min(left, IN_A_RUN))
        yield from one_run(place, folder / f"run-{number}", victims)
        left, number = left - len(victims), number + 1


def chosen(draw: random.Random, count: int) -> dict[str, int]:
    trials = [f"timing {backend} {turn} {turn}" for backend in BACKENDS for turn in range(4)]
    trials += [f"accuracy {backend} None {seed}" for backend in BACKENDS for seed in range(2)]
    draw.shuffle(trials)
    return {name: draw.choice(SIGNALS).value for name in islice(trials, count)}


def one_run(place: Place, folder: Path, victims: dict[str, int]) -> Iterator[Try]:
    order(place.root, victims)
    code = ended(place.start(folder))
    order(place.root, {})
    run = read_run(folder)
    records = {name_of(one.trial): one for one in read_records(folder, run)}
    others = [one for name, one in records.items() if name not in victims]
    lost = len(run.trials) - len(records) + sum(one.status != "ok" for one in others)
    left = len(workers(place)) + len(unfinished(place, folder))
    # what concerns the run as a whole stands with its first try
    wrong = next(iter(damaged(folder)), None) if code == 1 else f"exit code {code}"
    for name, number in victims.items():
        found = records.get(name)
        told = f"ended by {signal.Signals(number).name}; see "
        if found is None or found.status != "killed" or not (found.reason or "").startswith(told):
            wrong = f"{name}: {found and found.reason}. Expected: {told}"
        yield Try(wrong=wrong, lost=lost, orphans=left)
        wrong, lost, left = None, 0, 0


def name_of(trial: TrialModel) -> str:
    return f"{trial.kind} {trial.backend} {trial.round} {trial.seed}"


ROW = Row(number=1, fault="worker ended by SIGKILL, SIGSEGV or SIGTERM", tries=killed_workers)
