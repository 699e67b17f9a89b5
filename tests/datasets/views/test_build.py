import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.ingest import create
from camerabias.datasets.ingest.create import import_dataset, simulate_dataset
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import CoresExecutor, LocalExecutor, RayExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.sources.registry import read_source
from camerabias.datasets.views import build
from camerabias.datasets.views.build import build_variants, is_built, variant_folder
from camerabias.datasets.views.cache import cache_folder, open_pixels
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant

RGB = Variant(view="rgb", size=32, fit="resize")
BINARY = Variant(view="binary", size=48, fit="crop")
LEFT = Variant(view="left", size=32, fit="pad")


class Killed(BaseException):
    """As good as kill -9: nothing catches it."""


@pytest.fixture(autouse=True)
def _own_node(tmp_path, monkeypatch):
    """A cache that no other test has filled."""
    monkeypatch.setenv("CAMERABIAS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def fresh(dataset, tmp_path):
    """A copy of the simulated dataset without variants; it has two parts."""
    shutil.copytree(dataset.folder.path, tmp_path / "fresh", ignore=shutil.ignore_patterns("variants"))
    return open_dataset(str(tmp_path / "fresh"))


def rendered(dataset, variant):
    """The variant's pixels by the plain way: every image of the index, decoded and rendered."""
    return np.stack([variant.render(decode(dataset.read_image(i))) for i in dataset.index["image_id"]])


def parts_of(dataset, variant):
    folder = variant_folder(dataset, variant)
    return {name: folder.file(name) for name in folder.names() if name.endswith(".parquet")}


def contents(dataset, variant):
    return {
        name: Folder(dataset.folder).read_bytes(path) for name, path in parts_of(dataset, variant).items()
    }


def mtimes(dataset, variant):
    folder = variant_folder(dataset, variant)
    return {info.base_name: info.mtime_ns for info in folder.filesystem.get_file_info(
        [folder.file(name) for name in folder.names()]
    )}  # fmt: skip


# --- files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", [RGB, BINARY, LEFT], ids=lambda variant: variant.view.name)
def test_a_row_holds_the_rendered_pixels_as_raw_bytes(fresh, variant):
    build_variants(fresh, [variant], LocalExecutor())
    rows = pa.concat_tables(map(pq.read_table, parts_of(fresh, variant).values())).to_pylist()
    assert [row["image_id"] for row in rows] == fresh.index["image_id"].tolist()
    for row, expected in zip(rows, rendered(fresh, variant), strict=True):
        shape = row["height"], row["width"], row["channels"]
        np.testing.assert_array_equal(np.frombuffer(row["pixels"], np.uint8).reshape(shape), expected)


def test_pixels_are_a_plain_column_without_anything_that_slows_reading(fresh):
    build_variants(fresh, [RGB], LocalExecutor())
    assert len(parts_of(fresh, RGB)) == len(fresh.manifest.parts) == 2
    for path in parts_of(fresh, RGB).values():
        assert pq.read_schema(path).field("pixels").type == pa.binary()
        group = pq.read_metadata(path).row_group(0)
        column = group.column(group.num_columns - 1)
        assert column.path_in_schema == "pixels"
        assert column.physical_type == "BYTE_ARRAY"
        assert column.compression == "UNCOMPRESSED"
        assert not column.has_dictionary_page
        assert not any("DICT" in encoding for encoding in column.encodings)
        assert not column.is_stats_set


def test_row_groups_stay_below_their_limit(fresh, monkeypatch):
    monkeypatch.setattr(build, "ROW_GROUP_BYTES", 10 * 32 * 32 * 3 + 1)
    build_variants(fresh, [RGB], LocalExecutor())
    metadata = pq.read_metadata(parts_of(fresh, RGB)["part-00000.parquet"])
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [10] * 6 + [4]
    np.testing.assert_array_equal(open_pixels(fresh, RGB), rendered(fresh, RGB))


def test_a_complete_variant_says_what_it_is(fresh):
    build_variants(fresh, [LEFT], LocalExecutor())
    document = variant_folder(fresh, LEFT).read_json("variant.json")
    assert Variant.model_validate(document["variant"]) == LEFT
    assert (document["height"], document["width"], document["channels"]) == (32, 16, 3)
    assert document["dataset"] == fresh.manifest.fingerprint
    assert document["parts"] == {part.name: part.checksum for part in fresh.manifest.parts}


# --- repeated and interrupted ---------------------------------------------------------------------------


def test_a_variant_is_built_once_even_when_asked_for_twice(fresh):
    told = []
    build_variants(fresh, [RGB, BINARY, RGB], LocalExecutor(), lambda done, n: told.append((done, n)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    before = mtimes(fresh, RGB)
    build_variants(fresh, [RGB], LocalExecutor(), told.append)
    assert mtimes(fresh, RGB) == before
    assert len(told) == 4


def test_an_interrupted_build_is_not_complete_and_goes_on_where_it_stopped(fresh, dataset):
    def interrupt(*_):
        raise Killed

    with pytest.raises(Killed):
        build_variants(fresh, [RGB], LocalExecutor(), interrupt)
    before = mtimes(fresh, RGB)
    assert list(before) == ["part-00000.parquet"]
    assert not is_built(fresh, RGB)
    with pytest.raises(CamerabiasError, match="is not built"):
        open_pixels(fresh, RGB)
    build_variants(fresh, [RGB], LocalExecutor())
    assert is_built(fresh, RGB)
    assert before.items() <= mtimes(fresh, RGB).items()
    np.testing.assert_array_equal(open_pixels(fresh, RGB), rendered(dataset, RGB))


def test_a_half_written_part_is_never_taken_for_a_whole_one(fresh, monkeypatch):
    decoded = []

    def decode_some(content):
        decoded.append(content)
        if len(decoded) == 80:  # in the second part
            raise Killed
        return decode(content)

    with monkeypatch.context() as patch:
        patch.setattr(build, "decode", decode_some)
        with pytest.raises(Killed):
            build_variants(fresh, [RGB], LocalExecutor())
    assert variant_folder(fresh, RGB).names() == ["part-00000.parquet"]
    build_variants(fresh, [RGB], LocalExecutor())
    np.testing.assert_array_equal(open_pixels(fresh, RGB), rendered(fresh, RGB))


# --- the cache ------------------------------------------------------------------------------------------


def test_cached_pixels_stand_in_the_order_of_the_index_and_cannot_be_written(fresh):
    build_variants(fresh, [BINARY], LocalExecutor())
    pixels = open_pixels(fresh, BINARY)
    assert (pixels.shape, pixels.dtype) == ((100, 48, 48, 1), np.uint8)
    np.testing.assert_array_equal(pixels, rendered(fresh, BINARY))
    assert isinstance(pixels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0


def test_a_node_decodes_a_variant_once(fresh):
    build_variants(fresh, [RGB], LocalExecutor())
    first = np.array(open_pixels(fresh, RGB))
    shutil.rmtree(variant_folder(fresh, RGB).path)
    np.testing.assert_array_equal(open_pixels(fresh, RGB), first)


def test_a_half_filled_cache_is_filled_again(fresh, tmp_path):
    build_variants(fresh, [RGB], LocalExecutor())
    open_pixels(fresh, RGB)
    (path,) = (tmp_path / "cache").rglob("*.npy")
    path.with_suffix(".tmp").write_bytes(path.read_bytes()[:1000])
    path.unlink()
    np.testing.assert_array_equal(open_pixels(fresh, RGB), rendered(fresh, RGB))


@pytest.mark.parametrize("harm", [lambda content: content[: len(content) // 2], lambda content: b""])
def test_a_damaged_part_is_built_again_and_that_is_said(fresh, caplog, harm):
    build_variants(fresh, [RGB], LocalExecutor())
    whole = contents(fresh, RGB)
    (first, path), *_ = parts_of(fresh, RGB).items()
    Folder(fresh.folder).write_bytes(path, harm(whole[first]))
    np.testing.assert_array_equal(open_pixels(fresh, RGB), rendered(fresh, RGB))
    assert f"{path} is damaged, and is built again from the photos." in caplog.text
    assert contents(fresh, RGB) == whole


def test_a_flipped_byte_of_a_variant_never_reaches_a_model(fresh, caplog):
    build_variants(fresh, [RGB], LocalExecutor())
    (first, path), *_ = parts_of(fresh, RGB).items()
    content = bytearray(contents(fresh, RGB)[first])
    content[len(content) // 2] ^= 0xFF
    Folder(fresh.folder).write_bytes(path, bytes(content))
    np.testing.assert_array_equal(open_pixels(fresh, RGB), rendered(fresh, RGB))
    assert "built again" in caplog.text


def test_the_same_photos_in_another_order_do_not_share_a_cache(make_photos, tmp_path):
    root = make_photos(*[f"{n}.jpg" for n in range(12)])
    rows = pd.DataFrame({"path": [f"{n}.jpg" for n in range(12)], "label": "A", "camera": "x"})
    datasets = []
    for name, table in (("forth", rows), ("back", rows[::-1])):
        table.to_csv(root / f"{name}.csv", index=False)
        source = read_source(str(root / f"{name}.csv"))
        datasets.append(import_dataset(source, Folder(tmp_path / name), LocalExecutor()))
    assert datasets[0].manifest.fingerprint == datasets[1].manifest.fingerprint
    for dataset in datasets:
        build_variants(dataset, [RGB], LocalExecutor())
        np.testing.assert_array_equal(open_pixels(dataset, RGB), rendered(dataset, RGB))


def test_a_variant_that_is_not_built_comes_with_the_command_that_builds_it(fresh):
    with pytest.raises(CamerabiasError, match=r"camerabias data build .*/fresh --views left --size 32"):
        open_pixels(fresh, LEFT)


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("CAMERABIAS_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache/camerabias"


# --- spread ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spread", [CoresExecutor, pytest.param(RayExecutor, marks=pytest.mark.xdist_group("ray"))]
)
def test_spread_work_and_this_process_write_the_same_files(
    request, make_photos, tmp_path, monkeypatch, spread
):
    if spread is RayExecutor:
        request.getfixturevalue("_ray")
    monkeypatch.setattr(create, "PART_IMAGES", 8)
    monkeypatch.setattr("camerabias.datasets.io.executor.WORTH_PROCESSES", 0.0)
    photos = make_photos(*[f"{label}/x/{n}.jpg" for label in "AB" for n in range(10)])
    executors = {"here": LocalExecutor(), "spread": spread()}
    for name, executor in executors.items():
        simulated = Folder(tmp_path / name / "simulated")
        simulate_dataset(preset_spec("demo", images=20, size=64), simulated, executor)
        imported = import_dataset(read_source(str(photos)), Folder(tmp_path / name / "imported"), executor)
        build_variants(imported, [RGB, BINARY], executor)
    here, elsewhere = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / name for name in executors)
    )
    assert len(here) == 2 * (3 + 2) + 2 * (3 + 1)  # parts, index, manifest; parts and variant.json
    assert elsewhere == here


def test_pixels_of_an_earlier_dataset_in_the_same_folder_are_never_taken(dataset, tmp_path):
    photos = []
    for row in dataset.index.head(70).itertuples():
        (tmp_path / f"{row.image_id}.jpg").write_bytes(dataset.read_image(row.image_id))
        photos.append(Photo(f"{row.image_id}.jpg", row.label, row.camera))
    out, variant = Folder(tmp_path / "out"), Variant(view=View.model_validate("gray"), size=32, fit="resize")
    for listed in (photos, photos[::-1]):
        mine = import_dataset(Source("table", Folder(tmp_path), listed), out, LocalExecutor())
        build_variants(mine, [variant], LocalExecutor())
        pixels = open_pixels(mine, variant)
        for position in (0, 69):
            content = mine.read_image(mine.index["image_id"].iloc[position])
            assert (pixels[position] == variant.render(decode(content))).all()
        out.delete("dataset.json")
