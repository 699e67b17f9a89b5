"""Embeddings of a dataset: whole, resumed, and of the weights that were planned with."""

import numpy as np
import pytest

from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.build import is_built, variant_folder
from camerabias.datasets.views.registry import View
from camerabias.trainables.embeddings.build import build_embeddings
from camerabias.trainables.embeddings.embedder import Embedder
from camerabias.trainables.embeddings.store import read_features
from camerabias.trainables.spec.linear_probe import Embedding

EMBEDDING = Embedding(
    backbone="test_resnet",
    weights="none",
    view=View.model_validate("rgb"),
    size=32,
    fit="resize",
    crops=1,
    precision="float32",
)


@pytest.fixture(scope="module")
def built(dataset):
    done = []
    build_embeddings(
        dataset, [EMBEDDING], {"none": "none"}, LocalExecutor(), lambda *counted: done.append(counted)
    )
    assert done[-1] == (len(dataset.manifest.parts),) * 2
    return dataset


def test_rows_are_in_the_order_of_the_index(built):
    (features,) = read_features(built, EMBEDDING)
    assert len(features) == len(built.index)
    embedder = Embedder(EMBEDDING, None)
    for row in (0, 41, len(built.index) - 1):
        image_id = built.index["image_id"].iloc[row]
        (expected,) = embedder.features([image_id], [decode(built.read_image(image_id))])
        np.testing.assert_allclose(features[row], expected, rtol=2e-3, atol=1e-3, err_msg="but for float16")


def test_parts_that_are_there_are_not_built_again(built):
    folder = variant_folder(built, EMBEDDING)
    first, *_ = (part.name for part in built.manifest.parts)
    before = folder.changed(first)
    folder.delete("variant.json")
    assert not is_built(built, EMBEDDING)
    build_embeddings(built, [EMBEDDING], {"none": "none"}, LocalExecutor())
    assert folder.changed(first) == before
    assert is_built(built, EMBEDDING)


def test_other_weights_than_were_planned_with_are_refused(dataset):
    other = EMBEDDING.model_copy(update={"weights": "sha256:1"})
    with pytest.raises(CamerabiasError, match="planned with sha256:1"):
        build_embeddings(dataset, [other], {"sha256:1": "none"}, LocalExecutor())


def test_what_is_not_built_is_named(dataset):
    with pytest.raises(CamerabiasError, match=r"is not built; .* builds it"):
        read_features(dataset, EMBEDDING.model_copy(update={"size": 48}))
