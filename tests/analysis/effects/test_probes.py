import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.effects.probes import (
    alikeness,
    concentration,
    crop_accuracy,
    energy_by_region,
    energy_shift,
    excess_correlations,
    perturbation_correlations,
)


def crops(generator, n=20, flat=0.9, textured=0.6):
    texture = generator.uniform(1, 9, (n, 4, 5)).astype(np.float16)
    share = np.where(texture <= np.median(texture.astype(float), axis=(1, 2), keepdims=True), flat, textured)
    right = generator.random((n, 4, 5)) < share
    truth = np.arange(n) % 5
    predicted = np.where(right, truth[:, None, None], (truth[:, None, None] + 1) % 5)
    return {
        "group": np.array([f"g{i}" for i in range(n)]),
        "truth": truth.astype(np.uint8),
        "predicted": predicted.astype(np.uint8),
        "texture": texture,
    }


def test_flat_and_textured_crops_as_a_loop_counts_them():
    probe = crops(np.random.default_rng(0))
    flat, textured, most = [], [], []
    for predicted, truth, texture in zip(probe["predicted"], probe["truth"], probe["texture"], strict=True):
        right = [int(p) == int(truth) for p in predicted.ravel()]
        order = np.argsort(texture.ravel(), kind="stable")
        flat.append(np.mean([right[i] for i in order[:10]]))
        textured.append(np.mean([right[i] for i in order[10:]]))
        most.append(sum(right) > 10)
    found = crop_accuracy([probe])
    assert found.flat.mean == pytest.approx(np.mean(flat))
    assert found.difference.mean == pytest.approx(np.mean(textured) - np.mean(flat))
    assert found.most.mean == pytest.approx(np.mean(most))
    assert found.difference.against(0) == "lower"


def test_a_photo_without_texture_is_flat_and_not_compared():
    probe = crops(np.random.default_rng(0))
    blank = probe | {"texture": np.ones((20, 4, 5), np.float16)}
    found = crop_accuracy([blank])
    assert found.flat.mean == pytest.approx((probe["predicted"] == probe["truth"][:, None, None]).mean())
    assert found.difference.n_seeds == 0


def layout():
    regions = np.zeros((1, 20, 10), np.uint8)
    regions[0, 5:10, 2:6] = 1
    regions[0, :, 8] = 2
    return regions


def test_energy_by_region_as_counted_by_hand():
    signal = np.zeros((1, 20, 10, 3), np.float32)
    signal[0, 6, 3] = [1, -2, 0]  # on the code: 5
    signal[0, 1, 8, 0] = 2  # on the seam, which the top band does not take: 4
    signal[0, 0, 0, 1] = -1  # in the top band: 1
    signal[0, 2, 0, 1] = 3  # the third of 20 rows is below it
    signal[0, 19, 0, 2] = 1
    (row,) = energy_by_region(signal, layout()).to_dict("records")
    assert row == pytest.approx(
        {
            "code": 5 / 20, "seam": 4 / 20, "top": 1 / 20, "flat": 10 / 20,
            "code area": 20 / 200, "seam area": 20 / 200, "top area": 18 / 200, "flat area": 142 / 200,
        }
    )  # fmt: skip


def test_an_image_without_energy_counts_nowhere():
    signal = np.zeros((2, 20, 10), np.float32)
    signal[1, 7, 3] = 1
    energy = energy_by_region(signal, layout().repeat(2, axis=0)).set_index(pd.Index(["g0", "g1"]))
    assert energy.loc["g0", "code"] != energy.loc["g0", "code"]  # NaN
    found = concentration([energy], ["code"])
    assert (found.share.mean, found.share.n_groups) == (1.0, 1)
    assert found.density == pytest.approx(10)


def test_energy_spread_evenly_is_as_dense_everywhere():
    signal = np.random.default_rng(0).normal(size=(40, 20, 10, 3)).astype(np.float32)
    energy = energy_by_region(signal, layout().repeat(40, axis=0))
    energy.index = pd.Index([f"g{i}" for i in range(40)])
    for region in ("code", "seam", "top", "flat"):
        found = concentration([energy], [region])
        assert found.density == pytest.approx(1, abs=0.05)
        assert found.excess.against(0) == "cannot tell"
    assert concentration([energy], ["code", "seam", "top", "flat"]).share.mean == pytest.approx(1)


def test_alikeness_is_the_mean_correlation_of_perturbed_images():
    generator = np.random.default_rng(0)
    signals = (generator.normal(size=(12, 8, 8, 3)) + generator.normal(size=(8, 8, 3))).astype(np.float32)
    signals[3] = 0
    steps = np.where(np.arange(12) == 3, 0, 7)
    names = np.array([f"g{i}" for i in range(12)])
    probe = {"perturbation": signals, "steps": steps, "flipped": np.ones(12, bool), "group": names}
    matrix = np.corrcoef(np.delete(signals, 3, axis=0).reshape(11, -1))
    expected = matrix[np.triu_indices(11, 1)].mean()
    found = alikeness([perturbation_correlations(probe)])
    assert found.mean == pytest.approx(expected, abs=1e-5)
    assert found.n_groups == 11
    assert found.low < expected < found.high
    assert alikeness([]).n_seeds == 0


def test_models_are_compared_on_the_photos_that_flipped_for_both():
    """Perturbations that follow the camera alone are equally alike, whichever photos a model resists on."""
    generator = np.random.default_rng(0)
    patterns = generator.normal(size=(5, 6, 6, 3))
    cameras = np.arange(40) % 5
    noise = generator.normal(size=(2, 40, 6, 6, 3)) / 10
    first, second = (
        {
            "image_id": np.array([f"i{i}" for i in range(40)]),
            "group": np.array([f"g{i}" for i in range(40)]),
            "perturbation": (patterns[cameras] + own).astype(np.float16),
            "steps": np.where(cameras < n_cameras, 5, 0),
            "flipped": np.ones(40, bool),
        }
        for own, n_cameras in zip(noise, (2, 5), strict=True)
    )
    apart = [alikeness([perturbation_correlations(probe)]) for probe in (first, second)]
    assert apart[0].low > apart[1].high  # two cameras are more alike than five
    together = alikeness([excess_correlations(first, second)])
    assert together.n_groups == 16
    assert together.against(0) == "cannot tell"


def test_energy_is_compared_photo_by_photo():
    def probe(images, on_code):
        signal = np.zeros((len(images), 20, 10, 1), np.float16)
        regions = np.zeros((len(images), 20, 10), np.uint8)
        regions[:, 5:7] = 1
        signal[:, 5, 0, 0], signal[:, 15, 0, 0] = np.sqrt(on_code), np.sqrt(1 - on_code)
        names = {"image_id": np.array(images), "group": np.array([f"g-{name}" for name in images])}
        ones = np.ones(len(images), int)
        return {**names, "perturbation": signal, "regions": regions, "steps": ones, "flipped": ones > 0}

    first, second = probe(["a", "b", "c"], 0.25), probe(["c", "a", "d"], 0.75)
    shift = energy_shift(first, second, ["flat", "top"])
    assert sorted(shift.index) == ["g-a", "g-c"]
    assert shift.tolist() == pytest.approx([0.5, 0.5], abs=1e-3)
