"""Row 2: the run itself is killed; its workers go with it, and `--resume` finishes the plan."""

import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.record.run import RUN_FILE, read_run
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import (
    Place,
    damaged,
    ended,
    kept,
    none_left,
    seconds_until_gone,
    shortfalls,
    unfinished,
    workers,
)

TRIES = 100
REAL_TRIES = 3
GONE_WITHIN_SECONDS = 5.0


def killed_parent(share: float, folder: Path) -> Iterator[Try]:
    return tries(Place.make(folder), so_many(TRIES, share))


def real(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    return tries(Place.real(folder, interpreters), so_many(REAL_TRIES, share))


def tries(place: Place, count: int) -> Iterator[Try]:
    """Each at a time of its own, the whole of a run covered evenly."""
    draw = random.Random(2)
    for number in range(count):
        after_seconds = place.seconds * (number + draw.random()) / count
        with none_left(place):
            yield one_try(place, place.root / f"run-{number}", after_seconds)


def one_try(place: Place, folder: Path, after_seconds: float) -> Try:
    process = place.start(folder)
    time.sleep(after_seconds)
    os.kill(process, signal.SIGKILL)
    ended(process)
    gone = seconds_until_gone(place, GONE_WITHIN_SECONDS)
    before, wrong = kept(folder), damaged(folder)
    started = time.monotonic()
    if before and not read_run(folder).sessions:
        wrong.append("the time of its records is in no session")
    if (folder / RUN_FILE).exists():
        code = ended(place.resume(folder), place.longest_seconds)
    else:
        # without a plan there is nothing to resume: whoever starts again has lost nothing
        folder = folder.with_name(f"{folder.name}-again")
        code = ended(place.start(folder), place.longest_seconds)
    wrong += [*damaged(folder), *shortfalls(folder, code)]
    if gone is None:
        wrong.append(f"a worker outlived the run by {GONE_WITHIN_SECONDS:g} s")
    after = kept(folder)
    return Try(
        wrong="; ".join(wrong) or None,
        lost=sum(after.get(name) != content for name, content in before.items()),
        orphans=len(workers(place)) + len(unfinished(place, folder)),
        seconds=time.monotonic() - started,
    )


ROW = Row(number=2, fault="run killed, then resumed", tries=killed_parent, real=real)
