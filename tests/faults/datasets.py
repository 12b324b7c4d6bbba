"""Row 9: a data set that is not MNIST is refused; a cache that is not is made anew."""

import gzip
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from bench import mnist
from bench.errors import DataError
from bench.mnist import cache
from bench.mnist.idx import ARCHIVES, SOURCES, TEST_IMAGES, TEST_LABELS, read_archive, read_idx
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import ended

FLIPPED = 100
AT_ONCE = 5
SOMEONE_ELSE = 65_534
PACKED = (ARCHIVES / TEST_LABELS.archive_name).read_bytes()
CONTENT = gzip.decompress(PACKED)


def datasets(share: float, folder: Path) -> Iterator[Try]:
    yield from flipped(folder, so_many(FLIPPED, share))
    for name, spoil in SPOILT.items():
        yield from (
            in_a_folder(folder / name, spoil),
            in_the_cache(folder / f"{name}-cache", spoil),
        )
    yield in_the_cache(folder / "linked-cache", linked_to(folder / "linked-cache.outside"))
    for number in range(so_many(AT_ONCE, share)):
        yield two_at_once(folder / f"two-{number}")


def flipped(folder: Path, count: int) -> Iterator[Try]:
    """One bit of the archive, and one of the decompressed file, each somewhere else."""
    draw = random.Random(9)
    for good, read, name in (
        (PACKED, read_archive, TEST_LABELS.archive_name),
        (CONTENT, read_idx, TEST_LABELS.name),
    ):
        for bit in draw.sample(range(8 * len(good)), count):
            content = bytearray(good)
            content[bit // 8] ^= 1 << bit % 8
            path = folder / name
            path.write_bytes(content)
            yield refused(f"{name}, bit {bit}", path, lambda p=path, r=read: r(p, TEST_LABELS, ""))


def refused(name: str, path: Path, read: Callable[[], object]) -> Try:
    try:
        read()
    except DataError as error:
        told = str(path) in str(error) and "\n" not in str(error)
        return Try(wrong=None if told else f"{name}: {str(error)!r}")
    return Try(wrong=f"{name}: accepted")


def in_a_folder(folder: Path, spoil: Callable[[Path], None]) -> Try:
    """The last of the user's four files spoilt: the load is refused, the file left as it was."""
    folder.mkdir()
    for source in SOURCES:
        (folder / source.archive_name).symlink_to(ARCHIVES / source.archive_name)
    path = folder / TEST_LABELS.archive_name
    path.unlink()
    path.write_bytes(PACKED)
    spoil(path)
    before = looks(path)
    found = refused(folder.name, path, lambda: mnist.load(folder))
    return (
        found if looks(path) == before else Try(wrong=f"{folder.name}: the user's file was changed")
    )


def looks(path: Path) -> tuple[int, ...] | None:
    """What a write would change; None where there is no file."""
    if not os.path.lexists(path):
        return None
    status = os.lstat(path)
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


def in_the_cache(folder: Path, spoil: Callable[[Path], None]) -> Try:
    """The same content as ever, the cache whole again, and what a link led to untouched."""
    outside = folder.with_suffix(".outside")
    outside.write_bytes(b"mine")
    with patch.dict(os.environ, {"SAMESTEP_CACHE": str(folder)}):
        cache.cached_content(TEST_LABELS)
        path = mnist.cache_folder() / cache.RAW / TEST_LABELS.name
        spoil(path)
        news = os.path.lexists(path)
        with patch.object(cache.logger, "warning") as told:
            content = cache.cached_content(TEST_LABELS)
    wrong = []
    if told.call_count != news:
        wrong.append(f"{told.call_count} warnings")
    if content != CONTENT:
        wrong.append("another content was taken")
    if path.is_symlink() or not path.is_file() or path.read_bytes() != CONTENT:
        wrong.append("the cache is not whole")
    if outside.read_bytes() != b"mine":
        wrong.append("it was written through a link")
    return Try(
        wrong=f"{folder.name}: {'; '.join(wrong)}" if wrong else None,
        orphans=len([*folder.rglob(".*")]),
    )


def two_at_once(folder: Path) -> Try:
    """Two processes that fill one empty cache."""
    with patch.dict(os.environ, {"SAMESTEP_CACHE": str(folder)}):
        codes = [ended(process) for process in [decoding(), decoding()]]
        raw = mnist.cache_folder() / cache.RAW
    whole = all(
        (raw / source.name).read_bytes() == cache.packaged_content(source)
        for source in (TEST_IMAGES, TEST_LABELS)
    )
    right = codes == [0, 0] and whole
    return Try(
        wrong=None if right else f"two at once: exit codes {codes}, cache whole: {whole}",
        orphans=len([*folder.rglob(".*")]),
    )


def decoding() -> int:
    process = os.fork()
    if not process:
        try:
            cache.cached_content(TEST_IMAGES)
            os._exit(0 if cache.cached_content(TEST_LABELS) == CONTENT else 1)
        finally:
            os._exit(70)
    return process


# what stands there in place of the file


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def holding(content: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.write_bytes(content)

    return spoil


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def linked_to(outside: Path) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.unlink()
        path.symlink_to(outside)

    return spoil


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def someone_else_s(path: Path) -> None:
    path.write_bytes(b"\0" * len(CONTENT))
    # only root gives a file away; for others this is a file of their own with zeros
    if os.geteuid() == 0:
        os.chown(path, SOMEONE_ELSE, SOMEONE_ELSE)


SPOILT: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "empty": lambda path: os.truncate(path, 0),
    "truncated": truncated,
    "images": holding((ARCHIVES / TEST_IMAGES.archive_name).read_bytes()),
    "a web page": holding(b"<html>404 Not Found</html>"),
    "a pipe": pipe,
    "a link to nowhere": dangling,
    "of someone else": someone_else_s,
}

ROW = Row(number=9, fault="data set missing, damaged, swapped; its cache poisoned", tries=datasets)
