"""The size of a PNG, and the texts in it: a description, and the software that drew it."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# after the signature and the chunk with the picture's size, which is always the first
FIRST_PLACE = len(SIGNATURE) + 25
# of the signature, the length and the name of that chunk, width and height
HEADER_BYTES = 24
DESCRIPTION = "Description"
SOFTWARE = "Software"
# the fields of an iTXt chunk before its text: not compressed, no language
PLAIN = b"\0\0\0\0\0"


def size(header: bytes) -> tuple[int, ...]:
    """Return width and height in pixels, from at least 24 bytes; empty if it is no PNG."""
    is_png = header.startswith(SIGNATURE) and len(header) >= HEADER_BYTES
    return struct.unpack(">II", header[16:HEADER_BYTES]) if is_png else ()


def add_description(content: bytes, text: str) -> bytes:
    """Add a description to a PNG, for readers who have the picture without its report."""
    description = chunk(b"iTXt", DESCRIPTION.encode() + PLAIN + text.encode())
    return content[:FIRST_PLACE] + description + content[FIRST_PLACE:]


def chunk(kind: bytes, data: bytes) -> bytes:
    content = kind + data
    return struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))


def texts(content: bytes) -> dict[str, str]:
    """Return the texts in a PNG by keyword, as far as a damaged PNG can be read."""
    by_keyword = {}
    for kind, data in chunks(content):
        if kind in (b"tEXt", b"iTXt"):
            parts = [part.decode(errors="replace") for part in data.split(b"\0")]
            by_keyword[parts[0]] = parts[-1]
    return by_keyword


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = len(SIGNATURE)
    while offset + 8 <= len(content):
        length = int.from_bytes(content[offset : offset + 4])
        yield content[offset + 4 : offset + 8], content[offset + 8 : offset + 8 + length]
        offset += length + 12
