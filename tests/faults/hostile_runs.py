"""Row 13: a run from another person that is not a run is refused quickly, with one line."""

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
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import wait_for_end
from tests.fuzz.record_target import accepts
from tests.records import build_record, build_records, build_run, plan, write_folder

FUZZED = 10_000
MOST_SECONDS = 1.0
MOST_BYTES = 200 * 2**20
TRIALS = plan(workloads=["mlp-512"], rounds=1)


def hostile_runs(share: float, folder: Path) -> Iterator[Try]:
    cases = [
        *((name, damage, RECORDS) for name, damage in FILES.items()),
        *((name, damage, RUN_FILE) for name, damage in FILES.items()),
        *((name, damage, ARCHIVE) for name, damage in FILES.items()),
        *(
            (name, replace_by(text), where)
            for name, text in TEXTS.items()
            for where in (RECORDS, RUN_FILE)
        ),
        *((name, edit_document(edit), RECORDS) for name, edit in EDITS.items()),
        *((name, edit_document(edit), RUN_FILE) for name, edit in EDITS.items()),
        *((name, pack(lines), ARCHIVE) for name, lines in BOMBS.items()),
        ("a folder that is a link", link_folder, RECORDS),
    ]
    random.Random(13).shuffle(cases)
    # a larger share than of the mutated records, which are many
    count = share_of(len(cases), min(1.0, 5 * share))
    for number, (name, damage, where) in enumerate(cases[:count]):
        yield one_try(folder / str(number), f"{where}: {name}", damage, where)
    yield from fuzz(share_of(FUZZED, share))


def one_try(folder: Path, name: str, damage: Callable[[Path], None], where: str) -> Try:
    write_folder(folder, build_run(TRIALS), build_records(TRIALS))
    damage(path_of(folder, where))
    output = folder.with_suffix(".out")
    seconds, grown, code = report(folder, output)
    message = output.read_text(encoding="utf-8")
    wrong = []
    if code != 1:
        wrong.append(f"exit code {code}")
    if not message.startswith("samestep: ") or message.count("\n") != 1 or len(message) > 1_000:
        wrong.append(f"it said {message[-300:]!r}")
    if not all(character.isprintable() for character in message.rstrip("\n")):
        wrong.append(f"control characters in {message[:300]!r}")
    if seconds > MOST_SECONDS:
        wrong.append(f"it took {seconds:.1f} s")
    if grown > MOST_BYTES:
        wrong.append(f"it took {grown // 2**20} MiB")
    return Try(wrong=f"{name}: {'; '.join(wrong)}" if wrong else None)


def path_of(folder: Path, where: str) -> Path:
    """Return the file to damage: the run, one record, or an archive in place of the records."""
    if where == RECORDS:
        return sorted((folder / RECORDS).iterdir())[0]
    if where == ARCHIVE:
        for path in (folder / RECORDS).iterdir():
            path.unlink()
        (folder / RECORDS).rmdir()
        (folder / ARCHIVE).write_bytes(gzip.compress(b"{}\n"))
    return folder / where


def report(folder: Path, output: Path) -> tuple[float, int, int]:
    """Run `samestep report` in a child; return its CPU seconds, added memory and exit code."""
    read_end, write_end = os.pipe()
    process = os.fork()
    if not process:
        try:
            before, started = resident_bytes(), time.process_time()
            code = run_report(folder, output)
            used = [time.process_time() - started, resident_bytes() - before]
            os.write(write_end, json.dumps(used).encode())
            os._exit(code)
        finally:
            os._exit(70)
    os.close(write_end)
    code = wait_for_end(process)
    with os.fdopen(read_end) as pipe:
        seconds, grown = json.loads(pipe.read() or "[0, 0]")
    return seconds, grown, code


def resident_bytes() -> int:
    """Return the peak memory of this process; a child starts with its parent's memory."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def run_report(folder: Path, output: Path) -> int:
    sys.argv = ["samestep", "report", str(folder)]
    with output.open("w", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            cli.main()
        except SystemExit as ending:
            return ending.code if isinstance(ending.code, int) else 70
    return 0


# damages of a file


def enlarge(path: Path) -> None:
    path.write_bytes(b"")
    os.truncate(path, 2**30)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def link_outside(path: Path) -> None:
    outside = path.rename(path.parents[1] / f"{path.parent.name}-{path.name}.outside")
    path.symlink_to(outside)


def link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_folder(path: Path) -> None:
    folder = path.parent
    outside = folder.rename(folder.parents[1] / f"{folder.parent.name}-records.outside")
    folder.symlink_to(outside)


FILES: dict[str, Callable[[Path], None]] = {
    "1 GiB": enlarge,
    "a pipe": replace_by_pipe,
    "a device": link_to_device,
    "a link out of the folder": link_outside,
    "a link to nowhere": link_to_nowhere,
    "a folder": replace_by_folder,
}
# texts that are not strict JSON, or not a record
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


def replace_by(text: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(text) and None


def first_trial(document: dict[str, Any]) -> dict[str, Any]:
    return document["trial"] if "trial" in document else document["trials"][0]


def rename_backend(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: first_trial(document).update(backend=name)


EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "a name that leads up": rename_backend("../../../etc/passwd"),
    "an absolute name": rename_backend("/etc/passwd"),
    "a name with NUL": rename_backend("py\0torch"),
    "a name of 10,000 characters": rename_backend("p" * 10_000),
    "a lone surrogate": lambda document: document.update(run_id="\ud800"),
    "a key of escapes": lambda document: document.update({"\x1b[2J\u202e": 1}),
    "a key that is a lone surrogate": lambda document: document.update({"\ud800": 1}),
    "a key of 10,000 characters": lambda document: document.update({"k" * 10_000: 1}),
    "a future schema": lambda document: document.update(schema_version=2),
    "text for a number": lambda document: first_trial(document).update(seed="0"),
    "a number of 4,000 digits": lambda document: first_trial(document).update(seed=10**4_000),
    "a list for an object": lambda document: document.update(environment=[]),
}


def edit_document(edit: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Return a function that edits a document, and seals it again if it has a seal."""

    def damage(path: Path) -> None:
        document = json.loads(path.read_bytes())
        edit(document)
        if "sha256" in document:
            document["sha256"] = digest(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    return damage


BOMBS = {"a line of 1 GiB": (bytes(2**20), 1024), "10 million lines": (b"{}\n" * 1_000, 10_000)}


def pack(lines: tuple[bytes, int]) -> Callable[[Path], None]:
    part, times = lines

    def damage(path: Path) -> None:
        with gzip.open(path, "wb", compresslevel=1) as file:
            for _ in range(times):
                file.write(part)

    return damage


# mutated records


def fuzz(count: int) -> Iterator[Try]:
    """Change a few places of a good record; it is accepted only if its values are the same."""
    draw, original = random.Random(1313), as_line(build_record(TRIALS[-1]).model_dump())
    for _ in range(count):
        content = mutate(original, draw)
        try:
            is_accepted = accepts(content)
        except Exception as error:
            yield Try(wrong=f"{type(error).__name__}: {error}")
            continue
        same = not is_accepted or json.loads(content) == json.loads(original)
        yield Try(wrong=None if same else f"accepted: {content!r:.200}")


def mutate(content: bytes, draw: random.Random) -> bytes:
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
