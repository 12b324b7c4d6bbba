"""The texts inside a PNG: what its picture shows, and what drew it."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# after it and the chunk with the picture's size, which is always the first
FIRST_PLACE = len(SIGNATURE) + 25
DESCRIPTION = "Description"
SOFTWARE = "Software"
# not compressed, in no named language
PLAIN = b"\0\0\0\0\0"


def described(content: bytes, text: str) -> bytes:
    """The PNG with `text` as its description, for readers that find the picture alone."""
    described_by = chunk(b"iTXt", DESCRIPTION.encode() + PLAIN + text.encode())
    return content[:FIRST_PLACE] + described_by + content[FIRST_PLACE:]


def chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def texts(content: bytes) -> dict[str, str]:
    """Keyword to text; as far as they can be read in a PNG that is damaged."""
    found = {}
    for kind, data in chunks(content):
        if kind in (b"tEXt", b"iTXt"):
            parts = [part.decode(errors="replace") for part in data.split(b"\0")]
            found[parts[0]] = parts[-1]
    return found


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at + 8 <= len(content):
        length = int.from_bytes(content[at : at + 4])
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += length + 12
