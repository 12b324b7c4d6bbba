"""Row 7: Ctrl-C, once or twice, and SIGTERM leave a partial report and no process."""

import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from bench.record.run import RUN_FILE
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    Place,
    damages,
    kill_workers_at_exit,
    seconds_until_gone,
    temporary_files,
    wait_for_end,
    wait_for_output,
    workers,
)

TRIES = 50
REAL_TRIES = 1
WITHIN_SECONDS = 5.0
# signals in order, and the right exit codes; 0 if the run ended before
WAYS = (
    ((signal.SIGINT,), (130, 0)),
    ((signal.SIGINT, signal.SIGINT), (130, 0)),
    ((signal.SIGTERM,), (143, 0)),
)


def interruptions(share: float, folder: Path) -> Iterator[Try]:
    return make_tries(Place.make(folder), share_of(TRIES, share))


def real_tries(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    return make_tries(Place.real(folder, interpreters), share_of(REAL_TRIES, share))


def make_tries(place: Place, count: int) -> Iterator[Try]:
    """Make `count` tries of each way, evenly over the time of a run."""
    draw = random.Random(7)
    for number in range(count):
        for way, (signals, codes) in enumerate(WAYS):
            part = (number * len(WAYS) + way + draw.random()) / (count * len(WAYS))
            folder = place.root / f"run-{number}-{way}"
            with kill_workers_at_exit(place):
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
    # a command that has printed nothing yet has nothing to clean up
    wait_for_output(place, folder)
    time.sleep(after_seconds)
    started = time.monotonic()
    for number in signals:
        with suppress(ProcessLookupError):
            os.kill(process, number)
        time.sleep(draw.uniform(0.0, 0.2) if len(signals) > 1 else 0.0)
    code = wait_for_end(process)
    seconds = time.monotonic() - started
    wrong, output = damages(folder), place.output(folder)
    if code not in codes:
        wrong.append(f"exit code {code}. Expected: {codes}: {output}")
    if seconds > WITHIN_SECONDS:
        wrong.append(f"it took {seconds:.1f} s")
    if "Traceback" in output:
        wrong.append(f"it ended with a traceback: {output}")
    explained = "interrupted before there was a report" in output
    reported = explained or (folder / "report.md").exists() or not (folder / RUN_FILE).exists()
    # a second signal may end anything
    if len(signals) == 1 and not reported:
        wrong.append(f"there is no partial report, and no reason for that: {output}")
    # a second signal ends the wait for workers that are killed
    seconds_until_gone(place, WITHIN_SECONDS - seconds)
    left = [*workers(place), *temporary_files(place, folder)]
    if left:
        wrong.append(f"{signals} left {left}: {output}")
    return Try(
        wrong="; ".join(wrong) or None,
        orphans=len(left),
        seconds=seconds,
    )


ROW = Row(number=7, fault="Ctrl-C once, twice, SIGTERM", tries=interruptions, real=real_tries)
