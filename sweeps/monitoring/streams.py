"""Standard output and error as a shell gives them: of any encoding, full, or closed."""

from __future__ import annotations

import codecs
import io
import logging
import os
import sys
from typing import TextIO

from camerabias.datasets.io.printable import printable

_IN_ASCII = {
    "•": "*",
    "×": "x",
    "–": "-",
    "—": "-",
    "−": "-",
    "→": "->",
    "…": "...",
    "²": "2",
    "≥": ">=",
    "≤": "<=",
}
"""Signs of our own sentences, for terminals that have no others."""


def prepare_streams() -> None:
    r"""Let whatever is printed be printed: a letter that the encoding lacks becomes `\u65e5`, or a sign like it."""
    codecs.register_error("camerabias", _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it is closed
            stream.reconfigure(errors="camerabias")
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Printable())
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a home that cannot be written


def tell(sentence: str) -> None:
    """Print a sentence, or one a line, on standard error, if there is one."""
    try:
        print("\n".join(map(printable, sentence.split("\n"))), file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def output_error() -> OSError | None:
    """What is wrong with standard output, if anything is; it is silenced then, so that nothing else fails on it."""
    try:
        print(flush=True)
    except OSError as error:
        _silence(sys.stdout)
        return error
    return None


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(letter) or _escaped(letter) for letter in letters), error.end


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _silence(stream: TextIO) -> None:
    """Write nowhere from now on, and not at the interpreter's end either."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))
