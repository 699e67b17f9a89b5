from math import nan

import pytest

from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.statistics.number_format import (
    show_estimate,
    show_number,
    show_p,
    show_p_value,
    show_points,
    show_points_ci,
    show_share,
    show_with_points,
)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.97371, "0.974"),
        (1.0, "1.000"),
        (0.0312, "0.031"),
        (-0.2, "-0.200"),
        (-0.0001, "0.000"),
        (0, "0.000"),
    ],
)
def test_shares_have_three_decimals(share, shown):
    assert show_share(share) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0.30624, "0.306"), (12.345, "12.3"), (1520.4, "1520"), (0.03124, "0.0312"), (0.000312, "0.000312"), (2, "2.00"),
     (0.00000312, "3.12e-06"), (0, "0"), (-12.34, "-12.3")],
)  # fmt: skip
def test_other_numbers_have_three_significant_digits(number, shown):
    assert show_number(number) == shown


def test_intervals_stand_in_brackets():
    assert show_estimate(Estimate(0.9134, 0.8801, 0.9444, 4, 60)) == "0.913 [0.880, 0.944]"
    assert show_estimate(Estimate(0.9134, nan, nan, 4, 6)) == "0.913"
    assert show_points_ci(Estimate(0.3, 0.221, 0.398, 4, 60)) == "95 % CI [22, 40]"
    assert show_points_ci(Estimate(0.3, nan, nan, 4, 6)) == ""
    assert show_points_ci(Estimate(0.012, 0.0094, 0.0136, 1, 10**6)) == "95 % CI [0.9, 1.4]"


@pytest.mark.parametrize(
    ("difference", "decimals", "shown"),
    [
        (0.306, 0, "31 points"),
        (0.0119, 0, "1 point"),
        (-0.0119, 0, "-1 point"),
        (0.001, 0, "0 points"),
        (0.0101, 1, "1.0 points"),
        (0.11, 0, "11 points"),
    ],
)
def test_one_point_is_no_points(difference, decimals, shown):
    assert show_with_points(difference, decimals) == shown


def test_p_below_a_thousandth_is_given_as_that():
    assert [show_p(p) for p in (0.0312, 0.001, 0.0002, 1)] == [
        "p = 0.031",
        "p = 0.001",
        "p < 0.001",
        "p = 1.000",
    ]
    assert [show_p_value(p) for p in (0.0312, 0.0002)] == ["0.031", "< 0.001"]


def test_what_is_not_known_is_a_dash_or_words_and_never_zero():
    assert {show_share(nan), show_share(None), show_number(nan), show_number(None), show_p_value(nan)} == {
        "–"
    }
    assert show_estimate(Estimate(nan, nan, nan, 0, 0)) == "–"
    assert show_p(nan) == "p not known"


def test_points_are_whole():
    assert [show_points(difference) for difference in (0.314, -0.001, -0.314)] == ["31", "0", "-31"]
