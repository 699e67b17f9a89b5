"""Names as they may be shown: what photos, tables and files call themselves is text, never an order to a terminal."""

from __future__ import annotations

import os
import re
import shlex

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0, DEL and C1, line separators, what turns the direction of writing, and bytes that are no text."""


def printable(text: str) -> str:
    r"""`text` in one line that no terminal obeys: an escape character becomes `\x1b`, a new line `\n`."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def typed(location: str) -> str:
    """A path or address as a word of a command line, as short as it can be typed in the working directory."""
    below = os.path.relpath(location) if os.path.isabs(location) else location
    return shlex.quote(location if below.startswith(os.curdir) else below)
