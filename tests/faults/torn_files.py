"""Row 6: torn files are never accepted, and a resumed run repeats only the trial concerned."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench.errors import RecordError
from bench.record import as_line, read_record
from bench.record.run import RUN_FILE, read_run, run_bytes
from bench.record.stored import RECORDS
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    Place,
    damages,
    kill_workers_at_exit,
    record_files,
    temporary_files,
    wait_for_end,
    workers,
)
from tests.records import build_record, build_run, plan

RESUMED = 12


def torn_files(share: float, folder: Path) -> Iterator[Try]:
    place = Place.make(folder)
    trials = plan(workloads=["mlp-512"], rounds=1)
    record = as_line(build_record(trials[-1]).model_dump())
    run = run_bytes(build_run(trials))
    (folder / "torn").mkdir()
    for content, name, read in (
        (record, "record.json", read_record),
        (run, RUN_FILE, lambda path: read_run(path.parent)),
    ):
        for torn in tear(content, share):
            yield expect_refusal(folder / "torn" / name, torn, read)
    yield from tear_and_resume(place, folder / "run", share_of(RESUMED, share))


def tear(content: bytes, share: float) -> Iterator[bytes]:
    """Yield the content cut at every byte, ending in zeros at every tenth, with swapped halves."""
    # a file without its last newline is still complete
    cuts = range(len(content) - 1)
    draw = random.Random(6)
    for cut in draw.sample(cuts, share_of(len(cuts), share)):
        yield content[:cut]
    for cut in draw.sample(cuts, share_of(len(cuts) // 10, share)):
        yield content[:cut].ljust(len(content), b"\0")
    yield swap_halves(content)


def swap_halves(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[middle:] + content[:middle]


def expect_refusal(path: Path, content: bytes, read: Callable[[Path], Any]) -> Try:
    path.write_bytes(content)
    try:
        read(path)
    except RecordError as error:
        is_clear = path.name in str(error) and "\n" not in str(error)
        return Try(wrong=None if is_clear else f"refused with {str(error)!r}")
    return Try(wrong=f"{path.name} of {len(content)} bytes was accepted: {content[-20:]!r}")


def tear_and_resume(place: Place, folder: Path, count: int) -> Iterator[Try]:
    """Tear one record of a finished run at a time, and resume the run."""
    code = wait_for_end(place.start(folder))
    before, draw = record_files(folder), random.Random(66)
    if code != 0 or not before:
        yield Try(wrong=f"the run itself ended with {code}")
        return
    for number in range(count):
        with kill_workers_at_exit(place):
            yield one_try(place, folder, draw.choice(sorted(before)), number)


def one_try(place: Place, folder: Path, name: str, number: int) -> Try:
    before, path = record_files(folder), folder / RECORDS / name
    content = before.pop(name)
    cut = partial(random.Random(number).randrange, len(content) - 1)
    ways = (content[: cut()], content[: cut()].ljust(len(content), b"\0"), swap_halves(content))
    path.write_bytes(ways[number % len(ways)])
    code = wait_for_end(place.resume(folder))
    after = record_files(folder)
    again = after.pop(name)
    wrong = damages(folder)
    if code != 0:
        wrong.append(f"{name}: exit code {code}")
    if again == content:
        wrong.append(f"{name} was not run again")
    return Try(
        wrong="; ".join(wrong) or None,
        lost=sum(after.get(other) != old for other, old in before.items()),
        orphans=len(workers(place)) + len(temporary_files(place, folder)),
    )


ROW = Row(number=6, fault="record or run.json cut, filled with zeros, swapped", tries=torn_files)
