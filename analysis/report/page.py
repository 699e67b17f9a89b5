"""Pages that need nothing else: templates, filled in."""

from __future__ import annotations

import base64
import re
import struct

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from camerabias.analysis.statistics.number_format import unbroken
from camerabias.datasets.io.printable import printable

PAGE_FILE = "index.html"

_SCALE = 0.6
"""Pixels of a page for one of a figure: figures have 200 dots per inch, a page 96, and figures' letters are small."""


def template(name: str) -> Template:
    """A template of `templates/`, by the name of its file."""
    environment = Environment(
        loader=PackageLoader("camerabias.analysis.report"),
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,  # not what is HTML already
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    environment.filters["size"] = _shown_size
    environment.filters["code"] = _with_code
    environment.filters["cell"] = _with_breaks
    return environment.get_template(name)


def _shown_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels of a page at which a figure's letters are as large as those of the page.

    They stand in the PNG's first chunk (https://www.w3.org/TR/png/#11IHDR).
    """
    width, height = struct.unpack(">II", png[16:24])
    return round(width * _SCALE), round(height * _SCALE)


def _with_breaks(text: str) -> str:
    """A cell whose lines end before a bracket and nowhere within one, so that a wide table becomes narrower."""
    return unbroken(text).replace("\N{NO-BREAK SPACE}[", " [")


def _with_code(sentence: str) -> Markup:
    """A sentence as HTML, in which what stands between backticks is set as code."""
    escaped = str(escape(unbroken(printable(sentence))))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))  # noqa: S704 - escaped above
