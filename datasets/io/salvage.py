"""Files whose pixels are whole, and what stands beside them is not: the same pixels without it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PNG_KEPT = {b"tRNS", b"eXIf"}
"""Of what a PNG need not have: transparency, and EXIF, which Pillow reads when it is asked to."""

_TIFF_METADATA = {
    270, 271, 272, 282, 283, 285, 296, 305, 306, 315, 316, 330, 700, 33432, 33723, 34377, 34665, 34675, 34853, 36867,
    37510, 37724, 40965, 50341,
}  # fmt: skip
"""Tags of a TIFF that say nothing of its pixels: texts, resolutions, XMP, profiles, and where EXIF and GPS lie."""

_UNKNOWN_TAG = 65535


def without_metadata(content: bytes) -> bytes | None:
    """A PNG, JPEG or TIFF without texts, profiles and the like; None of other formats, or where it cannot be done.

    Pillow gives up such a file where its metadata are damaged, and other programs show it.
    """
    if content.startswith(PNG_SIGNATURE):
        return PNG_SIGNATURE + b"".join(_needed_chunks(content))
    if content.startswith(b"\xff\xd8"):
        return content[:2] + b"".join(_needed_segments(content))
    if content[:4] in (b"II*\0", b"MM\0*"):
        return _tiff_without_metadata(content)
    return None


def _needed_chunks(content: bytes) -> Iterator[bytes]:
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 12 + length
        whole = zlib.crc32(content[at + 4 : end - 4]).to_bytes(4, "big") == content[end - 4 : end]
        if kind[:1].isupper() or (kind in _PNG_KEPT and whole):
            yield content[at:end]
        at = end


def _needed_segments(content: bytes) -> Iterator[bytes]:
    """Segments of a JPEG: EXIF, Adobe's word on colours, and what is no segment of an application."""
    at = 2
    while content[at : at + 1] == b"\xff" and (kind := content[at + 1 : at + 2]) != b"\xda":
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        adobe = kind == b"\xee" and content[at + 4 : at + 9] == b"Adobe" and end - at >= 16
        if not b"\xe0" <= kind <= b"\xef" or kind == b"\xe1" or adobe:
            yield content[at:end]
        at = end
    yield content[at:]


def _tiff_without_metadata(content: bytes) -> bytes | None:
    order = "<" if content[:2] == b"II" else ">"
    changed = bytearray(content)
    try:
        (start,) = struct.unpack_from(f"{order}I", content, 4)
        (n,) = struct.unpack_from(f"{order}H", content, start)
        for at in range(start + 2, start + 2 + 12 * n, 12):
            (tag,) = struct.unpack_from(f"{order}H", content, at)
            if tag in _TIFF_METADATA:
                struct.pack_into(f"{order}HHI", changed, at, _UNKNOWN_TAG, 1, 1)  # a byte, which lies here
    except struct.error:
        return None
    return bytes(changed)
