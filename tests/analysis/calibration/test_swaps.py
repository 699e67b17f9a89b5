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
    table, _ = summarise_swaps(lines)
    rows = table.frame.set_index("cue")
    assert [*rows.index] == ["noise", "blur", "all"]
    assert rows.loc["noise", ["worlds", "photos"]].tolist() == ["2", "80"]
    assert rows.loc["noise", ["simulated", "moved", "mean error", "largest error"]].tolist() == [
        "0.400", "0.450", "0.150", "0.200"
    ]  # fmt: skip
    assert rows.loc["noise", "predicted alike"] == "0.625"
    assert rows.loc["all", "mean error"] == "0.100"


def test_of_two_cues_the_one_that_moves_more_is_counted_apart_where_that_is_clear():
    clear = [
        line(1, "noise", 0.5, 0.6),
        line(1, "blur", 0.2, 0.1),
        line(2, "noise", 0.1, 0.3),
        line(2, "jpeg", 0.2, 0.1),
    ]
    unclear = [line(3, "noise", 0.1, 0.14), line(3, "blur", 0.3, 0.1)]
    alone = [line(4, "noise", 0.9, 0.1)]
    _, table = summarise_swaps([*clear, *unclear, *alone])
    shown = table.frame.set_index("simulated swaps")["worlds"]
    assert shown["differ by 0.1 or more"].startswith("1 of 2, 0.500")
    assert shown["differ by less"].startswith("0 of 1, 0.000")


def test_no_lines_make_no_table():
    assert summarise_swaps([]) == []
