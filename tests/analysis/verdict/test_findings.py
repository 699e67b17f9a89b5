"""Verdicts, in their order, from predictions whose story is known."""

import json
import re
from dataclasses import replace
from functools import cache
from math import isnan, nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.cues.moved_cues import MovedCue
from camerabias.analysis.cues.naming import CueNaming
from camerabias.analysis.design.answers import QUESTIONS
from camerabias.analysis.design.check import check_design
from camerabias.analysis.effects.by_view import CAMERA_COLUMNS, LABEL_COLUMNS
from camerabias.analysis.effects.shortcut_effect import identification, minimum_detectable, shortcut_effect
from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.report import make_report
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.verdict.decide import Verdict, decide, investigate
from camerabias.analysis.verdict.evidence.association import ASSOCIATION
from camerabias.analysis.verdict.evidence.base import TESTS, Findings
from camerabias.analysis.verdict.evidence.cues import CUES_TEST
from camerabias.analysis.verdict.evidence.identification import IDENTIFICATION
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT, EffectFound
from camerabias.analysis.verdict.evidence.task import TASK, Task
from camerabias.analysis.verdict.outcome import OUTCOMES
from camerabias.datasets.schema import FACTS_FILE

ROOT = Path(__file__).parents[3]
OWN = {"A": "one", "B": "two"}


def facts(counts):
    """Facts of photos, each a group of its own: {(label, camera): number}."""
    rows = [cell for cell, n in counts.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["label", "camera"])
    n = len(frame)
    return frame.assign(
        image_id=[f"i{k}" for k in range(n)], group=[f"g{k}" for k in range(n)], fold=np.arange(n) % 10, split=None,
        width=64, height=64, format="PNG", tables=None, exif=None, factor=1.0,
        hash=np.random.default_rng(0).integers(0, 2**63, n).astype(np.uint64),
    )  # fmt: skip


def told(images, target, right, generator):
    """Predictions that are right on a share of the photos."""
    truth = images[target]
    others = truth.map({"A": "B", "B": "A", "one": "two", "two": "one"})
    return images.assign(
        draw=0, truth=truth, prediction=truth.where(generator.random(len(images)) < right, others)
    )


@cache
def findings_of(against=24, cameras_right=0.95, labels_right=0.9, follow=0.0, trained=True):
    """Findings of an audit of 120 photos per label; not to be changed."""
    generator = np.random.default_rng(1)
    counts = {
        ("one", "A"): 120 - against,
        ("one", "B"): against,
        ("two", "B"): 120 - against,
        ("two", "A"): against,
    }
    images = facts(counts)
    design = check_design(images)
    labels = told(images, "label", labels_right, generator)
    following = generator.random(len(images)) < follow
    labels["prediction"] = images["camera"].map(OWN).where(following, labels["prediction"])
    effect = shortcut_effect([labels], design.associated_labels)
    detectable = minimum_detectable([labels], design.associated_labels) if against else nan
    return Findings(
        model="net",
        design=design,
        cameras=pd.DataFrame(columns=list(CAMERA_COLUMNS)),
        labels=pd.DataFrame(columns=list(LABEL_COLUMNS)),
        effects={"net": effect} if trained else {},
        results={
            ASSOCIATION.name: design,
            IDENTIFICATION.name: identification([told(images, "camera", cameras_right, generator)]),
            SHORTCUT_EFFECT.name: EffectFound(effect, detectable, accuracy([labels]), 0.8)
            if trained
            else None,
            CUES_TEST.name: CueNaming({"white balance": 0.97, "noise": 0.2}, 0.99, 0.5),
            TASK.name: Task(accuracy([labels]), 0.5) if trained else None,
        },
    )


@pytest.mark.parametrize(
    ("story", "outcome"),
    [
        ({"follow": 0.7}, "cheating"),
        ({"follow": 0.7, "cameras_right": 0.5}, "cheating"),
        ({"against": 0}, "cannot tell"),
        ({"against": 3}, "cannot tell"),
        ({"trained": False}, "cannot tell"),
        ({}, "at risk"),
        ({"cameras_right": 0.5}, "no evidence"),
        ({"against": 60}, "no evidence"),
        ({"against": 8, "cameras_right": 0.5}, "cannot tell"),
        ({"labels_right": 0.5, "cameras_right": 0.5}, "cannot tell"),
        ({"labels_right": 0.5, "follow": 0.7}, "cheating"),
    ],
    ids=str,
)
def test_first_verdict_that_applies(story, outcome):
    verdict = decide(findings_of(**story))
    assert verdict.verdict == outcome
    assert verdict.reasons
    assert verdict.next_steps


def test_use_that_is_shown_by_few_photos_is_still_cheating():
    """In this order: what is shown needs no number of photos."""
    findings = findings_of(against=8, follow=1.0)
    assert findings.of(SHORTCUT_EFFECT).effect.n_conflicting == 16
    assert decide(findings).verdict == "cheating"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.002, 0.083, "but little: fewer than one photo in ten"),
        (0.02, 0.12, "in part: fewer than one photo in eight gets"),
        (0.2, 0.49, "in part: fewer than one photo in two gets"),
        (0.58, 0.86, "test accuracy does not say"),
        (None, None, "test accuracy does not say"),
    ],
)
def test_how_far_the_camera_is_used_is_what_the_whole_interval_lies_below(low, high, said):
    evidence = {"shortcut_effect.risk_difference_low": low, "shortcut_effect.risk_difference_high": high}
    verdict = decide(findings_of(follow=0.7)).model_copy(update={"evidence": evidence})
    assert verdict.meaning.startswith("The classifier uses the camera")
    assert said in verdict.meaning


def test_an_effect_that_was_not_shown_is_not_called_little():
    verdict = decide(findings_of(cameras_right=0.5))
    ends = {"shortcut_effect.risk_difference_high": 0.05, "shortcut_effect.minimum_detectable": 0.1}
    small = verdict.model_copy(update={"evidence": ends})
    assert small.verdict == "no evidence"
    assert small.meaning == verdict.meaning
    assert "the reasons say what would have been found" in small.meaning


def test_of_balanced_photos_nothing_is_said_to_have_been_findable():
    verdict = decide(findings_of(cameras_right=0.5)).model_copy(update={"evidence": {}})
    assert verdict.meaning.endswith(
        "in the same proportions here, so that a classifier gains nothing from it."
    )


def test_reasons_give_the_numbers_of_the_evidence():
    findings = findings_of(follow=0.7)
    effect = findings.of(SHORTCUT_EFFECT).effect
    verdict = decide(findings)
    difference, low, high = (
        f"{100 * end:.0f}"
        for end in (effect.risk_difference.mean, effect.risk_difference.low, effect.risk_difference.high)
    )
    assert verdict.reasons[0] == (
        f"Shortcut effect: {difference} points (95 % CI [{low}, {high}], p < 0.001). Photos are named the label "
        "that goes with their camera (its associated label) that much more often than others of their label."
    )
    assert verdict.evidence["shortcut_effect.risk_difference"] == effect.risk_difference.mean
    assert verdict.evidence["shortcut_effect.n_bias_conflicting"] == 48
    assert verdict.evidence["identification.majority_baseline"] == 0.8
    assert "Cameras differ in white balance (probability 0.970)." in verdict.reasons
    assert [cue.model_dump() for cue in verdict.cues] == [{"name": "white balance", "probability": 0.97}]
    assert "jitter" in " ".join(verdict.next_steps), "it destroys white balance"


@pytest.mark.parametrize(
    ("probabilities", "any_cue", "strangeness", "said"),
    [
        ({"noise": 0.9, "jpeg": 0.8, "blur": 0.6}, 0.99, 0.5,
         "Cameras differ in noise (probability 0.900), JPEG compression (0.800) and blur (0.600)."),
        ({"noise": 0.4, "blur": 0.3, "jpeg": 0.2}, 0.9, 0.5,
         "Cameras differ in one or more of several cues, inseparable: noise (probability 0.400) and blur (0.300)."),
        ({"noise": 0.1, "blur": 0.02}, 0.2, 0.5, "No cue is named; the most probable is noise (probability 0.100)."),
        ({"noise": 0.9}, 0.9, 1.2,
         "No cue is named: cameras differ in ways that no simulated cameras did, and names come from these."),
    ],
)  # fmt: skip
def test_cues_are_named_with_their_probability_or_not_at_all(probabilities, any_cue, strangeness, said):
    found = replace(findings_of(), results={CUES_TEST.name: CueNaming(probabilities, any_cue, strangeness)})
    assert CUES_TEST.sentences(found) == [said]


SHAM = "a sham, which changes photos as much but does not make cameras alike, leaves"


def moved(before, equalised, sham, low, photos=10_000):
    """A cue whose intervals are of no account but for that of the drop."""
    mean = {
        "before": before,
        "equalised": equalised,
        "sham": sham,
        "drop": sham - equalised,
        "swapped": 0,
        "swapped_sham": 0,
    }
    ends = {name: (low if name == "drop" else nan) for name in mean}
    estimates = {name: Estimate(mean[name], ends[name], 1.0, 5, 100) for name in mean}
    return MovedCue(**estimates, photos=photos)


@pytest.mark.parametrize(
    ("cues", "sentence"),
    [
        (
            {"noise": moved(0.42, 0.05, 0.39, 0.2), "jpeg": moved(0.42, 0.4, 0.41, -0.1)},
            "The classifier mostly uses noise. Equalising noise takes the shortcut effect from 42 to 5 points; "
            f"{SHAM} 39.",
        ),
        (
            {"jpeg": moved(0.42, 0.3, 0.4, 0.02)},
            "The classifier partly uses JPEG compression. Equalising JPEG compression takes the shortcut effect "
            f"from 42 to 30 points; {SHAM} 40.",
        ),
        (
            {"noise": moved(0.42, 0.1, 0.12, -0.05), "jpeg": moved(0.42, 0.42, 0.42, -0.1)},
            "Which cue the classifier uses was not found (tested: noise; JPEG compression). Equalising noise "
            f"takes the shortcut effect from 42 to 10 points; {SHAM} 12. "
            "Beyond the sham that is 2 points (95 % CI [-5, 100]).",
        ),
        (
            {"noise": moved(0.42, 0.02, 0.3, -0.05), "jpeg": moved(0.42, 0.42, 0.42, -0.1)},
            "Perhaps the classifier uses noise; that was not shown. Equalising noise takes the shortcut effect from "
            f"42 to 2 points; {SHAM} 30. Beyond the sham that is 28 points (95 % CI [-5, 100]).",
        ),
    ],
)
def test_the_cue_that_is_used_is_said_once(cues, sentence):
    findings = findings_of(follow=0.7)
    verdict = decide(replace(findings, results={**findings.results, "moved_cues": cues}))
    assert [reason for reason in verdict.reasons if "qualising" in reason] == [sentence]
    assert [cue.name for cue in verdict.used_cues] == [*cues]
    assert verdict.used_cues[0].used == (not sentence.startswith(("Which", "Perhaps")))
    assert "used_cues" not in decide(findings).model_dump()


@pytest.mark.parametrize(
    ("low", "mitigation"),
    [(0.2, "(`blur_noise`)"), (-0.1, "(`jitter`)")],
    ids=["shown to be used", "not shown"],
)
def test_the_mitigation_destroys_the_cue_whose_equalising_worked(low, mitigation):
    findings = findings_of(follow=0.7)  # whose cameras differ in white balance
    cues = {"noise": moved(0.42, 0.05, 0.39, low)}
    steps = decide(replace(findings, results={**findings.results, "moved_cues": cues})).next_steps
    assert any(f"augmentation that destroys the cue {mitigation}" in step for step in steps)


@pytest.mark.parametrize(
    ("low", "named"), [(0.2, ["`camerabias data equalise photos noise runs/mine-equal-noise`"]), (-0.1, [])]
)
def test_equalising_is_proposed_of_the_cue_that_was_shown_to_be_used(low, named):
    findings = replace(findings_of(follow=0.7), run="runs/mine", source="photos")
    cues = {"noise": moved(0.42, 0.05, 0.39, low)}
    steps = decide(replace(findings, results={**findings.results, "moved_cues": cues})).next_steps
    assert [line for step in steps for line in re.findall("`camerabias data equalise.*?`", step)] == named


def compared(**removed):
    """Mitigations of the model that was audited, by name: points removed, and the interval's lower end."""
    rows = [("none", nan, nan), *((name, mean, low) for name, (mean, low) in removed.items())]
    frame = pd.DataFrame(rows, columns=["mitigation", "bias_removed", "bias_removed_low"])
    return frame.assign(model="net", accuracy_lost=0.013)


COMPARES = "`camerabias audit photos --run runs/mine --model net --full` compares what they cost."


@pytest.mark.parametrize(
    ("mitigations", "said"),
    [
        (pd.DataFrame(), COMPARES),
        (
            compared(jitter=(0.5, -0.1), reweight=(0.31, 0.2), resample=(0.2, 0.1)),
            "Of 3 mitigations compared here, `reweight` removes most: 31 points, for 1 point of accuracy.",
        ),
        (
            compared(jitter=(0.5, 0.1)).assign(model="other"),
            COMPARES,
        ),
        (
            compared(jitter=(0.5, -0.1), rescale=(-0.1, -0.2)),
            "None of the 2 mitigations compared here was shown to lower the shortcut effect.",
        ),
    ],
    ids=["none compared", "best", "of another model", "none shown"],
)
def test_mitigations_that_were_compared_are_not_asked_for_again(mitigations, said):
    found = replace(findings_of(follow=0.7), mitigations=mitigations, run="runs/mine", source="photos")
    steps = decide(found).next_steps
    assert any(step.endswith(said) for step in steps)
    assert ("--full" in " ".join(steps)) == ("--full" in said)


@pytest.mark.parametrize("judged", [False, True])
@pytest.mark.parametrize(
    "model",
    ["small_cnn", "resnet34 at 96", "linear:resnet34", "linear:tf_efficientnet_lite0", "linear:embeddings"],
)
@pytest.mark.parametrize(
    "story",
    [{"follow": 0.7}, {"against": 3}, {"trained": False}, {"labels_right": 0.5, "cameras_right": 0.5}, {}],
    ids=str,
)
def test_next_steps_name_commands_that_run_as_they_are_printed(story, model, judged, parse_command):
    findings = findings_of(**story)
    findings = replace(
        findings,
        model=model,
        judged=judged,
        run="'my runs/it'\"'\"'s'",
        source="'my photos'",
        results={**findings.results, "moved_cues": {"white balance": moved(0.42, 0.05, 0.39, 0.2)}},
    )
    lines = re.findall("`(camerabias .*?)`", " ".join(decide(findings).next_steps))
    parsed = [parse_command(line) for line in lines]
    audits = [options for name, options in parsed if name == "audit" and not judged]
    assert {(options["run"], options["source"]) for options in audits} <= {("my runs/it's", "my photos")}
    if "follow" in story and not judged:
        assert {name for name, _ in parsed} >= {"audit", "data equalise"}
        (out,) = [options["out"] for name, options in parsed if name == "data equalise"]
        assert out == "my runs/it's-equal-white-balance"
        (full,) = audits
        assert (full["model"], full["backbone"], full["size"]) == {
            "small_cnn": ("small_cnn", None, None),
            "resnet34 at 96": ("resnet34", None, 96),
            "linear:resnet34": (None, "resnet34", None),
        }.get(model, (None, None, None))


def test_photos_to_take_are_counted_by_label_and_camera():
    verdict = decide(findings_of(follow=0.7))  # of each camera 96 of one label and 24 of the other
    assert (
        "Take more training photos, until each camera has its labels alike: "
        "72 of 'two' by 'A', 72 of 'one' by 'B'."
    ) in verdict.next_steps


@pytest.mark.parametrize(("several", "noun"), [(1, "photos"), (2, "groups")])
def test_groups_are_spoken_of_only_where_they_hold_several_photos(several, noun):
    numbers = [*range(12)]
    rows = pd.DataFrame({"image_id": numbers, "group": [n // several for n in numbers]})
    (said,) = accuracies(decide(replace(findings_of(follow=0.7), label_rows=[rows])))
    assert f"on bias-conflicting ones, which have another (48 {noun})." in said


def test_a_sample_of_the_photos_is_said_to_be_one():
    names = [[f"{seed}-{n}" for n in range(600)] for seed in range(2)]
    tested = [pd.DataFrame({"image_id": image, "group": image}) for image in names]
    cues = {"noise": moved(0.42, 0.05, 0.39, 0.2, photos=80)}
    found = replace(findings_of(follow=0.7), label_rows=tested)
    said = decide(replace(found, results={**found.results, "moved_cues": cues})).reasons
    assert any(
        "Among 80 of 1,200 photos, equalising noise takes the shortcut effect from 42" in one for one in said
    )


def test_without_a_shortcut_effect_no_cue_is_said_to_be_used():
    findings = findings_of()
    verdict = decide(
        replace(findings, results={**findings.results, "moved_cues": {"noise": moved(0, 0, 0, 0.1)}})
    )
    assert not any("qualising" in reason for reason in verdict.reasons)


def test_no_evidence_names_the_effect_that_could_have_been_seen():
    verdict = decide(findings_of(cameras_right=0.5))
    points = f"{100 * verdict.evidence['shortcut_effect.minimum_detectable']:.0f} points"
    assert (
        f"A shortcut effect of {points} or more would have been found (minimum detectable effect, power 0.8)."
    ) in verdict.reasons


def accuracies(verdict):
    return [reason for reason in verdict.reasons if reason.startswith("Accuracy is ")]


def test_what_the_camera_alone_would_come_to_stands_beside_the_model():
    found = findings_of()
    right = found.of(TASK).accuracy.mean
    assert (
        f"Always naming the camera's associated label would be right for 0.800 of these photos; the model is right "
        f"for {right:.3f} of all."
    ) in decide(found).reasons


def test_a_split_that_divides_groups_is_to_be_mended():
    found = findings_of()
    design = found.design.model_copy(update={"crossing_photos": 12})
    first, *_ = decide(replace(found, design=design)).next_steps
    assert first.startswith("Import again without the split: 12 of its test photos")
    assert "without the split" not in " ".join(decide(found).next_steps)


def test_a_linear_probe_s_verdict_says_how_to_judge_one_s_own():
    found = findings_of()
    said = decide(replace(found, model="linear:test_resnet", effects={})).next_steps
    assert "`camerabias judge predictions.csv`" in said[-1]
    assert "camerabias judge" not in " ".join(decide(found).next_steps)


def test_what_could_not_have_been_found_is_not_said_to_be_absent():
    said = " ".join(decide(findings_of(against=3)).reasons)
    assert "Too few photos to test" in said
    assert "no evidence" not in said.lower()
    assert "does not identify" not in " ".join(decide(findings_of(cameras_right=0.5)).reasons)


def test_photos_that_settle_it_are_named_where_none_disagrees():
    verdict = decide(findings_of(against=0))
    assert "No photo is bias-conflicting" in verdict.reasons[0]
    photos = [step for step in verdict.next_steps if "Needed are" in step]
    assert any("'one'" in step for step in photos)
    assert all(step.startswith(tuple(QUESTIONS.values())) for step in photos)
    lists = [step.rpartition("?")[2] for step in photos]
    assert len(set(lists)) == len(lists), "questions that ask for the same photos ask once"


def test_numbers_that_are_not_known_are_null_and_never_zero():
    verdict = decide(findings_of(against=0))
    assert verdict.evidence["shortcut_effect.p"] is None
    text = verdict.model_dump_json()
    assert "NaN" not in text
    assert not {"attributes", "control", "pairs", "repairs"} & json.loads(text).keys()
    assert json.loads(text)["models"] == [{"name": "net"}]
    assert Verdict.model_validate_json(text) == verdict


def test_manual_lists_every_number_and_verdict():
    manual = (ROOT / "docs/manual/verdict.md").read_text()
    for name in decide(findings_of(follow=0.7)).evidence:
        base = name.removesuffix("_low").removesuffix("_high")
        assert f"`{base}`" in manual or (name.startswith("cues.") and "`cues.CUE`" in manual), name
    assert all(f"| `{outcome}` |" in manual for outcome in OUTCOMES)


def test_run_that_nobody_audited_has_no_verdict(demo_original, demo_report):
    assert investigate(load_records(demo_original)) is None
    assert demo_report.verdict is None
    assert not (Path(demo_report.index).parent / "verdict.json").exists()


def audited(make, location, cells):
    """A made-up run with the facts of photos most of which agree with their camera."""
    run = make.run(location, {"audit": cells}, bottles_per_label=12)
    own = {"iPhone": 1, "Samsung": 1, "Huawei": 2, "Redmi": 2}
    counts = {
        (f"Manufacturer {label}", camera): 40 if owner == label else 10
        for camera, owner in own.items()
        for label in (1, 2)
    }
    run.write_frame(FACTS_FILE, facts(counts))
    return run


def test_clearest_of_several_models_is_corrected_for_their_number(make, tmp_path):
    cheat = make.cell("label", "natural", make.by_camera)
    honest = make.cell("label", "natural", make.right("label", 0.9), model="test_vit")
    alone, beside = (
        investigate(load_records(audited(make, tmp_path / str(len(cells)), cells).folder.uri))
        for cells in ([cheat], [honest, cheat])
    )
    assert beside.model == alone.model
    first, corrected = (found.of(SHORTCUT_EFFECT).effect.p for found in (alone, beside))
    assert corrected == pytest.approx(2 * first)


def test_of_models_with_the_same_p_the_one_with_the_largest_effect_is_judged(make, tmp_path):
    def partly(images, generator):
        cheated = make.by_camera(images, generator)
        return list(np.where(np.arange(len(images)) % 3 > 0, cheated, images["label"]))

    cells = [
        make.cell("label", "natural", partly),
        make.cell("label", "natural", make.by_camera, model="test_vit"),
    ]
    found = investigate(load_records(audited(make, tmp_path / "run", cells).folder.uri))
    models = {model.name: model for model in decide(found).models}
    assert len({model.p for model in models.values()}) == 1, "neither is clearer"
    assert found.model == max(models, key=lambda name: models[name].risk_difference)
    assert "test_vit" in found.model


def balanced(make, location, cells):
    """A made-up run with the facts of photos of which every camera has as many of each label."""
    run = make.run(location, {"audit": cells}, bottles_per_label=12)
    run.write_frame(
        FACTS_FILE,
        facts(
            {
                (f"Manufacturer {n}", camera): 25
                for camera in ("iPhone", "Samsung", "Huawei", "Redmi")
                for n in (1, 2)
            }
        ),
    )
    return load_records(run.folder.uri)


def test_of_balanced_photos_the_best_model_is_judged_and_what_a_tie_would_do_is_said(make, tmp_path):
    cells = [
        make.cell("label", "natural", make.right("label", 0.7)),
        make.cell("label", "natural", make.right("label", 0.95), model="test_vit"),
    ]
    alone = investigate(balanced(make, tmp_path / "alone", cells))
    assert "test_vit" in alone.model
    said = decide(alone)
    assert any(reason.endswith("Of 2 models, it names labels best.") for reason in said.reasons)
    assert any("--full" in step for step in said.next_steps)
    cells.append(make.cell("label", "disjoint", make.by_camera, model="test_vit"))
    beside = decide(investigate(balanced(make, tmp_path / "beside", cells)))
    assert beside.reasons[1] == (
        "Trained where every camera has one label, the same model uses the camera: right for 1.000 of photos where "
        "they go together, and for 0.000 of others."
    )
    assert not any("--full" in step for step in beside.next_steps), "it has been done"


def test_report_of_an_audit_holds_the_verdict(make, tmp_path):
    cells = [
        make.cell("camera", "natural", make.right("camera", 0.9)),
        *(
            make.cell("camera", "natural", make.right("camera", 0.3), view=view)
            for view in ("gray", "binary")
        ),
        make.cell("label", "natural", make.by_camera),
    ]
    run = audited(make, tmp_path / "run", cells)
    report = make_report(run.folder.uri)
    assert report.verdict.verdict == "cheating"
    written = json.loads(run.report.read_bytes("verdict.json"))
    assert written["verdict"] == "cheating"
    page = run.report.read_bytes("index.html").decode()
    assert "Cameras identified within labels" in page
    assert "cheating" in page
    assert (
        page.index("What to do next") < page.index('<table class="heat">') < page.index("Cameras identified")
    )
    table = pd.read_csv(tmp_path / "run/report/tables/audit_cameras_by_view.csv")
    assert table["view"].tolist() == ["rgb", "gray", "binary"]
    assert run.report.exists("figures/cues.png") or (tmp_path / "run/report/figures/cues.png").exists()
    assert not isnan(table["kept"].iloc[0])


def test_a_statistic_is_added_to_the_verdict_as_contributing_says(make, tmp_path, contributed):
    contributed("analysis/verdict/evidence/rarest.py", TESTS)
    run = audited(make, tmp_path / "run", [make.cell("label", "natural", make.by_camera)])
    verdict = decide(investigate(load_records(run.folder.uri)))
    assert verdict.evidence["rarest_label.photos"] == 12 * 5, "bottles by cameras"
    assert verdict.reasons[-1] == "The rarest label has 60 test photos."


def test_finding_nothing_is_no_evidence_only_where_something_would_have_been_found():
    few = decide(findings_of(against=8, cameras_right=0.5))
    assert re.match(r"Nothing was found, but only effects from \d+ points on would have been", few.reasons[0])
    assert re.search(r"about \d+ bias-conflicting photos \(now 16\)", few.next_steps[0])
    ignorant = decide(findings_of(labels_right=0.5, cameras_right=0.5))
    assert ignorant.reasons[0].startswith("The model was not shown to know the task")
    assert "--fine-tune" in ignorant.next_steps[0]


def test_whose_verdict_it_is_stands_in_the_reasons():
    findings = replace(findings_of(), model="linear:resnet34")
    (said,) = [reason for reason in decide(findings).reasons if reason.startswith("Judged: ")]
    assert said.startswith("Judged: a linear probe on features of resnet34, label accuracy 0.")


@pytest.mark.parametrize(
    ("probe", "network", "said"),
    [
        (
            0.7,
            0.7,
            r"agrees with the linear probe: its shortcut effect is (\d+) points, the probe's (\d+) points\.",
        ),
        (
            0.0,
            0.0,
            r"agrees with the linear probe: neither shows a shortcut effect \((-?\d+) points?, and (-?\d+)",
        ),
        (
            0.0,
            0.7,
            r"differs from the linear probe: its shortcut effect is (\d+) points, the probe's (-?\d+) point",
        ),
        (
            0.7,
            0.0,
            r"differs .* no significant shortcut effect \((-?\d+) points?\), the probe one of (\d+) points\.",
        ),
    ],
)
def test_what_a_network_adds_to_a_linear_probe_is_said_first_with_both_numbers(probe, network, said):
    told = {"linear:x": probe, "small_cnn": network}
    effects = {name: findings_of(follow=follow).effects["net"] for name, follow in told.items()}
    found = replace(findings_of(follow=max(probe, network)), effects=effects)
    first = decide(found).reasons[0]
    assert first.startswith("Trained on these photos, small_cnn ")
    numbers = [f"{100 * effects[name].risk_difference.mean:z.0f}" for name in ("small_cnn", "linear:x")]
    assert [*re.search(said, first).groups()] == numbers
    alone = replace(found, effects={"small_cnn": effects["small_cnn"]})
    assert not any("linear probe" in reason for reason in decide(alone).reasons)
