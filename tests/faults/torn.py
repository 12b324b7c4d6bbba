"""Row 6: files that were half written. None is taken for a record: `--resume` runs it again."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bench.errors import RecordError
from bench.record import read_record
from bench.run_file import RUN_FILE, read_run, record_path
from bench.runner import has_record
from tests.faults.matrix import Row, Try
from tests.records import build_records, build_run, plan, write_folder


def torn(share: float, folder: Path) -> Iterator[Try]:
    """A record and a `run.json`, cut at every byte (or every so many), and torn otherwise."""
    trials = plan(workloads=["mlp-512"], backends=["pytorch"], rounds=1)
    run = build_run(trials)
    write_folder(folder, run, build_records(trials))
    model = run.trials[0]
    record = record_path(folder, model)
    whole = record.read_bytes()
    for content in damages(whole, max(1, round(1 / share))):
        record.write_bytes(content)
        taken = has_record(folder, run, model) or accepted(lambda: read_record(record))
        yield Try(wrong=f"accepted: {len(content)} bytes of a record" if taken else None)
    record.write_bytes(whole)
    yield Try(wrong=None if has_record(folder, run, model) else "the whole one is refused")
    plan_file = folder / RUN_FILE
    planned = plan_file.read_bytes()
    for content in damages(planned, max(10, round(10 / share))):
        plan_file.write_bytes(content)
        taken = accepted(lambda: read_run(folder))
        yield Try(wrong=f"accepted: {len(content)} bytes of a run.json" if taken else None)


def damages(whole: bytes, every: int) -> Iterator[bytes]:
    """The file without its end; with an end of zeros; its halves swapped."""
    text = whole.rstrip()
    for size in range(0, len(text), every):
        yield text[:size]
    for size in range(0, len(text), 10 * every):
        yield text[:size] + bytes(len(whole) - size)
    half = len(text) // 2
    yield text[half:] + text[:half]


def accepted(read: Callable[[], object]) -> bool:
    try:
        read()
    except RecordError:
        return False
    return True


ROW = Row(number=6, fault="torn files", tries=torn)
