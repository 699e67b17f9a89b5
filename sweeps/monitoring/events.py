"""Event files of TensorBoard, written here: who writes them for others (tensorboardX) imports torch for a second.

A file is a row of records: eight bytes of length, their checksum, an `Event` of protocol buffers, its checksum
(TFRecord, of `tensorflow/core/lib/io/record_writer.h`; the message is `tensorflow/core/util/event.proto`).
"""

from __future__ import annotations

import platform
import struct
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

_VARINT, _EIGHT_BYTES, _MESSAGE, _FOUR_BYTES = 0, 1, 2, 5
"""Kinds of fields on the wire."""

_SESSION_STARTS = b"\x08\x01"
"""`SessionLog` with the status START: what another file says of its step and later ones is dropped."""


class EventFile:
    """One event file, open for writing; each write is there at once for whoever reads it.

    Args:
        folder: Where it goes; made if it is not there.
        first_step: From this step on, earlier files of the folder are dropped by TensorBoard.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        # of two files of one second the suffix tells, and TensorBoard reads files in the order of their names
        name = f"events.out.tfevents.{int(time.time()):010}.{platform.node()}.{uuid.uuid4().hex[:8]}"
        self._stream = (folder / name).open("xb")
        self._write(0, _field(3, _MESSAGE, b"brain.Event:2"))
        self._write(first_step, _field(7, _MESSAGE, _SESSION_STARTS))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers by their names, all of one step."""
        named = [
            _field(
                1,
                _MESSAGE,
                _field(1, _MESSAGE, name.encode()) + _field(2, _FOUR_BYTES, struct.pack("<f", value)),
            )
            for name, value in values.items()
        ]
        self._write(step, _field(5, _MESSAGE, b"".join(named)))

    def close(self) -> None:
        """No more will be written."""
        self._stream.close()

    def _write(self, step: int, what: bytes) -> None:
        clock = _field(1, _EIGHT_BYTES, struct.pack("<d", time.time()))
        event = clock + _field(2, _VARINT, _varint(step)) + what
        length = struct.pack("<Q", len(event))
        self._stream.write(length + _checksum(length) + event + _checksum(event))
        self._stream.flush()


def _field(number: int, kind: int, content: bytes) -> bytes:
    length = _varint(len(content)) if kind == _MESSAGE else b""
    return bytes([number << 3 | kind]) + length + content


def _varint(value: int) -> bytes:
    """A number of 0 or more, seven bits to a byte, the lowest first."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _table() -> list[int]:
    """CRC-32C of every byte."""
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return rows


_CRC = _table()


def _checksum(content: bytes) -> bytes:
    """CRC-32C (Castagnoli), turned and moved as TFRecord has it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
