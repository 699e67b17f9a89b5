"""Names and counts as sentences hold them."""

from __future__ import annotations

from collections.abc import Sequence

MAX_NAMED = 3
"""Cells, labels, cameras or pictures that a sentence names; two more are named rather than counted."""


def name_some(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    many = len(names) > MAX_NAMED + 2
    shown = [*names[:MAX_NAMED], f"{len(names) - MAX_NAMED} more"] if many else [*names]
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)


def count_of(n: int, one: str, many: str) -> str:
    """A count with its noun: `1 photo`, `3 photos`."""
    return f"{n} {one if n == 1 else many}"
