import re

import pytest

from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.findings import find

OUTCOMES = [
    (0.99, "higher than chance (0.200)"),
    (0.2, "not distinguishable from chance (0.200)"),
    (0.02, "lower than"),
]


def sentences(run):
    return {f.question: f.sentences for f in find(load_records(run.folder.path))}


@pytest.mark.parametrize(("accuracy", "expected"), OUTCOMES)
def test_recognition_follows_the_numbers(make, tmp_path, accuracy, expected):
    run = make.run(tmp_path, {"s": [make.cell("camera", "balanced", make.right("camera", accuracy))]})
    (sentence,) = sentences(run)["Are cameras recognised?"]
    assert sentence.startswith(f"Trained on balanced, camera accuracy is {expected}")
    assert f"test_resnet {accuracy:.3f} [" in sentence
    assert "(4 seeds)" in sentence


def test_models_with_the_same_answer_share_a_sentence(make, tmp_path):
    accuracies = {"a": 0.9, "b": 0.2, "c": 0.8}
    cells = [
        make.cell("camera", "balanced", make.right("camera", value), model)
        for model, value in accuracies.items()
    ]
    higher, unclear = sentences(make.run(tmp_path, {"s": cells}))["Are cameras recognised?"]
    assert "higher" in higher
    assert ": a 0.900 [" in higher
    assert "; c 0.800 [" in higher
    assert ": b 0.200 [" in unclear


def test_too_few_groups_cannot_tell(make, tmp_path):
    cell = make.cell("camera", "balanced", make.right("camera", 0.95))
    (sentence,) = sentences(make.run(tmp_path, {"s": [cell]}, bottles_per_label=4))["Are cameras recognised?"]
    assert "is not comparable (too few groups) with chance" in sentence
    assert "8 groups: too few" in sentence


def test_a_failed_cell_is_unknown(make, tmp_path):
    cell = make.cell("label", "balanced", make.right("label", 0.9), broken=dict.fromkeys(range(4), "failed"))
    (sentence,) = sentences(make.run(tmp_path, {"s": [cell]}))["Is the label recognised?"]
    assert "is unknown: test_resnet failed (4 of 4 seeds)" in sentence


def test_a_cheating_model_follows_the_camera(demo_run):
    found = sentences(demo_run)
    (short,) = found["In short"]
    assert short.startswith(
        "Label accuracy where the camera goes with the label, and where it does not, after "
    )
    balanced, disjoint = short.split(", then ")
    assert all(0.93 < float(found) < 0.99 for found in re.findall(r"(0\.\d+) \[", balanced))
    assert re.fullmatch(r"1\.000 \[.*\] \(?.*and 0\.000 \[.*\]\.", disjoint)
    ties, tied = found["Do predictions depend on the camera?"]
    assert ties.startswith("Trained on disjoint, labels are tied to cameras: Manufacturer 1 to iPhone, ")
    expected = (
        "is higher than that expected if predictions were independent of the camera: "
        "test_resnet 1.000 [0.832, "
    )
    assert expected in tied
    assert "(2 seeds), difference 0.500 [" in tied
    costs = found["What does the setting change?"]
    assert any(
        "disjoint minus balanced training, on the same photos, is lower than 0: test_resnet -0.4" in s
        for s in costs
    )
    partial, disjoint = found["Does it work on unseen cameras?"]
    assert (
        "(Huawei, Redmi, Vivo) is higher than chance (0.500) and not distinguishable from that on seen cameras"
        in partial
    )
    assert "(Vivo) is not distinguishable from chance (0.500)" in disjoint


def test_an_honest_model_does_not(make, tmp_path):
    cells = [make.cell("label", setting, make.right("label", 0.97)) for setting in ("balanced", "disjoint")]
    found = sentences(make.run(tmp_path, {"s": cells}))
    _, tied = found["Do predictions depend on the camera?"]
    assert "is not distinguishable from that expected if predictions were independent of the camera" in tied
    (cost,) = found["What does the setting change?"]
    assert "is not distinguishable from 0: test_resnet 0.000 [" in cost


@pytest.mark.parametrize(
    ("camera", "label", "expected"),
    [(50, 150, "the camera is learned first"), (150, 50, "the label is learned first")],
)
def test_what_is_learned_first_follows_the_curves(make, tmp_path, camera, label, expected):
    cells = [
        make.cell("camera", "balanced", make.right("camera", 0.9), learned_at=camera),
        make.cell("label", "balanced", make.right("label", 0.9), learned_at=label),
    ]
    run = make.run(tmp_path, {"s": cells}, seeds=range(8), bottles_per_label=1)
    sentence, steps = sentences(run)["Is the camera learned before the label?"]
    assert re.fullmatch(r"On balanced photos, median time .*: camera \d+ steps, label \d+ steps\.", steps)
    assert sentence.startswith(f"On balanced photos, {expected}: of 8 pairs")


def test_four_pairs_are_too_few_to_tell_what_is_first(demo_run):
    sentence, _ = sentences(demo_run)["Is the camera learned before the label?"]
    assert "cannot tell" in sentence
    assert "the camera was in 4 and the label in 0" in sentence


def test_never_learned_is_said(make, tmp_path):
    cells = [make.cell(t, "balanced", make.right(t, 0.9), learned_at=900) for t in ("camera", "label")]
    sentence, steps = sentences(make.run(tmp_path, {"s": cells}))["Is the camera learned before the label?"]
    assert "cannot tell" in sentence
    assert sentence.endswith("the camera was in 0 and the label in 0.")
    assert steps.count("not in training") == 2


def test_where_perturbations_and_attributions_lie(paper_run):
    found = sentences(paper_run)
    balanced, unlike, disjoint, alike = found["What flips a prediction?"]
    assert balanced.startswith("Trained on balanced, energy of perturbations")
    assert "test_resnet code 1.000 [" in balanced
    assert "(× 6.67)" in balanced  # a code on 240 of 1600 pixels
    assert "code 0.00" in disjoint
    assert unlike.startswith("Trained on balanced, the mean correlation")
    assert "is not distinguishable from 0" in unlike
    assert "is higher than 0: test_resnet 0.9" in alike
    (attributions, _) = found["Where do predictions look?"]
    assert "code 1.000 [" in attributions


def test_photos_of_unknown_regions_have_no_places(make, tmp_path):
    def anybodys(images, generator):
        arrays = make.perturbed("on code")(images, generator)
        del arrays["regions"]
        return arrays

    cell = make.cell("label", "balanced", make.right("label", 0.9), probes={"perturbations": anybodys})
    found = sentences(make.run(tmp_path, {"s": [cell]}))
    (alike,) = found["What flips a prediction?"]
    assert "the mean correlation of perturbations" in alike
