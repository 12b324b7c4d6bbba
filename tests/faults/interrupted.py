"""Row 7: Ctrl-C, once or twice, and SIGTERM: a partial report, the exit code, nothing left."""

import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from bench.record.run import RUN_FILE
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import (
    Place,
    damaged,
    ended,
    none_left,
    seconds_until_gone,
    unfinished,
    wait_for_output,
    workers,
)

TRIES = 50
REAL_TRIES = 1
WITHIN_SECONDS = 5.0
# how the signals follow each other, and the exit codes that are right; 0: it was done before
WAYS = (
    ((signal.SIGINT,), (130, 0)),
    ((signal.SIGINT, signal.SIGINT), (130, 0)),
    ((signal.SIGTERM,), (143, 0)),
)


def interrupted(share: float, folder: Path) -> Iterator[Try]:
    return tries(Place.make(folder), so_many(TRIES, share))


def real(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    return tries(Place.real(folder, interpreters), so_many(REAL_TRIES, share))


def tries(place: Place, count: int) -> Iterator[Try]:
    """So many of each way, the whole of a run covered evenly."""
    draw = random.Random(7)
    for number in range(count):
        for way, (signals, codes) in enumerate(WAYS):
            part = (number * len(WAYS) + way + draw.random()) / (count * len(WAYS))
            folder = place.root / f"run-{number}-{way}"
            with none_left(place):
                yield one_try(place, folder, draw, place.seconds * part, signals, codes)


def one_try(
    place: Place,
    folder: Path,
    draw: random.Random,
    after_seconds: float,
    signals: tuple[signal.Signals, ...],
    codes: tuple[int, ...],
) -> Try:
    process = place.start(folder)
    # before the command says something there is nothing to look after
    wait_for_output(place, folder)
    time.sleep(after_seconds)
    started = time.monotonic()
    for one in signals:
        with suppress(ProcessLookupError):
            os.kill(process, one)
        time.sleep(draw.uniform(0.0, 0.2) if len(signals) > 1 else 0.0)
    code = ended(process)
    seconds = time.monotonic() - started
    wrong, output = damaged(folder), place.output(folder)
    if code not in codes:
        wrong.append(f"exit code {code}. Expected: {codes}: {output}")
    if seconds > WITHIN_SECONDS:
        wrong.append(f"it took {seconds:.1f} s")
    if "Traceback" in output:
        wrong.append(f"it ended with a traceback: {output}")
    told = "interrupted before there was a report" in output
    reported = told or (folder / "report.md").exists() or not (folder / RUN_FILE).exists()
    # a second signal may end anything
    if len(signals) == 1 and not reported:
        wrong.append(f"there is no partial report, nor a word of it: {output}")
    # a second signal ends the wait for those that are killed
    seconds_until_gone(place, WITHIN_SECONDS - seconds)
    left = [*workers(place), *unfinished(place, folder)]
    if left:
        wrong.append(f"{signals} left {left}: {output}")
    return Try(
        wrong="; ".join(wrong) or None,
        orphans=len(left),
        seconds=seconds,
    )


ROW = Row(number=7, fault="Ctrl-C once, twice, SIGTERM", tries=interrupted, real=real)
