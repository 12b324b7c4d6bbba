"""Row 6: torn files are never accepted, and a resumed run repeats that trial and no other."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench.errors import RecordError
from bench.record import as_line, read_record
from bench.record.run import RUN_FILE, read_run, run_bytes
from bench.record.stored import RECORDS
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import Place, damaged, ended, kept, none_left, unfinished, workers
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
        for torn in torn_at(content, share):
            yield refused(folder / "torn" / name, torn, read)
    yield from resumed(place, folder / "run", so_many(RESUMED, share))


def torn_at(content: bytes, share: float) -> Iterator[bytes]:
    """Cut at every byte, the rest of zeros at every tenth, its halves swapped."""
    # without its last newline a file still says all
    cuts = range(len(content) - 1)
    draw = random.Random(6)
    for cut in draw.sample(cuts, so_many(len(cuts), share)):
        yield content[:cut]
    for cut in draw.sample(cuts, so_many(len(cuts) // 10, share)):
        yield content[:cut].ljust(len(content), b"\0")
    yield halves_swapped(content)


def halves_swapped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[middle:] + content[:middle]


def refused(path: Path, content: bytes, read: Callable[[Path], Any]) -> Try:
    path.write_bytes(content)
    try:
        read(path)
    except RecordError as error:
        told = path.name in str(error) and "\n" not in str(error)
        return Try(wrong=None if told else f"refused with {str(error)!r}")
    return Try(wrong=f"{path.name} of {len(content)} bytes was accepted: {content[-20:]!r}")


def resumed(place: Place, folder: Path, count: int) -> Iterator[Try]:
    """One record of a finished run torn at a time."""
    code = ended(place.start(folder))
    before, draw = kept(folder), random.Random(66)
    if code != 0 or not before:
        yield Try(wrong=f"the run itself ended with {code}")
        return
    for number in range(count):
        with none_left(place):
            yield one_resumed(place, folder, draw.choice(sorted(before)), number)


def one_resumed(place: Place, folder: Path, name: str, number: int) -> Try:
    before, path = kept(folder), folder / RECORDS / name
    content = before.pop(name)
    cut = partial(random.Random(number).randrange, len(content) - 1)
    ways = (content[: cut()], content[: cut()].ljust(len(content), b"\0"), halves_swapped(content))
    path.write_bytes(ways[number % len(ways)])
    code = ended(place.resume(folder))
    after = kept(folder)
    again = after.pop(name)
    wrong = damaged(folder)
    if code != 0:
        wrong.append(f"{name}: exit code {code}")
    if again == content:
        wrong.append(f"{name} was not run again")
    return Try(
        wrong="; ".join(wrong) or None,
        lost=sum(after.get(other) != whole for other, whole in before.items()),
        orphans=len(workers(place)) + len(unfinished(place, folder)),
    )


ROW = Row(number=6, fault="record or run.json cut, filled with zeros, swapped", tries=torn_files)
