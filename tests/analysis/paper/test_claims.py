import numpy as np
import pytest

from camerabias.analysis.paper.checks import DECIDERS, RECORDED_DECIDERS
from camerabias.analysis.paper.claims import decide_claims, load_claims
from camerabias.analysis.records.load import load_records


def decided(run):
    return {found.claim.number: found for found in decide_claims(load_records(run.folder.path))}


@pytest.fixture(scope="module")
def paper_claims(paper_run):
    """What comes of every claim in a run of the whole paper."""
    return decided(paper_run)


@pytest.fixture
def decide(make, tmp_path):
    """What comes of a claim in a run of some cells."""

    def of(cells, number, **options):
        return decided(make.run(tmp_path / "run", {"s": cells}, paper="Table I", **options))[number].run

    return of


def test_claims_are_numbered_and_name_what_exists():
    claims = load_claims()
    assert [claim.number for claim in claims] == list(range(1, 25))
    named = {check.decider for claim in claims for check in claim.checks}
    assert named == DECIDERS.keys() | RECORDED_DECIDERS.keys()
    assert all(other < claim.number for claim in claims for other in claim.rests_on)
    assert all(claim.checks or claim.rests_on for claim in claims)


def test_a_run_with_the_papers_outcomes(paper_claims):
    outcomes = {number: found.run.outcome for number, found in paper_claims.items()}
    assert outcomes.pop(2) == "cannot tell"  # four pairs of one model and seed
    assert outcomes.pop(14) == "cannot tell"  # twenty photos of each camera
    assert [n for n, outcome in outcomes.items() if outcome == "not tested"] == [6, 10, 17, 23]  # one model
    assert {n: outcome for n, outcome in outcomes.items() if outcome not in ("holds", "not tested")} == {}


def test_the_papers_own_numbers(paper_claims):
    paper = {number: found.paper for number, found in paper_claims.items()}
    by_outcome = {}
    for number, verdict in paper.items():
        by_outcome.setdefault(verdict.outcome, []).append(number)
    assert by_outcome == {
        "holds": [1, 3, 8, 10, 15, 16, 17, 19, 22, 23],
        "does not hold": [4, 12, 13],
        "not tested": [2, 5, 6, 7, 9, 11, 14, 18, 20, 21, 24],
    }
    assert paper[12].numbers.startswith("does not hold for vgg16: ")  # 0.616 of 309
    assert paper[13].numbers.startswith("does not hold for inception_v3, vgg16: ")
    assert "alexnet 0.573 [0.516, 0.629]" in paper[4].numbers
    assert paper[17].numbers.startswith("alexnet, vgg16 minus resnet34, resnet101, inception_v3: -0.159 [")


def test_runs_that_do_not_repeat_the_paper_have_no_claims(demo_run):
    assert decide_claims(load_records(demo_run.folder.path)) == []


@pytest.mark.parametrize(
    ("accuracy", "outcome"), [(0.9, "holds"), (0.2, "cannot tell"), (0.05, "does not hold")]
)
def test_above_chance(make, decide, accuracy, outcome):
    assert decide([make.cell("camera", "balanced", make.right("camera", accuracy))], 1).outcome == outcome


@pytest.mark.parametrize(
    ("accuracy", "outcome"), [(0.2, "holds"), (0.1, "holds"), (0.5, "does not hold"), (0.9, "does not hold")]
)
def test_at_chance(make, decide, accuracy, outcome):
    cell = make.cell("camera", "balanced", make.right("camera", accuracy), view="binary")
    assert decide([cell], 13).outcome == outcome


def test_few_groups_do_not_show_chance(make, decide):
    cell = make.cell("camera", "balanced", make.right("camera", 0.2), view="binary")
    assert decide([cell], 13, bottles_per_label=4).outcome == "cannot tell"


@pytest.mark.parametrize(
    ("accuracy", "outcome"), [(0.9, "holds"), (0.6, "cannot tell"), (0.4, "does not hold")]
)
def test_high_is_above_half_of_the_way(make, decide, accuracy, outcome):
    cell = make.cell("camera", "balanced", make.right("camera", accuracy), view="jitter", test_view="rgb")
    assert decide([cell], 15).outcome == outcome


@pytest.mark.parametrize(
    ("accuracy", "outcome"), [(0.94, "holds"), (0.86, "cannot tell"), (0.6, "does not hold")]
)
def test_close_is_within_ten_points(make, decide, accuracy, outcome):
    cells = [
        make.cell("label", "balanced", make.right("label", 0.95)),
        make.cell("label", "partial", make.right("label", accuracy)),
    ]
    found = decide(cells, 8)
    assert found.outcome == outcome
    assert found.numbers.startswith("partial minus balanced: ")


def test_models_for_which_a_claim_does_not_hold_are_named(make, decide):
    cells = [
        make.cell("camera", "balanced", make.right("camera", accuracy), model)
        for model, accuracy in {"a": 0.9, "b": 0.05, "c": 0.2}.items()
    ]
    cells.append(
        make.cell(
            "camera", "balanced", make.right("camera", 0.9), "d", broken=dict.fromkeys(range(4), "failed")
        )
    )
    found = decide(cells, 1)
    assert found.outcome == "does not hold"
    assert found.numbers.startswith("does not hold for b; cannot tell for c: a 0.900 [")
    assert found.numbers.endswith("; d not finished")


def test_nothing_finished_is_not_tested(make, decide):
    cell = make.cell(
        "camera", "balanced", make.right("camera", 0.9), broken=dict.fromkeys(range(4), "failed")
    )
    assert decide([cell], 1).outcome == "not tested"
    assert decide([cell], 1).numbers == "no finished trial on the camera under balanced, rgb"


def test_cells_without_a_common_seed_are_not_compared(make, decide):
    cells = [
        make.cell("label", "balanced", make.right("label", 0.9), broken={0: "failed", 1: "failed"}),
        make.cell("label", "partial", make.right("label", 0.9), broken={2: "failed", 3: "failed"}),
    ]
    found = decide(cells, 8)
    assert found.outcome == "not tested"
    assert found.numbers == "no seed has finished in all that is compared"


def test_first_and_other_models(make, decide):
    cells = [
        make.cell("label", "disjoint", predict, model)
        for model, predict in {"alexnet": make.right("label", 0.9), "resnet34": make.by_camera}.items()
    ]
    assert decide(cells, 5, bottles_per_label=30).outcome == "holds"
    others = decide(cells, 6, bottles_per_label=30)
    assert others.outcome == "does not hold"
    assert others.numbers.startswith("alexnet ")


def test_the_papers_model_comes_first_at_whatever_size(make, decide):
    cells = [
        make.cell("label", "disjoint", make.by_camera, model, size=size)
        for model, size in (("alexnet", 128), ("resnet34", 64), ("resnet34", 128))
    ]
    assert decide(cells, 5).numbers.startswith("resnet34 at 64 ")


def constant(label):
    return lambda images, generator: [label] * len(images)


@pytest.mark.parametrize(
    ("predict", "outcome"),
    [
        (constant("Manufacturer 1"), "does not hold"),
        (
            lambda images, generator: generator.choice(["Manufacturer 1", "Manufacturer 2"], len(images)),
            "holds",
        ),
        (
            # one constant answer per seed: even over all seeds, and in none
            lambda images, generator: (
                [str(generator.choice(["Manufacturer 1", "Manufacturer 2"]))] * len(images)
            ),
            "does not hold",
        ),
    ],
    ids=["constant", "guessing", "constant in each seed"],
)
def test_a_guess_mixes_labels(make, decide, predict, outcome):
    found = decide([make.cell("label", "disjoint", predict)], 7, bottles_per_label=40)
    assert found.outcome == outcome


def test_what_is_learned_first(make, decide):
    def cells(camera, label):
        return [
            make.cell("camera", "balanced", make.right("camera", 0.9), learned_at=camera),
            make.cell("label", "balanced", make.right("label", 0.9), learned_at=label),
        ]

    assert decide(cells(50, 150), 2, seeds=range(8), bottles_per_label=1).outcome == "holds"
    assert decide(cells(150, 50), 2, seeds=range(8), bottles_per_label=1).outcome == "does not hold"


@pytest.mark.parametrize(("downsampled", "outcome"), [(0.7, "holds"), (0.3, "does not hold")])
def test_models_that_see_less_against_those_that_see_all(make, decide, downsampled, outcome):
    cells = [make.cell("label", "disjoint", make.right("label", 0.5), model) for model in ("a", "b")]
    cells.append(make.cell("label", "disjoint", make.right("label", downsampled), "c", downsampled=True))
    found = decide(cells, 10)
    assert found.outcome == outcome
    assert found.numbers.startswith(f"c minus a, b: {downsampled - 0.5:.3f} [")


def test_an_interaction_takes_each_models_own_loss(make, decide):
    def model(name, plain, jittered, downsampled):
        return [
            make.cell("camera", "balanced", make.right("camera", plain), name, downsampled=downsampled),
            make.cell(
                "camera",
                "balanced",
                make.right("camera", jittered),
                name,
                "jitter",
                "rgb",
                downsampled=downsampled,
            ),
        ]

    found = decide(model("a", 0.9, 0.9, False) + model("b", 0.8, 0.5, True), 17)
    assert found.outcome == "holds"
    assert found.numbers.startswith("b minus a: -0.300 [")


def test_accuracy_that_depends_on_the_camera_is_found(make, decide):
    def biased(images, generator):
        right = generator.random(len(images)) < np.where(images["camera"] == "Vivo", 0.1, 0.7)
        other = {"Manufacturer 1": "Manufacturer 2", "Manufacturer 2": "Manufacturer 1"}
        return np.where(right, images["label"], images["label"].map(other))

    found = decide([make.cell("label", "disjoint", biased, view="binary")], 14)
    assert found.outcome == "does not hold"
    assert "p = 0.001" in found.numbers
    assert "(Vivo)" in found.numbers


def test_finding_nothing_in_few_groups_shows_nothing(make, decide):
    cell = make.cell("label", "disjoint", make.right("label", 0.5), view="binary")
    assert decide([cell], 14, bottles_per_label=4).outcome == "cannot tell"


def test_a_model_that_goes_by_the_camera_alone_is_found_though_its_accuracies_are_equal(make, decide):
    found = decide([make.cell("label", "disjoint", make.by_camera, view="binary")], 14, bottles_per_label=60)
    assert found.outcome == "does not hold"
    assert "difference from the rate expected under independence: 0.500 [" in found.numbers


def test_labels_without_regard_to_the_camera_in_many_photos(make, decide):
    cell = make.cell("label", "disjoint", make.right("label", 0.7), view="binary")
    assert decide([cell], 14, bottles_per_label=150).outcome == "holds"


def test_differences_that_matter_to_nobody_are_none_however_many_photos_show_them(make, decide):
    probes = {"crop_map": make.cropped(0.80, corner=0.76)}
    cell = make.cell("camera", "balanced", make.right("camera", 0.8), view="crop32", probes=probes)
    found = decide([cell], 20, bottles_per_label=150)
    assert "p = 0.001" in found.numbers
    assert found.outcome == "holds"


def test_nothing_flipped_is_not_tested(make, decide):
    def unflipped(images, generator):
        found = make.perturbed("on code")(images, generator)
        return found | {"flipped": np.zeros(len(found["steps"]), bool)}

    cells = [
        make.cell("label", setting, make.right("label", 0.9), probes={"perturbations": unflipped})
        for setting in ("balanced", "disjoint")
    ]
    assert decide(cells, 11).outcome == "not tested"


def test_what_has_not_finished_keeps_a_claim_from_holding(make, decide):
    missing = dict.fromkeys(range(4), "missing")
    cells = [
        make.cell("camera", "balanced", make.right("camera", 0.9), "a"),
        make.cell("camera", "balanced", make.right("camera", 0.9), "b", broken=missing),
    ]
    found = decide(cells, 1)
    assert found.outcome == "cannot tell"
    assert found.numbers.endswith("; b not finished")


def test_first_model_is_the_first_that_was_asked_for(make, decide):
    missing = dict.fromkeys(range(4), "missing")
    cells = [
        make.cell("label", "disjoint", make.by_camera, "resnet34", broken=missing),
        make.cell("label", "disjoint", make.by_camera, "alexnet"),
    ]
    assert decide(cells, 5).outcome == "not tested"


def test_a_dark_corner_is_found(make, decide):
    probes = {"crop_map": make.cropped(0.8, corner=0.5)}
    cell = make.cell("camera", "balanced", make.right("camera", 0.8), view="crop32", probes=probes)
    assert decide([cell], 20).outcome == "does not hold"


def test_crops_that_are_mostly_wrong(make, decide):
    probes = {"crop_images": make.cropped(0.3, single=True)}
    cell = make.cell("camera", "balanced", make.right("camera", 0.3), view="crop32", probes=probes)
    assert decide([cell], 21).outcome == "does not hold"


def test_perturbations_of_the_wrong_kind(make, decide):
    cells = [
        make.cell("label", setting, make.right("label", 0.9), probes={"perturbations": make.perturbed(where)})
        for setting, where in {"balanced": "on flat", "disjoint": "on code"}.items()
    ]
    assert decide(cells, 11, bottles_per_label=20).outcome == "does not hold"


def test_a_claim_that_rests_on_others_is_as_good_as_the_worst(make, decide):
    probes = {"crop_images": make.cropped(0.3, single=True)}
    cell = make.cell("camera", "balanced", make.right("camera", 0.3), view="crop32", probes=probes)
    found = decide([cell], 24)
    assert found.outcome == "does not hold"
    assert found.numbers == "claim 11 not tested; claim 18 not tested; claim 21 does not hold"


def test_studies_that_go_beyond_the_paper_do_not_count(make, tmp_path):
    run = make.run(
        tmp_path, {"s": [make.cell("camera", "balanced", make.right("camera", 0.9))]}, paper="Table I"
    )
    make.run(tmp_path, {"beyond": [make.cell("camera", "balanced", make.right("camera", 0.1), size=64)]})
    assert decided(run)[1].run.numbers.startswith("test_resnet 0.900 [")
