"""The bytes of a table as text, in whatever encoding a program has saved it."""

from __future__ import annotations

import re
from itertools import islice

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

ENCODINGS = {
    "cp1252": "Windows-1252",
    "gb18030": "GB18030",
    "big5": "Big5",
    "shift_jis": "Shift-JIS",
    "euc_jp": "EUC-JP",
    "euc_kr": "EUC-KR",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1255": "Windows-1255",
}
"""What spreadsheets save in where it is not UTF-8, and its name in a note. More of them would be distinguished worse:
in Central Europe's Windows-1250, most letters are also ones of Windows-1252."""

SAMPLE_LINES = 1000
"""Lines beyond ASCII that tell the encoding."""


def decode_text(content: bytes) -> tuple[str, list[str]]:
    """A table's text, and what was assumed of its encoding, in sentences.

    Raises:
        ValueError: It is no text; says how to save it.
    """
    if content[:4] == b"PK\x03\x04":
        raise ValueError("it is an Excel workbook or a zip archive; save it as CSV (UTF-8)")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding), []
    if b"\0" in content:
        raise ValueError("it holds NUL bytes, so it is no text; save it as CSV (UTF-8)")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError:
        encoding = _likeliest(content)
        text = content.decode(encoding)
        word = next(word for word in re.split(r"[\s,;|]", text) if not word.isascii())
        return text, [
            f"The table is not UTF-8, so it is read as {ENCODINGS[encoding]} ({word[:40]!r}); if names look wrong, "
            "save it as UTF-8."
        ]


def _likeliest(content: bytes) -> str:
    """The encoding in which lines beyond ASCII read most like a language."""
    from charset_normalizer import from_bytes  # only here: it costs half a second

    lines = (line for line in content.splitlines() if not line.isascii())
    best = from_bytes(b"\n".join(islice(lines, SAMPLE_LINES)), cp_isolation=list(ENCODINGS)).best()
    return best.encoding if best else "cp1252"
