"""The right word for one that is slightly wrong."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near_names(given: str | Iterable[object], names: Iterable[str]) -> str:
    """Which names may have been meant: ` (did you mean 'table2'?)`, or nothing where none is near.

    Args:
        given: A name, or several, that are not known.
        names: Those that are.
    """
    asked = [given] if isinstance(given, str) else [*map(str, given)]
    known = {name.casefold(): name for name in names}
    near = [found for one in asked for found in get_close_matches(one.casefold(), known, n=1)]
    meant = ", ".join(repr(known[found]) for found in dict.fromkeys(near))
    return f" (did you mean {meant}?)" if meant else ""


def allowed_names(given: str | Iterable[object], names: Iterable[str]) -> str:
    """How a sentence on names that are not known ends: `near_names`, then `; allowed: a, b`."""
    known = [*names]
    return f"{near_names(given, known)}; allowed: {', '.join(known) or 'none'}"
