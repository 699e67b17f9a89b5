"""Names of any script in figures: drawn where a font has them, spelt out where none has."""

import io
import warnings

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager

from camerabias.datasets.io.letters import fit_letters


@pytest.fixture(autouse=True)
def _plainly():
    with warnings.catch_warnings(), mpl.rc_context({"text.parse_math": False, "pdf.fonttype": 42}):
        warnings.simplefilter("error")
        yield


def bars(*names):
    """A figure with names below its axis, in its legend and its title."""
    figure = Figure(layout="constrained")
    axis = figure.subplots()
    axis.bar(range(len(names)), 1, label=names[0])
    axis.set_xticks(range(len(names)), names)
    axis.set_title(names[0])
    axis.legend()
    return figure


def drawn(figure, kind="png"):
    stream = io.BytesIO()
    figure.savefig(
        stream, format=kind, metadata={"png": {"Software": None}, "pdf": {"CreationDate": None}}[kind]
    )
    return stream.getvalue()


def shown(figure):
    """Texts as they have been drawn."""
    (axis,) = figure.axes
    return [*(text.get_text() for text in axis.get_xticklabels()), axis.get_title()]


def test_figures_of_usual_letters_stay_as_they_are():
    names = ("Äpfel $x$", "Živa\n(unseen)")
    before, figure = drawn(bars(*names)), bars(*names)
    fit_letters(figure)
    assert drawn(figure) == before


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_letters_of_other_fonts_are_drawn_in_them(kind):
    name = "\U0001d4d0"  # which STIX has, that comes with matplotlib
    figure = bars(name, "b")
    fit_letters(figure)
    assert drawn(figure, kind)
    assert shown(figure) == [name, "b", name]
    assert len(figure.axes[0].title.get_fontfamily()) > 1


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_letters_that_no_font_has_are_spelt_out(kind, monkeypatch):
    monkeypatch.setattr(
        fontManager, "ttflist", [one for one in fontManager.ttflist if "mpl-data" in one.fname]
    )
    figure = bars("日 本\n(unseen)", "\x1b[31mगज", "ok")
    fit_letters(figure)
    assert drawn(figure, kind)
    assert shown(figure) == [
        "\\u65e5 \\u672c\n(unseen)",
        "\\x1b[31m\\u0917\\u091c",
        "ok",
        "\\u65e5 \\u672c\n(unseen)",
    ]


def test_broken_font_is_passed_over(monkeypatch, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    broken = FontEntry(str(tmp_path / "broken.ttf"), name="Aaa", style="normal", weight=400)
    monkeypatch.setattr(fontManager, "ttflist", [broken, *fontManager.ttflist])
    figure = bars("\u2af7\u0b85")
    fit_letters(figure)
    assert drawn(figure)
