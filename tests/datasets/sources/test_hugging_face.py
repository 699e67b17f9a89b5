"""Datasets that Hugging Face's own library has written."""

import pytest

import datasets as hugging_face
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def made(photos):
    """The photos as the library has them: images by path, labels as numbers with names."""
    features = hugging_face.Features(
        {
            "image": hugging_face.Image(),
            "label": hugging_face.ClassLabel(names=["cat", "dog"]),
            "device": hugging_face.Value("string"),
        }
    )
    rows = [{"image": str(file), "label": label, "device": camera} for file, label, camera in photos]
    return hugging_face.Dataset.from_list(rows, features=features)


def test_a_saved_dataset_says_the_same(made, imported, tmp_path):
    made.save_to_disk(tmp_path / "saved")
    source, _ = imported(f"hf:{tmp_path}/saved", camera="device")
    assert source.notes == ("Photos are the images in the column 'image'.",)


def test_splits_are_sides_and_one_of_them_can_be_named(made, tmp_path):
    hugging_face.DatasetDict(train=made, validation=made.select([0, 3])).save_to_disk(tmp_path / "saved")
    both = read_source(f"hf:{tmp_path}/saved", Reading(camera="device"))
    assert [photo.split for photo in both.photos] == ["train"] * 8 + ["test"] * 2
    one = read_source(f"hf:{tmp_path}/saved:validation", Reading(camera="device"))
    assert [(photo.label, photo.camera, photo.split) for photo in one.photos] == [
        ("cat", "x", None),
        ("dog", "y", None),
    ]
    with pytest.raises(CamerabiasError, match="has no split 'dev'; it has train, validation"):
        read_source(f"hf:{tmp_path}/saved:dev", Reading(camera="device"))


def test_its_parquet_files_are_tables_with_the_names_of_classes(made, photos, imported, tmp_path):
    rows = [{"image": {"bytes": file.read_bytes(), "path": None}} for file, *_ in photos]
    embedded = hugging_face.Dataset.from_list(rows, hugging_face.Features(image=hugging_face.Image()))
    both = hugging_face.concatenate_datasets([embedded, made.remove_columns("image")], axis=1)
    both.to_parquet(tmp_path / "train.parquet")
    imported(tmp_path / "train.parquet", camera="device")


def test_what_cannot_be_loaded_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CamerabiasError, match=r"Cannot load the dataset .* of Hugging Face"):
        read_source(f"hf:{tmp_path}/empty")


def test_without_images_there_is_nothing_to_read(tmp_path):
    hugging_face.Dataset.from_dict({"text": ["a"], "label": ["b"]}).save_to_disk(tmp_path / "saved")
    with pytest.raises(CamerabiasError, match="has no column of images; it has text, label"):
        read_source(f"hf:{tmp_path}/saved")


def coded(kind, codes):
    """Photos of classes by number; Parquet and Arrow may hold numbers that no class has."""
    features = {"image": hugging_face.Image(), "camera": hugging_face.Value("string")}
    rows = [{"image": {"bytes": b"x", "path": None}, "camera": "x"} for _ in codes]
    made = hugging_face.Dataset.from_list(rows, hugging_face.Features(features))
    return made.add_column("label", codes, feature=kind)


@pytest.fixture(params=["parquet", "arrow"])
def save(request, tmp_path):
    """A function that saves classes by number and gives the place."""

    def run(codes, names=("cat", "dog")):
        made = coded(hugging_face.Value("int64"), codes)
        kinds = {**made.features, "label": hugging_face.ClassLabel(names=[*names])}
        made.info.features = hugging_face.Features(kinds)
        if request.param == "arrow":
            made.save_to_disk(tmp_path / "saved")
            return f"hf:{tmp_path}/saved"
        made.to_parquet(tmp_path / "t.parquet")
        return str(tmp_path / "t.parquet")

    return run


@pytest.mark.parametrize("none", [-1, -100, None])
def test_a_class_below_zero_is_none(save, none):
    with pytest.raises(CamerabiasError, match=r"has no label in 1 of 3 rows \(first: data row 2"):
        read_source(save([0, none, 1]))


def test_a_class_beyond_the_names_is_refused(save):
    with pytest.raises(CamerabiasError, match=r"holds the class 2, but there are names of 2 classes alone"):
        read_source(save([0, 1, 2]))
