"""Features: what timm's own network makes of the same pixels, and which pixels those are."""

import numpy as np
import pytest
import timm
import torch

from camerabias.datasets.views.fit import fit_pixels
from camerabias.datasets.views.registry import View
from camerabias.trainables.embeddings.embedder import Embedder
from camerabias.trainables.models.weights import load_weights, weights_id
from camerabias.trainables.spec.linear_probe import Embedding
from camerabias.trainables.spec.recipe import Augmentation

LITE = "tf_efficientnet_lite0"


def make_embedding(**changes):
    fields = {
        "backbone": "test_resnet",
        "weights": "none",
        "view": View.model_validate("rgb"),
        "size": 64,
        "fit": "resize",
        "crops": 1,
        "precision": "float32",
    }
    return Embedding.model_validate(fields | changes)


def photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def lite():
    return load_weights(LITE, "imagenet")


def test_features_are_those_of_timm_s_network_and_imagenet_weights_come_with_the_package(lite):
    network = timm.create_model(LITE, num_classes=0).eval()
    network.load_state_dict({name: value for name, value in lite.items() if "classifier" not in name})

    def expect(pixels):
        inputs = (
            torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
        )  # what they were trained on
        with torch.inference_mode():
            return network(inputs).numpy()[0]

    embedding = make_embedding(backbone=LITE, weights=weights_id(lite), size=224)
    small = photo(96, 128)
    (found,) = Embedder(embedding, lite).features(["a"], [small])
    np.testing.assert_allclose(found[:1280], expect(fit_pixels(small, 224, 224, "resize")), atol=1e-3)
    np.testing.assert_allclose(found[1280:], expect(small), atol=1e-3, err_msg="the whole of a small photo")


def test_crops_are_of_unscaled_pixels_spread_over_the_photo():
    large = photo(200, 300)
    for crops, corners in ((1, [(68, 118)]), (4, [(0, 0), (136, 236), (0, 236), (136, 0)])):
        embedder = Embedder(make_embedding(crops=crops), None)
        (found,) = embedder.features(["a"], [large])
        alone = Embedder(make_embedding(crops=0), None)
        pieces = [np.ascontiguousarray(large[top : top + 64, left : left + 64]) for top, left in corners]
        expected = alone.features([str(number) for number in range(len(pieces))], pieces).mean(axis=0)
        np.testing.assert_allclose(found[len(expected) :], expected, atol=1e-4)


def test_photos_of_any_shape_have_features_of_one_length_in_their_order():
    embedder = Embedder(make_embedding(crops=3), None)
    photos = [photo(70, 90, 1), photo(40, 50, 2), photo(200, 100, 3), photo(70, 90, 4)]
    together = embedder.features(["a", "b", "c", "d"], photos)
    alone = np.concatenate(
        [embedder.features([name], [one]) for name, one in zip("abcd", photos, strict=True)]
    )
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_draws_differ_and_are_the_same_again():
    for changes in ({"augmentation": Augmentation(blur=1.0)}, {"view": View.model_validate("jitter")}):
        embedder = Embedder(make_embedding(draws=2, **changes), None)
        first, second, again = (embedder.features(["a"], [photo(64, 64)], draw) for draw in (0, 1, 0))
        assert not np.allclose(first, second)
        np.testing.assert_array_equal(first, again)


def test_gray_views_and_small_crops_have_features():
    for view in ("gray", "crop32"):
        found = Embedder(make_embedding(view=View.model_validate(view)), None).features(
            ["a"], [photo(64, 64)]
        )
        assert np.isfinite(found).all()


def test_every_field_is_in_the_name_of_the_folder():
    changes = [{"size": 96}, {"crops": 2}, {"weights": "sha256:1"}, {"draws": 4}, {"fit": "crop"}, {}]
    names = {make_embedding(**one).folder for one in changes}
    assert len(names) == len(changes)
    assert all(name.startswith("embedding-test_resnet-rgb-") for name in names)
