"""Names of any script in figures: in fonts of this machine that have their letters, or else spelt out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from camerabias.datasets.io.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # late: it costs every command half a second

_WITHOUT_SHAPES = ("Adobe Blank", "Last Resort", "LastResort")
"""How fonts are called that claim every letter, and draw none."""


def fit_letters(figure: Figure) -> None:
    r"""Let every text of a figure be one that can be drawn; a letter that no font has becomes `\u65e5`.

    To be called when the figure is complete. One whose letters the usual font has is left as it is.
    """
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_ticklabels()  # made now, and found below
    texts = figure.findobj(Text)
    lacking = _lacking(frozenset("".join(text.get_text() for text in texts)))
    if not lacking:
        return
    families, without = _fonts_for(lacking)
    for text in texts:
        text.set_fontfamily([*text.get_fontfamily(), *families])
        text.set_text(_spelt(text.get_text(), without))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _respell(axis.get_major_formatter(), without)


def _respell(formatter: Any, without: frozenset[str]) -> None:
    """Names below an axis come from its formatter again whenever it is drawn."""
    write: Callable[..., str] | None = getattr(formatter, "func", None)
    if write is not None:
        formatter.func = lambda *where: _spelt(write(*where), without)


def _spelt(text: str, without: Iterable[str]) -> str:
    for letter in without:
        text = text.replace(letter, letter.encode("unicode_escape").decode())
    return text


def _lacking(letters: frozenset[str]) -> frozenset[str]:
    """Letters that the usual font lacks, or that are none."""
    from matplotlib.font_manager import FontProperties, findfont

    usual = findfont(FontProperties())
    return frozenset(one for one in letters - {"\n"} if printable(one) != one or not _has(usual, one))


@cache
def _fonts_for(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Families that have the letters, the one with most of them first; and the letters that none has."""
    from matplotlib.font_manager import fontManager

    files = {
        font.name: font.fname
        for font in sorted(fontManager.ttflist, key=lambda font: font.fname)
        if font.style == "normal" and str(font.weight) in ("400", "normal", "regular")
        if not font.name.startswith(_WITHOUT_SHAPES)
    }
    left, families = {one for one in letters if printable(one) == one}, []
    while left and files:
        found = {name: {one for one in left if _has(file, one)} for name, file in files.items()}
        best = max(found, key=lambda name: len(found[name]))
        if not found[best]:
            break
        families.append(best)
        left -= found[best]
    return tuple(families), frozenset(left | {one for one in letters if printable(one) != one})


def _has(file: str, letter: str) -> bool:
    from matplotlib.font_manager import get_font

    try:
        font = get_font(file)
    except (OSError, RuntimeError):  # a broken file is no font
        return False
    return bool(font.scalable and font.get_char_index(ord(letter)))
