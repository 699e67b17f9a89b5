"""The charts of a report's first screen, from the numbers of a verdict."""

import pytest

from camerabias.analysis.report.answer_charts import answer_charts

EVIDENCE = {
    "shortcut_effect.accuracy_bias_aligned": 0.9,
    "shortcut_effect.accuracy_bias_aligned_low": 0.85,
    "shortcut_effect.accuracy_bias_aligned_high": 0.95,
    "shortcut_effect.accuracy_bias_conflicting": 0.2,
    "shortcut_effect.risk_difference": 0.7,
    "shortcut_effect.risk_difference_low": 0.6,
    "shortcut_effect.risk_difference_high": 0.8,
    "shortcut_effect.p": 0.001,
    "shortcut_effect.minimum_detectable": 0.15,
    "identification.accuracy": 0.97,
    "identification.majority_baseline": 0.4,
    "identification.p": 0.001,
}


def test_three_questions_are_answered_in_words_and_numbers():
    accuracies, dependence, identification = answer_charts(EVIDENCE)
    assert [mark.shown for mark in accuracies.marks] == ["0.900 [0.850, 0.950]", "0.200"]
    assert "90%" in accuracies.answer
    assert "20%" in accuracies.answer
    assert "70 points more often" in dependence.answer
    assert dependence.lines == {"none": 0.0, "detectable": 0.15}
    assert dependence.line(0.15) == "15"
    assert [mark.name for mark in accuracies.marks] == ["bias-aligned", "bias-conflicting"]
    assert [(mark.name, mark.shown) for mark in dependence.marks] == [
        ("shortcut effect", "70 points [60, 80]")
    ]
    assert [dependence.tick(value) for value in dependence.ticks] == ["0", "50"]
    assert [accuracies.tick(value) for value in accuracies.ticks] == ["0", "0.5", "1"]
    assert "97%" in identification.answer
    assert identification.lines == {"commonest": 0.4}


@pytest.mark.parametrize(("p", "said"), [(1.0, True), (0.001, False), (None, False)])
def test_a_camera_that_is_recognised_is_no_fault_where_it_does_not_go_with_the_label(p, said):
    *_, identification = answer_charts(EVIDENCE | {"association.p": p})
    assert ("This alone is no fault" in identification.answer) == said


def test_places_are_on_the_axis_in_proportion():
    accuracies, dependence, _ = answer_charts(EVIDENCE)
    assert [accuracies.place(value) for value in (0, 0.25, 1)] == [0, 25, 100]
    assert dependence.start < 0 < dependence.end
    between = [dependence.place(value) for value in (dependence.start, 0.0, 0.15, 0.7, dependence.end)]
    assert between == sorted(between)
    assert between[0] == 0
    assert between[-1] == 100


@pytest.mark.parametrize("difference", [-0.02, 0.02])
def test_what_was_not_shown_is_not_claimed(difference):
    evidence = EVIDENCE | {
        "shortcut_effect.p": 0.4,
        "shortcut_effect.risk_difference": difference,
        "identification.p": 0.3,
    }
    _, dependence, identification = answer_charts(evidence)
    assert dependence.answer.startswith("No shortcut effect was shown")
    assert "15 would have been found" in dependence.answer
    assert identification.answer.startswith("It was not shown to")


def test_numbers_that_are_not_known_are_not_drawn():
    assert answer_charts({}) == []
    (only,) = answer_charts({"shortcut_effect.risk_difference": 0.1, "identification.accuracy": None})
    assert only.marks[0].low is None
