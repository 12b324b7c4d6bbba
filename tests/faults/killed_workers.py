"""Row 1: if a signal ends a worker, its record says so, and no other trial is affected."""

import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from bench.record import Record
from bench.record.run import read_run
from bench.record.stored import read_records
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    Place,
    damages,
    kill_workers_at_exit,
    temporary_files,
    wait_for_end,
    workers,
)

TRIES = 100
REAL_TRIES = 10
IN_A_RUN = 5
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)
# a worker may end before the signal, and then there was no try
MOST_RUNS_FOR_A_TRY = 3


def killed_workers(share: float, folder: Path) -> Iterator[Try]:
    return make_tries(Place.make(folder), share_of(TRIES, share))


def real_tries(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    return make_tries(Place.real(folder, interpreters), share_of(REAL_TRIES, share))


def make_tries(place: Place, count: int) -> Iterator[Try]:
    """Kill some of the workers of each run, at random times."""
    draw, left = random.Random(1), count
    for number in range(MOST_RUNS_FOR_A_TRY * count):
        with kill_workers_at_exit(place):
            folder = place.root / f"run-{number}"
            for attempt in one_run(place, folder, draw, min(left, IN_A_RUN)):
                yield attempt
                left -= 1
        if not left:
            return
    yield Try(wrong=f"{left} of {count} signals ended no worker")


def one_run(place: Place, folder: Path, draw: random.Random, most: int) -> Iterator[Try]:
    """Yield a try for each worker that was killed before its end."""
    process = place.start(folder)
    killed = kill_workers(place, psutil.Process(process), draw, most)
    code = wait_for_end(process, place.longest_seconds)
    run = read_run(folder)
    records = list(read_records(folder, run))
    unexplained = sum(not is_explained(record, killed) for record in records)
    lost = len(run.trials) - len(records) + unexplained
    orphans = len(workers(place)) + len(temporary_files(place, folder))
    hit = [
        name
        for name, number in killed.items()
        if any(is_of_killed(record, name, number) for record in records)
    ]
    # what concerns the whole run is in its first try
    wrong = next(iter(damages(folder)), None) if code == bool(hit) else f"exit code {code}"
    for _ in hit or ([""] if lost or orphans or wrong else []):
        yield Try(wrong=wrong, lost=lost, orphans=orphans)
        wrong, lost, orphans = None, 0, 0


def kill_workers(
    place: Place, run: psutil.Process, draw: random.Random, most: int
) -> dict[str, signal.Signals]:
    """Kill workers during the run; return the signals by the names of the workers' logs."""
    killed: dict[str, signal.Signals] = {}
    while run.status() != psutil.STATUS_ZOMBIE:
        time.sleep(draw.uniform(0.0, place.seconds / IN_A_RUN))
        at_work = {
            name: worker
            for worker in run.children()
            if (name := log_of(worker)) not in {None, *killed}
        }
        if at_work and len(killed) < most:
            name, number = draw.choice(sorted(at_work)), draw.choice(SIGNALS)
            at_work[name].send_signal(number)
            killed[name] = number
    return killed


def log_of(worker: psutil.Process) -> str | None:
    """Return the name of a worker's log; None for a process that is not, or no longer, a worker."""
    try:
        logs = [Path(file.path) for file in worker.open_files()]
    except psutil.Error:
        return None
    return next((log.stem for log in logs if log.parent.name == "logs"), None)


def is_of_killed(record: Record, name: str, number: signal.Signals) -> bool:
    """Return whether this is the record of the worker with this log, with the signal as reason."""
    trial = record.trial.trial()
    # a pilot's outcome is in the record of its cell, which is not tried again
    own = name in (trial.name, f"pilot-{trial.cell.label}")
    has_reason = (record.reason or "").startswith(f"ended by {number.name}; see {name}.log")
    return own and record.status == "killed" and has_reason


def is_explained(record: Record, killed: Mapping[str, signal.Signals]) -> bool:
    """Return whether a trial is ok, was killed, or was not run because its certificate was."""
    if record.status == "ok" or any(is_of_killed(record, *item) for item in killed.items()):
        return True
    certificates = [
        f"not run: ended by {number.name}; see {name}.log"
        for name, number in killed.items()
        if name.startswith(f"parity-{record.cell.label}")
    ]
    return record.status == "killed" and record.reason in certificates


ROW = Row(
    number=1,
    fault="worker ended by SIGKILL, SIGSEGV or SIGTERM",
    tries=killed_workers,
    real=real_tries,
)
