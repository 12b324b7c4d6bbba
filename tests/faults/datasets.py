"""Row 9: a data set that is not MNIST is refused; a cache that is not MNIST is made again."""

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
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import wait_for_end

FLIPPED = 100
AT_ONCE = 5
OTHER_USER = 65_534
PACKED = (ARCHIVES / TEST_LABELS.archive_name).read_bytes()
CONTENT = gzip.decompress(PACKED)


def datasets(share: float, folder: Path) -> Iterator[Try]:
    yield from flip_bits(folder, share_of(FLIPPED, share))
    for name, damage in DAMAGES.items():
        yield from (
            try_folder(folder / name, damage),
            try_cache(folder / f"{name}-cache", damage),
        )
    yield try_cache(folder / "linked-cache", link_to(folder / "linked-cache.outside"))
    for number in range(share_of(AT_ONCE, share)):
        yield try_two_at_once(folder / f"two-{number}")


def flip_bits(folder: Path, count: int) -> Iterator[Try]:
    """Flip single bits of the archive and of the decompressed file, at random places."""
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
            yield expect_refusal(
                f"{name}, bit {bit}", path, lambda p=path, r=read: r(p, TEST_LABELS, "")
            )


def expect_refusal(name: str, path: Path, read: Callable[[], object]) -> Try:
    try:
        read()
    except DataError as error:
        is_clear = str(path) in str(error) and "\n" not in str(error)
        return Try(wrong=None if is_clear else f"{name}: {str(error)!r}")
    return Try(wrong=f"{name}: accepted")


def try_folder(folder: Path, damage: Callable[[Path], None]) -> Try:
    """Damage the last of the user's four files: it is refused and left unchanged."""
    folder.mkdir()
    for source in SOURCES:
        (folder / source.archive_name).symlink_to(ARCHIVES / source.archive_name)
    path = folder / TEST_LABELS.archive_name
    path.unlink()
    path.write_bytes(PACKED)
    damage(path)
    before = state(path)
    refusal = expect_refusal(folder.name, path, lambda: mnist.load(folder))
    if state(path) != before:
        return Try(wrong=f"{folder.name}: the user's file was changed")
    return refusal


def state(path: Path) -> tuple[int, ...] | None:
    """Return what a write would change; None if there is no file."""
    if not os.path.lexists(path):
        return None
    status = os.lstat(path)
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


def try_cache(folder: Path, damage: Callable[[Path], None]) -> Try:
    """Damage the cache: the content is right, the cache is repaired, a link is not followed."""
    outside = folder.with_suffix(".outside")
    outside.write_bytes(b"mine")
    with patch.dict(os.environ, {"SAMESTEP_CACHE": str(folder)}):
        cache.cached_content(TEST_LABELS)
        path = mnist.cache_folder() / cache.RAW / TEST_LABELS.name
        damage(path)
        exists = os.path.lexists(path)
        with patch.object(cache.logger, "warning") as warning:
            content = cache.cached_content(TEST_LABELS)
    wrong = []
    if warning.call_count != exists:
        wrong.append(f"{warning.call_count} warnings")
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


def try_two_at_once(folder: Path) -> Try:
    """Fill one empty cache in two processes at once."""
    with patch.dict(os.environ, {"SAMESTEP_CACHE": str(folder)}):
        codes = [wait_for_end(process) for process in [fork_decoder(), fork_decoder()]]
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


def fork_decoder() -> int:
    process = os.fork()
    if not process:
        try:
            cache.cached_content(TEST_IMAGES)
            os._exit(0 if cache.cached_content(TEST_LABELS) == CONTENT else 1)
        finally:
            os._exit(70)
    return process


# damages of a file


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def replace_by(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to(outside: Path) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        path.symlink_to(outside)

    return damage


def link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def give_to_other_user(path: Path) -> None:
    path.write_bytes(b"\0" * len(CONTENT))
    # only root can change the owner; otherwise this is an own file with zeros
    if os.geteuid() == 0:
        os.chown(path, OTHER_USER, OTHER_USER)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "empty": lambda path: os.truncate(path, 0),
    "truncated": truncate,
    "images": replace_by((ARCHIVES / TEST_IMAGES.archive_name).read_bytes()),
    "a web page": replace_by(b"<html>404 Not Found</html>"),
    "a pipe": replace_by_pipe,
    "a link to nowhere": link_to_nowhere,
    "of another user": give_to_other_user,
}

ROW = Row(number=9, fault="data set missing, damaged, swapped; its cache poisoned", tries=datasets)
