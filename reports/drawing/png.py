"""The size of a PNG and the texts inside it: what its picture shows, and what drew it."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# after it and the chunk with the picture's size, which is always the first
FIRST_PLACE = len(SIGNATURE) + 25
# signature, length and name of that chunk, width, height
HEADER_BYTES = 24
DESCRIPTION = "Description"
SOFTWARE = "Software"
# not compressed, in no named language
PLAIN = b"\0\0\0\0\0"


def size(header: bytes) -> tuple[int, ...]:
    """Return width and height in pixels; empty for what is no PNG. `header`: 24 bytes or more."""
    is_png = header.startswith(SIGNATURE) and len(header) >= HEADER_BYTES
    return struct.unpack(">II", header[16:HEADER_BYTES]) if is_png else ()


def described(content: bytes, text: str) -> bytes:
    """Return the PNG with `text` as its description, for readers that find the picture alone."""
    described_by = chunk(b"iTXt", DESCRIPTION.encode() + PLAIN + text.encode())
    return content[:FIRST_PLACE] + described_by + content[FIRST_PLACE:]


def chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def texts(content: bytes) -> dict[str, str]:
    """Map keyword to text, as far as a damaged PNG can be read."""
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
