"""Row 13: a stranger's run that is no run: refused with one line, soon, and in little memory."""

import gzip
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from bench import cli
from bench.record import as_line, digest
from bench.record.archive import ARCHIVE
from bench.record.run import RUN_FILE
from bench.record.stored import RECORDS
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import ended
from tests.fuzz.record_target import accepted
from tests.records import build_record, build_records, build_run, plan, write_folder

FUZZED = 10_000
MOST_SECONDS = 1.0
MOST_BYTES = 200 * 2**20
TRIALS = plan(workloads=["mlp-512"], rounds=1)


def hostile_runs(share: float, folder: Path) -> Iterator[Try]:
    cases = [
        *((name, in_place_of, RECORDS) for name, in_place_of in FILES.items()),
        *((name, in_place_of, RUN_FILE) for name, in_place_of in FILES.items()),
        *((name, in_place_of, ARCHIVE) for name, in_place_of in FILES.items()),
        *(
            (name, said(text), where)
            for name, text in TEXTS.items()
            for where in (RECORDS, RUN_FILE)
        ),
        *((name, edited(edit), RECORDS) for name, edit in EDITS.items()),
        *((name, edited(edit), RUN_FILE) for name, edit in EDITS.items()),
        *((name, packed(lines), ARCHIVE) for name, lines in BOMBS.items()),
        ("a folder that is a link", linked_folder, RECORDS),
    ]
    random.Random(13).shuffle(cases)
    # these are quick, the mutated records are many
    few = so_many(len(cases), min(1.0, 5 * share))
    for number, (name, spoil, where) in enumerate(cases[:few]):
        yield one_try(folder / str(number), f"{where}: {name}", spoil, where)
    yield from fuzzed(so_many(FUZZED, share))


def one_try(folder: Path, name: str, spoil: Callable[[Path], None], where: str) -> Try:
    write_folder(folder, build_run(TRIALS), build_records(TRIALS))
    spoil(path_of(folder, where))
    output = folder.with_suffix(".out")
    seconds, grown, code = report(folder, output)
    said = output.read_text(encoding="utf-8")
    wrong = []
    if code != 1:
        wrong.append(f"exit code {code}")
    if not said.startswith("samestep: ") or said.count("\n") != 1 or len(said) > 1_000:
        wrong.append(f"it said {said[-300:]!r}")
    if not all(one.isprintable() for one in said.rstrip("\n")):
        wrong.append(f"control characters in {said[:300]!r}")
    if seconds > MOST_SECONDS:
        wrong.append(f"it took {seconds:.1f} s")
    if grown > MOST_BYTES:
        wrong.append(f"it took {grown // 2**20} MiB")
    return Try(wrong=f"{name}: {'; '.join(wrong)}" if wrong else None)


def path_of(folder: Path, where: str) -> Path:
    """What is spoilt: the run, one record, or the archive that the records are put into."""
    if where == RECORDS:
        return sorted((folder / RECORDS).iterdir())[0]
    if where == ARCHIVE:
        for path in (folder / RECORDS).iterdir():
            path.unlink()
        (folder / RECORDS).rmdir()
        (folder / ARCHIVE).write_bytes(gzip.compress(b"{}\n"))
    return folder / where


def report(folder: Path, output: Path) -> tuple[float, int, int]:
    """`samestep report` in a child: its CPU seconds, the bytes it grew by, its exit code."""
    read_end, write_end = os.pipe()
    process = os.fork()
    if not process:
        try:
            before, started = resident_bytes(), time.process_time()
            code = told(folder, output)
            used = [time.process_time() - started, resident_bytes() - before]
            os.write(write_end, json.dumps(used).encode())
            os._exit(code)
        finally:
            os._exit(70)
    os.close(write_end)
    code = ended(process)
    with os.fdopen(read_end) as pipe:
        seconds, grown = json.loads(pipe.read() or "[0, 0]")
    return seconds, grown, code


def resident_bytes() -> int:
    """The most that this process ever had; a child starts with what it has from its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def told(folder: Path, output: Path) -> int:
    sys.argv = ["samestep", "report", str(folder)]
    with output.open("w", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            cli.main()
        except SystemExit as ending:
            return ending.code if isinstance(ending.code, int) else 70
    return 0


# what stands there in place of a file


def sparse(path: Path) -> None:
    path.write_bytes(b"")
    os.truncate(path, 2**30)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def link(path: Path) -> None:
    outside = path.rename(path.parents[1] / f"{path.parent.name}-{path.name}.outside")
    path.symlink_to(outside)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def linked_folder(path: Path) -> None:
    folder = path.parent
    outside = folder.rename(folder.parents[1] / f"{folder.parent.name}-records.outside")
    folder.symlink_to(outside)


FILES: dict[str, Callable[[Path], None]] = {
    "1 GiB": sparse,
    "a pipe": pipe,
    "a device": device,
    "a link out of the folder": link,
    "a link to nowhere": dangling,
    "a folder": folder_instead,
}
# what no strict JSON is, or no record
TEXTS = {
    "lists 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "NaN": b'{"schema_version": NaN}',
    "1e999": b'{"schema_version": 1e999}',
    "a whole number of 100,000 digits": b'{"schema_version": ' + b"9" * 100_000 + b"}",
    "a key twice": b'{"schema_version": 1, "schema_version": 1}',
    "empty lists, 4 MB": b'{"run_id":[' + b"[]," * 1_390_000 + b"[]]}",
    "empty objects, 4 MB": b'{"run_id":[' + b"{}," * 1_390_000 + b"{}]}",
    "no UTF-8": b'{"\xff\xfe": 1}',
}


def said(text: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(text) and None


def first_trial(document: dict[str, Any]) -> dict[str, Any]:
    return document["trial"] if "trial" in document else document["trials"][0]


def named(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: first_trial(document).update(backend=name)


EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "a name that leads up": named("../../../etc/passwd"),
    "an absolute name": named("/etc/passwd"),
    "a name with NUL": named("py\0torch"),
    "a name of 10,000 characters": named("p" * 10_000),
    "a lone surrogate": lambda document: document.update(run_id="\ud800"),
    "a key of escapes": lambda document: document.update({"\x1b[2J\u202e": 1}),
    "a key that is a lone surrogate": lambda document: document.update({"\ud800": 1}),
    "a key of 10,000 characters": lambda document: document.update({"k" * 10_000: 1}),
    "a future schema": lambda document: document.update(schema_version=2),
    "text for a number": lambda document: first_trial(document).update(seed="0"),
    "a number of 4,000 digits": lambda document: first_trial(document).update(seed=10**4_000),
    "a list for an object": lambda document: document.update(environment=[]),
}


def edited(edit: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """A document with another value, which is sealed where it has a seal."""

    def spoil(path: Path) -> None:
        document = json.loads(path.read_bytes())
        edit(document)
        if "sha256" in document:
            document["sha256"] = digest(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    return spoil


BOMBS = {"a line of 1 GiB": (bytes(2**20), 1024), "10 million lines": (b"{}\n" * 1_000, 10_000)}


def packed(lines: tuple[bytes, int]) -> Callable[[Path], None]:
    part, times = lines

    def spoil(path: Path) -> None:
        with gzip.open(path, "wb", compresslevel=1) as file:
            for _ in range(times):
                file.write(part)

    return spoil


# mutated records


def fuzzed(count: int) -> Iterator[Try]:
    """A few places of a good record changed; an accepted one says what the original says."""
    draw, original = random.Random(1313), as_line(build_record(TRIALS[-1]).model_dump())
    for _ in range(count):
        content = mutated(original, draw)
        try:
            taken = accepted(content)
        except Exception as error:
            yield Try(wrong=f"{type(error).__name__}: {error}")
            continue
        same = not taken or json.loads(content) == json.loads(original)
        yield Try(wrong=None if same else f"accepted: {content!r:.200}")


def mutated(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        start = draw.randrange(len(changed))
        end = min(len(changed), start + draw.choice((0, 1, 1, 8, 100)))
        other = draw.randrange(len(changed))
        changed[start:end] = draw.choice(
            (
                bytes([draw.randrange(256)]),
                str(draw.randrange(10)).encode(),
                draw.choice((b" ", b"", b"null", b"NaN", b"-", b'"', b"{", b"]", b"1e999")),
                bytes(changed[other : other + end - start]),
            )
        )
    return bytes(changed)


ROW = Row(
    number=13, fault="hostile run: its files, its JSON, its names, its archive", tries=hostile_runs
)
