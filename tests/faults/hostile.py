"""Row 13: records and runs of strangers that want to hurt, and ten thousand a little wrong."""

import copy
import gzip
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.archive import ARCHIVE, read_lines
from bench.errors import SamestepError
from bench.record import Record, digest, parse_record, read_record
from bench.run_file import RECORDS, read_records, read_run
from tests.faults.matrix import Row, Try, so_many
from tests.records import build_record, build_records, build_run, plan, write_folder

MUTATIONS = 10_000
MOST_SECONDS = 1.0
TRIAL = plan(workloads=["mlp-512"], backends=["pytorch"], rounds=1)[0]
NAMES = ("../../outside", "/etc/passwd", "a\0b", "x" * 10_000, "..", "a/b", "-rf", "")


def hostile(share: float, folder: Path) -> Iterator[Try]:
    for name, text in texts().items():
        path = folder / "record.json"
        path.write_bytes(text)
        yield refused(name, lambda path=path: read_record(path))
    yield from files(folder)
    for name in NAMES:
        yield refused(f"a backend named {name[:20]!r}", lambda name=name: renamed(name))
    yield from mutated(so_many(MUTATIONS, share))


def texts() -> dict[str, bytes]:
    good = json.dumps(build_record(TRIAL).model_dump()).encode()
    start = good.index(b'"seed"')
    return {
        "nested 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
        "NaN": good.replace(b'"seed": ', b'"seed": NaN, "_": ', 1),
        "1e999": good.replace(b'"seed": ', b'"seed": 1e999, "_": ', 1),
        "a number of 5,000 digits": good.replace(b'"seed": ', b'"seed": ' + b"9" * 5_000, 1),
        "a duplicate key": good[:start] + b'"seed": 1, ' + good[start:],
        "another schema": good.replace(b'"schema_version": 1', b'"schema_version": 99', 1),
        "wrong types": good.replace(b'"run_id": ', b'"run_id": [], "_": ', 1),
        "a lone surrogate": good.replace(b'"run_id": "', b'"run_id": "\\ud800', 1),
        "no JSON": b"\x80\x04\x95cos\nsystem\n",
        "nothing": b"",
    }


def files(folder: Path) -> Iterator[Try]:
    """What is no file of ours, whatever it is called."""
    large = folder / "large.json"
    with large.open("wb") as file:
        file.truncate(2**30)
    yield refused("a file of 1 GiB", lambda: read_record(large))
    pipe, link = folder / "pipe.json", folder / "link.json"
    os.mkfifo(pipe)
    yield refused("a pipe", lambda: read_record(pipe))
    link.symlink_to("/dev/zero")
    yield refused("a link to a device", lambda: read_record(link))
    bomb = folder / ARCHIVE
    with gzip.open(bomb, "wb", compresslevel=9) as packed:
        for _ in range(64):
            packed.write(bytes(2**20))
    yield refused("64 MiB of zeros, packed", lambda: list(read_lines(bomb)))
    trials = plan(workloads=["mlp-512"], backends=["pytorch"], rounds=1)
    run = build_run(trials)
    elsewhere = write_folder(folder / "elsewhere", run, build_records(trials))
    linked = write_folder(folder / "linked", run, [])
    (linked / RECORDS).symlink_to(elsewhere / RECORDS)
    yield refused("a folder of records that is a link", lambda: list(read_records(linked, run)))
    (linked / "run.json").unlink()
    (linked / "run.json").symlink_to(elsewhere / "run.json")
    yield refused("a run.json that is a link", lambda: read_run(linked))


def refused(what: str, read: Callable[[], object]) -> Try:
    started = time.monotonic()
    try:
        read()
    except SamestepError as error:
        wrong = f"{what}: told in several lines" if "\n" in str(error) else None
    except Exception as error:
        wrong = f"{what}: {type(error).__name__}: {error}"
    else:
        wrong = f"{what}: accepted"
    seconds = time.monotonic() - started
    if seconds > MOST_SECONDS:
        wrong = f"{what}: refused after {seconds:.1f} s"
    return Try(wrong=wrong, seconds=seconds)


def renamed(backend: str) -> Record:
    document = build_record(TRIAL).model_dump()
    document["trial"]["backend"] = backend
    return resealed(document)


def resealed(document: dict[str, Any]) -> Record:
    """With a hash that fits, as whoever made it up would."""
    return parse_record(json.dumps({**document, "sha256": digest(document)}).encode(), "made up")


def mutated(count: int) -> Iterator[Try]:
    """One value of a good record is another; what is accepted all the same is a valid record."""
    draw, good = random.Random(13), build_record(TRIAL).model_dump()
    for _ in range(count):
        document = copy.deepcopy(good)
        mutate(document, draw)
        wrong = None
        try:
            read = resealed(document).model_dump(exclude_unset=True)
            if read != {**document, "sha256": digest(document)}:
                wrong = "what was read is not what was written"
        except SamestepError as error:
            wrong = "told in several lines" if "\n" in str(error) else None
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        yield Try(wrong=wrong)


VALUES = (None, True, -1, 0, 2**70, -0.5, 1e308, "", "../x", "\0", "x" * 10_000, [], {}, [[]], "é")


def mutate(document: dict[str, Any], draw: random.Random) -> None:
    """Somewhere in it: another value, one missing, one too many."""
    place: Any = document
    while True:
        key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner) or draw.random() < 0.2:
            break
        place = inner
    match draw.randrange(3):
        case 0:
            place[key] = draw.choice(VALUES)
        case 1:
            del place[key]
        case _ if isinstance(place, dict):
            place[draw.choice(("more", "", "../x"))] = draw.choice(VALUES)
        case _:
            place.append(draw.choice(VALUES))


ROW = Row(number=13, fault="hostile records and runs", tries=hostile)
