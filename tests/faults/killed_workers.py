"""Row 1: a signal from outside ends a worker; its trial says so, and nothing else notices."""

import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from bench.record import Record
from bench.record.run import read_run
from bench.record.stored import read_records
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import Place, damaged, ended, none_left, unfinished, workers

TRIES = 100
REAL_TRIES = 10
IN_A_RUN = 5
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)
# a worker may be done before the signal comes, and then nothing was tried
MOST_RUNS_FOR_A_TRY = 3


def killed_workers(share: float, folder: Path) -> Iterator[Try]:
    return tries(Place.make(folder), so_many(TRIES, share))


def real(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    return tries(Place.real(folder, interpreters), so_many(REAL_TRIES, share))


def tries(place: Place, count: int) -> Iterator[Try]:
    """Some of the workers of each run are shot, at random times."""
    draw, left = random.Random(1), count
    for number in range(MOST_RUNS_FOR_A_TRY * count):
        with none_left(place):
            for one in one_run(place, place.root / f"run-{number}", draw, min(left, IN_A_RUN)):
                yield one
                left -= 1
        if not left:
            return
    yield Try(wrong=f"{left} of {count} signals ended no worker")


def one_run(place: Place, folder: Path, draw: random.Random, most: int) -> Iterator[Try]:
    """A try for each worker that was shot before it was done."""
    process = place.start(folder)
    shot = shoot(place, psutil.Process(process), draw, most)
    code = ended(process, place.longest_seconds)
    run = read_run(folder)
    records = list(read_records(folder, run))
    lost = len(run.trials) - len(records) + sum(not explained(one, shot) for one in records)
    left = len(workers(place)) + len(unfinished(place, folder))
    hit = [name for name in shot if any(tells(one, name, shot[name]) for one in records)]
    # what concerns the run as a whole stands with its first try
    wrong = next(iter(damaged(folder)), None) if code == bool(hit) else f"exit code {code}"
    for _ in hit or ([""] if lost or left or wrong else []):
        yield Try(wrong=wrong, lost=lost, orphans=left)
        wrong, lost, left = None, 0, 0


def shoot(
    place: Place, run: psutil.Process, draw: random.Random, most: int
) -> dict[str, signal.Signals]:
    """The logs' names of workers that were shot while the run went on, and by which signal."""
    shot: dict[str, signal.Signals] = {}
    while run.status() != psutil.STATUS_ZOMBIE:
        time.sleep(draw.uniform(0.0, place.seconds / IN_A_RUN))
        at_work = {
            name: one for one in run.children() if (name := log_of(one)) not in {None, *shot}
        }
        if at_work and len(shot) < most:
            name, number = draw.choice(sorted(at_work)), draw.choice(SIGNALS)
            at_work[name].send_signal(number)
            shot[name] = number
    return shot


def log_of(worker: psutil.Process) -> str | None:
    """The name of what a worker does, which its log has; None for what is no worker (any more)."""
    try:
        logs = [Path(file.path) for file in worker.open_files()]
    except psutil.Error:
        return None
    return next((log.stem for log in logs if log.parent.name == "logs"), None)


def tells(record: Record, name: str, number: signal.Signals) -> bool:
    """Whether this is the record of the worker with this log, and says what ended it."""
    trial = record.trial.trial()
    # of a pilot there is the record of its cell, which is not tried any more
    own = name in (trial.name, f"pilot-{trial.cell.label}")
    told = (record.reason or "").startswith(f"ended by {number.name}; see {name}.log")
    return own and record.status == "killed" and told


def explained(record: Record, shot: Mapping[str, signal.Signals]) -> bool:
    """Whether it is good, or was ended itself, or was not run since its certificate was."""
    if record.status == "ok" or any(tells(record, *one) for one in shot.items()):
        return True
    certificates = [
        f"not run: ended by {number.name}; see {name}.log"
        for name, number in shot.items()
        if name.startswith(f"parity-{record.cell.label}")
    ]
    return record.status == "killed" and record.reason in certificates


ROW = Row(
    number=1, fault="worker ended by SIGKILL, SIGSEGV or SIGTERM", tries=killed_workers, real=real
)
