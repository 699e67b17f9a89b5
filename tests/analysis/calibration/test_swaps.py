"""The table of swapped cues, of lines whose errors are known."""

from camerabias.analysis.calibration.swaps import SwapLine, summarise_swaps


def line(world, cue, swapped, exact, alike=1.0, photos=20):
    return SwapLine(
        world=world, cue=cue, planted={cue: 1.0}, size=64, photos=photos, swapped=swapped, exact=exact, alike=alike,
        seconds=1.0, version="1",
    )  # fmt: skip


def test_errors_are_absolute_and_means_are_over_worlds():
    lines = [
        line(1, "noise", 0.5, 0.6),
        line(2, "noise", 0.4, 0.2, alike=0.5, photos=60),
        line(1, "blur", 0.1, 0.1),
    ]
    (table,) = summarise_swaps(lines)
    rows = table.frame.set_index("cue")
    assert [*rows.index] == ["noise", "blur", "all"]
    assert rows.loc["noise", ["worlds", "photos"]].tolist() == ["2", "80"]
    assert rows.loc["noise", ["simulated", "moved", "mean error", "largest error"]].tolist() == [
        "0.400", "0.450", "0.150", "0.200"
    ]  # fmt: skip
    assert rows.loc["noise", "predicted alike"] == "0.625"
    assert rows.loc["all", "mean error"] == "0.100"


def test_no_lines_make_no_table():
    assert summarise_swaps([]) == []
