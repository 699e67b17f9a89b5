"""How numbers are printed, everywhere.

Shares, and their differences, have three decimals, so that they line up in a column; other numbers have three
significant digits. A 95 % interval stands in brackets, and what is not known is a dash, never a zero.
"""

from __future__ import annotations

import re
from math import floor, isnan, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from camerabias.analysis.statistics.bootstrap import Estimate  # late: it costs every command a second

MISSING = "–"
"""A number that is not known."""

_DIGITS = 3
_SMALLEST = 1e-4
"""What is smaller is written with an exponent: in full it would be zeros."""

_SMALLEST_P = 0.001

_WELL_KNOWN = 0.03
"""Of an interval: its width, three points."""


def without_nan(number: float) -> float | None:
    """A number as JSON takes it: None where it is not known."""
    return None if isnan(number) else float(number)


def show_share(share: float | None) -> str:
    """A share, from 0 to 1, or a difference or correlation, from -1 to 1: `0.974`, `-0.031`."""
    return MISSING if share is None or isnan(share) else f"{share:z.{_DIGITS}f}"


def show_estimate(estimate: Estimate) -> str:
    """A share with its 95 % interval: `0.974 [0.961, 0.985]`; without brackets where there is no interval."""
    return show_interval(estimate.mean, estimate.low, estimate.high)


def show_interval(mean: float, low: float, high: float) -> str:
    """As `show_estimate`, of three numbers."""
    return show_share(mean) if isnan(low) else f"{show_share(mean)} [{show_share(low)}, {show_share(high)}]"


def show_number(number: float | None) -> str:
    """Three significant digits, of losses, factors and other numbers without bounds: `0.0312`, `12.3`, `1520`."""
    if number is None or isnan(number):
        return MISSING
    if 0 < abs(number) < _SMALLEST:
        return f"{number:.{_DIGITS - 1}e}"
    decimals = 0 if number == 0 else _DIGITS - 1 - floor(log10(abs(number)))
    return f"{number:.{max(0, decimals)}f}"


def show_points(difference: float, decimals: int = 0) -> str:
    """A difference of shares in percentage points: `31`."""
    return f"{100 * difference:z.{decimals}f}"


def show_with_points(difference: float, decimals: int = 0) -> str:
    """The same with its unit, for a sentence: `31 points`, `1 point`."""
    number = show_points(difference, decimals)
    return f"{number} point{'' if number in ('1', '-1') else 's'}"


def points_decimals(difference: Estimate) -> int:
    """Decimals of a difference in points: none, or one where it is known so well that whole points would hide it."""
    return int(difference.high - difference.low < _WELL_KNOWN)


def show_points_ci(difference: Estimate) -> str:
    """The 95 % interval of a difference, in points: `95 % CI [22, 40]`, `[0.9, 1.4]`; nothing where there is none."""
    if isnan(difference.low):
        return ""
    decimals = points_decimals(difference)
    return f"95 % CI [{show_points(difference.low, decimals)}, {show_points(difference.high, decimals)}]"


def show_p(p: float) -> str:
    """`p = 0.031`, or `p < 0.001`; nothing is claimed of NaN."""
    if isnan(p):
        return "p not known"
    return f"p {'' if p < _SMALLEST_P else '= '}{show_p_value(p)}"


def show_p_value(p: float) -> str:
    """A p-value in a column: `0.031`, or `< 0.001`."""
    return f"< {_SMALLEST_P}" if p < _SMALLEST_P else show_share(p)


_TOGETHER = re.compile(
    r"(?:p )?[<=] \d[\d.]*|(?:95 % CI|\d[\d.]*) \[[^\]]*\]|\d[\d.]* (?:points?\b|%)|\w+ × \w+"
)


def unbroken(text: str) -> str:
    """A text in which no line breaks within `p < 0.001`, `0.974 [0.961, 0.985]` or `31 points`."""
    return _TOGETHER.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
