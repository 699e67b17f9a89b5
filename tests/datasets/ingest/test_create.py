import hashlib
import io
import json
import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.ingest import create
from camerabias.datasets.ingest.create import import_dataset, simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError, DatasetManifest
from camerabias.datasets.simulator import LABELS, preset_spec, simulate
from camerabias.datasets.sources.registry import read_source

SPEC = preset_spec("demo", images=20, size=64)


@pytest.fixture
def small_parts(monkeypatch):
    """Four photos per part, so that a few photos make several parts."""
    monkeypatch.setattr(create, "PART_IMAGES", 4)


@pytest.fixture
def photos(make_photos):
    """24 photos, six of each of four cells."""
    return make_photos(*[f"{label}/{camera}/{n}.jpg" for label in "AB" for camera in "xy" for n in range(6)])


@pytest.fixture
def do_import(tmp_path):
    """A function that imports a table or folder into `out` below the test's folder."""

    def run(location, out="out", executor=None, from_exif=False, **options):
        source = read_source(str(location), Reading(camera_from="exif" if from_exif else None))
        return import_dataset(source, Folder(tmp_path / out), executor or LocalExecutor(), **options)

    return run


def table(folder, rows, name="photos.csv"):
    pd.DataFrame(rows).to_csv(folder / name, index=False)
    return folder / name


def described(photos, **columns):
    """Rows of a table of a folder of photos; columns are functions of the row's number."""
    paths = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg"))
    return [
        {"path": path, "label": path[0], "camera": path[2]} | {key: make(n) for key, make in columns.items()}
        for n, path in enumerate(paths)
    ]


def half(n):
    return "train" if n % 2 else "test"


def files_of(folder):
    """Content of every file below a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def written(folder):
    """When every file below a folder was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}


# --- what a dataset holds -------------------------------------------------------------------------------


def test_original_bytes_are_kept_to_the_bit(photos, small_parts, do_import):
    dataset = do_import(photos)
    assert len(dataset.manifest.parts) == 6
    for row in dataset.index.itertuples():
        content = (photos / row.path).read_bytes()
        assert dataset.read_image(row.image_id) == content
        assert row.image_id == hashlib.sha256(content).hexdigest()[:20]
    for part in dataset.manifest.parts:
        expected = dataset.index.loc[dataset.index["part"] == part.name, "image_id"].tolist()
        assert [image_id for image_id, _ in dataset.read_images(part.name)] == expected
        assert len(expected) == part.n


def test_the_index_of_a_part_is_read_without_the_rest(photos, small_parts, do_import, monkeypatch):
    monkeypatch.setattr(create, "INDEX_ROW_GROUP", 8)
    folder = do_import(photos).folder
    with folder.open_parquet("index.parquet") as parquet:
        groups = [
            parquet.read_row_group(k, ["part"])["part"].to_pylist() for k in range(parquet.num_row_groups)
        ]
    assert [len(parts) for parts in groups] == [8, 8, 8]
    assert [len(set(parts)) for parts in groups] == [2, 2, 2]


def test_a_part_states_the_checksum_of_its_content(photos, small_parts, do_import):
    dataset = do_import(photos)
    for part in dataset.manifest.parts:
        hashes = [hashlib.sha256(content).hexdigest() for _, content in dataset.read_images(part.name)]
        assert part.checksum == hashlib.sha256(json.dumps(hashes).encode()).hexdigest()


def test_the_manifest_counts_what_the_index_holds(photos, do_import):
    dataset = do_import(photos)
    manifest, index = dataset.manifest, dataset.index
    assert (manifest.labels, manifest.cameras, manifest.n_images) == (("A", "B"), ("x", "y"), 24)
    counted = {(cell.label, cell.camera, cell.fold): cell.n for cell in manifest.cells}
    assert counted == Counter(zip(index["label"], index["camera"], index["fold"], strict=True))
    assert manifest.count("A", "y") == 6
    assert manifest.classes("label") == ("A", "B")
    assert manifest.classes("camera") == ("x", "y")


def test_the_fingerprint_is_the_stated_hash(photos, do_import):
    dataset = do_import(photos)
    rows = sorted(
        [row.image_id, row.label, row.camera, row.group, str(row.fold)] for row in dataset.index.itertuples()
    )
    text = "".join(json.dumps(row) for row in rows)
    assert dataset.manifest.fingerprint == hashlib.sha256(text.encode()).hexdigest()


def test_fingerprint_and_folds_do_not_depend_on_the_order_of_a_table(photos, do_import):
    rows = described(photos, group=lambda n: f"g{n // 5}")
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    first, second = do_import(table(photos, rows)), do_import(table(photos, shuffled, "b.csv"), "other")
    assert first.manifest.fingerprint == second.manifest.fingerprint
    folds = [dict(zip(d.index["path"], d.index["fold"], strict=True)) for d in (first, second)]
    assert folds[0] == folds[1]


def test_the_users_columns_stay_with_their_photos(photos, do_import):
    rows = described(photos, group=lambda n: f"g{n // 2}", photographer=lambda n: f"p{n}")
    index = do_import(table(photos, rows)).index.set_index("path")
    for row in rows:
        assert index.loc[row["path"], ["label", "camera", "group", "photographer"]].tolist() == [
            row["label"], row["camera"], row["group"], row["photographer"],
        ]  # fmt: skip
    assert (index.groupby("group")["fold"].nunique() == 1).all()


def test_a_users_column_of_mixed_kinds_is_kept_as_text(photos, do_import):
    rows = described(photos, exposure=lambda n: [1, "1/100", None][n % 3])
    path = photos / "photos.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    exposures = do_import(path).index["exposure"].tolist()
    assert exposures[:2] == ["1", "1/100"]
    assert pd.isna(exposures[2])


def test_size_is_the_median_short_side_down_to_a_multiple_of_32(tmp_path, encode, noise, do_import):
    (tmp_path / "p/A/x").mkdir(parents=True)
    for n, (height, width) in enumerate([(50, 400), (300, 140), (150, 900)]):
        (tmp_path / f"p/A/x/{n}.png").write_bytes(encode(noise(height, width)))
    dataset = do_import(tmp_path / "p")
    assert dataset.manifest.size == 128  # of 140
    assert dataset.index[["height", "width"]].to_numpy().tolist() == [[50, 400], [300, 140], [150, 900]]


def test_the_camera_comes_from_exif_or_is_unknown(make_photos, do_import):
    exif = Image.Exif()
    exif[272] = "Pixel 8"
    make_photos("A/1.jpg", exif=exif)
    index = do_import(make_photos("A/2.jpg"), from_exif=True).index.set_index("path")
    assert index["camera"].to_dict() == {"A/1.jpg": "Pixel 8", "A/2.jpg": "no EXIF"}


def test_the_simulators_dataset_is_the_simulators_images(dataset):
    spec = preset_spec("demo", images=100, size=64)
    assert dataset.manifest.labels == LABELS
    assert dataset.manifest.source == {"kind": "simulator", **spec.model_dump(exclude_none=True)}
    assert set(dataset.index.groupby(["label", "camera"]).size()) == {10}
    assert (dataset.index.groupby("group")["fold"].nunique() == 1).all()
    for number in (0, 63, 64, 99):  # on both sides of a part's end
        row, image = dataset.index.iloc[number], simulate(spec, number)
        assert dataset.read_image(row["image_id"]) == image.jpeg
        assert row[["label", "camera", "group", "photographer"]].tolist() == [
            image.label, image.camera, image.group, image.photographer,
        ]  # fmt: skip


def test_a_simulated_part_holds_the_masks(dataset):
    part = pq.read_table(Folder(dataset.folder).file("images/part-00000.parquet"))
    mask = np.asarray(Image.open(io.BytesIO(part["regions"][5].as_py())))
    np.testing.assert_array_equal(mask, simulate(preset_spec("demo", images=100, size=64), 5).regions)


# --- rejected photos ------------------------------------------------------------------------------------


def break_photo(photos, name="A/x/3.jpg"):
    (photos / name).write_bytes(b"no photo")


def rejected(folder):
    return pd.read_csv(folder / "rejected.csv").to_dict("records")


def test_a_broken_photo_is_listed_and_the_others_imported(photos, small_parts, tmp_path, do_import):
    break_photo(photos)
    dataset = do_import(photos, max_rejected=1 / 24)
    assert (dataset.manifest.n_images, dataset.manifest.n_rejected) == (23, 1)
    assert dataset.manifest.notes == (
        "Photos that cannot be used are dropped: 1 of 'x' (first: A/x/3.jpg: no image format that can be read: save "
        "it as JPEG, PNG or TIFF).",
    )
    assert rejected(tmp_path / "out") == [
        {"path": "A/x/3.jpg", "reason": "no image format that can be read: save it as JPEG, PNG or TIFF"}
    ]
    assert "A/x/3.jpg" not in set(dataset.index["path"])
    for row in dataset.index.itertuples():
        assert dataset.read_image(row.image_id) == (photos / row.path).read_bytes()


def test_a_photo_that_is_not_there_is_listed(photos, tmp_path, do_import):
    rows = [*described(photos), {"path": "gone.jpg", "label": "A", "camera": "x"}]
    do_import(table(photos, rows), max_rejected=0.05)
    (row,) = rejected(tmp_path / "out")
    assert row["path"] == "gone.jpg"
    assert row["reason"].startswith("there is no such file: ")


def test_too_many_broken_photos_stop_the_import(photos, small_parts, tmp_path, do_import):
    break_photo(photos)
    break_photo(photos, "B/y/0.jpg")
    with pytest.raises(
        CamerabiasError, match=r"2 of the first 20 photos .* 5.00% of 24 .* First: A/x/3.jpg: no image format"
    ):
        do_import(photos, max_rejected=0.05)
    assert [row["path"] for row in rejected(tmp_path / "out")] == ["A/x/3.jpg", "B/y/0.jpg"]
    with pytest.raises(CamerabiasError, match="no complete dataset"):
        open_dataset(str(tmp_path / "out"))


def test_by_default_one_in_a_hundred_may_be_broken(photos, do_import):
    break_photo(photos)
    with pytest.raises(CamerabiasError, match=r"1 of the first 24 .* 1.00% of 24 .*raise --max-rejected"):
        do_import(photos)


def test_a_mended_photo_is_read_again(photos, make_photos, small_parts, tmp_path, do_import):
    break_photo(photos)
    with pytest.raises(CamerabiasError, match="fix or remove"):
        do_import(photos)
    make_photos("A/x/3.jpg")
    assert do_import(photos).manifest.n_images == 24
    assert not (tmp_path / "out/rejected.csv").exists()


def test_when_nothing_can_be_read_the_list_of_reasons_is_there(make_photos, tmp_path, do_import):
    root = make_photos("A/x/1.jpg")
    break_photo(root, "A/x/1.jpg")
    with pytest.raises(CamerabiasError, match="Not one photo could be decoded"):
        do_import(root, max_rejected=1)
    assert len(rejected(tmp_path / "out")) == 1


# --- copies and splits ----------------------------------------------------------------------------------


def copy_photo(photos, source="A/x/0.jpg", to="B/y/5.jpg"):
    shutil.copy(photos / source, photos / to)


def test_copies_have_names_of_their_own_and_one_fold(photos, do_import):
    copy_photo(photos)
    index = do_import(photos).index.set_index("path")
    assert index.loc["B/y/5.jpg", "image_id"] == index.loc["A/x/0.jpg", "image_id"] + "-1"
    assert index.loc["B/y/5.jpg", "fold"] == index.loc["A/x/0.jpg", "fold"]


def test_groups_that_share_a_copy_have_one_fold(photos, do_import):
    for n in range(5):  # g0 – g1 – ... – g5, a chain of shared photos
        copy_photo(photos, described(photos)[4 * n]["path"], described(photos)[4 * n + 5]["path"])
    index = do_import(table(photos, described(photos, group=lambda n: f"g{n // 4}"))).index
    assert index["group"].nunique() == 6
    assert index["fold"].nunique() == 1


def test_a_picture_in_more_than_five_groups_ties_none(photos, do_import):
    for n in range(4, 24, 4):
        copy_photo(photos, described(photos)[0]["path"], described(photos)[n]["path"])
    grouped = described(photos, group=lambda n: f"g{n // 4}")
    assert do_import(table(photos, grouped)).index["fold"].nunique() == 6
    for row in grouped[20:]:
        row["group"] = "g4"  # now five of them
    tied = do_import(table(photos, grouped, "b.csv"), "out2").index
    assert tied["fold"].nunique() == 1


def test_a_copy_can_be_read(photos, do_import):
    copy_photo(photos)
    dataset = do_import(photos)
    copies = dataset.index.loc[dataset.index["image_id"].str.endswith("-1"), "image_id"]
    assert dataset.read_image(copies.item()) == (photos / "A/x/0.jpg").read_bytes()


def test_a_users_split_is_kept(photos, do_import):
    plain = do_import(photos)
    dataset = do_import(table(photos, described(photos, split=half)), "out2")
    assert (plain.manifest.has_split, dataset.manifest.has_split) == (False, True)
    assert dataset.index["split"].tolist() == [half(n) for n in range(24)]
    assert dataset.manifest.fingerprint != plain.manifest.fingerprint


def test_copies_on_both_sides_of_a_split_are_named(photos, do_import):
    copy_photo(photos, "A/x/0.jpg", "A/x/1.jpg")
    message = r"1 images lie byte for byte on both sides .* A/x/0.jpg \(test\) and A/x/1.jpg \(train\)"
    with pytest.raises(CamerabiasError, match=message):
        do_import(table(photos, described(photos, split=half)))


def test_copies_on_one_side_of_a_split_are_fine(photos, do_import):
    copy_photo(photos, "A/x/0.jpg", "A/x/2.jpg")
    assert do_import(table(photos, described(photos, split=half))).manifest.n_images == 24


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (lambda n: ["train", "test", "extra"][n % 3], "holds 'extra'; allowed: train, val, test"),
        (lambda _: "train", "needs both train and test rows"),
    ],
)
def test_a_split_that_cannot_serve_is_refused(photos, do_import, split, message):
    with pytest.raises(CamerabiasError, match=message):
        do_import(table(photos, described(photos, split=split)))


# --- interrupted and repeated ---------------------------------------------------------------------------


class Killed(BaseException):
    """As good as kill -9: nothing catches it."""


def interrupt_after(n):
    def report(done, _):
        if done >= n:
            raise Killed

    return report


def test_an_interrupted_import_goes_on_where_it_stopped(photos, small_parts, tmp_path, do_import):
    with pytest.raises(Killed):
        do_import(photos, report=interrupt_after(12))
    before = written(tmp_path / "out")
    assert sorted(before) == [f"part-0000{n}.parquet" for n in range(3)]
    with pytest.raises(CamerabiasError, match="run that command again if it was interrupted"):
        open_dataset(str(tmp_path / "out"))
    do_import(photos)
    assert before.items() <= written(tmp_path / "out").items()
    do_import(photos, "whole")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_a_part_is_whole_or_not_there(photos, small_parts, tmp_path, do_import, monkeypatch):
    write, calls = create.pq.write_table, []

    def write_half(part, stream, **options):
        calls.append(part)
        if len(calls) == 3:
            stream.write(b"PAR1 half a part")
            raise Killed
        write(part, stream, **options)

    with monkeypatch.context() as patch:
        patch.setattr(create.pq, "write_table", write_half)
        with pytest.raises(Killed):
            do_import(photos)
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == [
        "part-00000.parquet", "part-00001.parquet",
    ]  # fmt: skip
    assert do_import(photos).manifest.n_images == 24


def test_what_a_killed_writer_left_under_a_temporary_name_is_no_part(
    photos, small_parts, tmp_path, do_import
):
    (tmp_path / "out/images").mkdir(parents=True)
    (tmp_path / "out/images/part-00000.parquet.0123.tmp").write_bytes(b"PAR1 half a part")
    assert do_import(photos).manifest.n_images == 24


def test_parts_of_another_source_are_not_taken_for_ones_own(photos, make_photos, small_parts, do_import):
    with pytest.raises(Killed):
        do_import(photos, report=interrupt_after(4))
    other = make_photos(*[f"C/z/{n}.jpg" for n in range(6)], root="other")
    dataset = do_import(other)
    assert (dataset.manifest.labels, dataset.manifest.n_images) == (("C",), 6)


def test_an_interrupted_simulation_goes_on_where_it_stopped(small_parts, tmp_path):
    with pytest.raises(Killed):
        simulate_dataset(SPEC, Folder(tmp_path / "out"), LocalExecutor(), interrupt_after(8))
    before = written(tmp_path / "out")
    assert len(before) == 2
    simulate_dataset(SPEC, Folder(tmp_path / "out"), LocalExecutor())
    assert before.items() <= written(tmp_path / "out").items()


def test_a_complete_dataset_is_opened_and_not_made_again(photos, tmp_path, do_import):
    first = do_import(photos)
    before = files_of(tmp_path / "out")
    photos.rename(tmp_path / "moved")
    second = do_import(tmp_path / "moved")
    assert second.manifest == first.manifest
    assert files_of(tmp_path / "out") == before


def test_another_source_or_fit_does_not_replace_a_dataset(photos, make_photos, tmp_path, do_import):
    do_import(photos)
    before = files_of(tmp_path / "out")
    with pytest.raises(CamerabiasError, match=r"fit resize, asked for fit pad.*choose another folder"):
        do_import(photos, fit="pad")
    with pytest.raises(
        CamerabiasError, match=r"made from kind folder.*, asked for kind simulator, preset demo"
    ):
        simulate_dataset(SPEC, Folder(tmp_path / "out"), LocalExecutor())
    make_photos("A/x/new.jpg")
    with pytest.raises(CamerabiasError, match=r"1 photos are new \(first: A/x/new.jpg\)"):
        do_import(photos)
    assert files_of(tmp_path / "out") == before


def test_progress_counts_photos(photos, small_parts, do_import):
    told = []
    do_import(photos, report=lambda done, n: told.append((done, n)))
    assert told == [(n, 24) for n in range(4, 25, 4)]


# --- opening --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 99}, "schema version 99; this camerabias reads version 1"),
        ({"fit": "x"}, "is damaged"),
    ],
)
def test_a_manifest_of_another_version_or_a_damaged_one_is_refused(
    photos, tmp_path, do_import, change, message
):
    do_import(photos)
    path = tmp_path / "out/dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CamerabiasError, match=message):
        open_dataset(str(tmp_path / "out"))


def test_the_manifest_survives_json(dataset):
    assert DatasetManifest.model_validate_json(dataset.manifest.model_dump_json()) == dataset.manifest


# --- damage ---------------------------------------------------------------------------------------------


def flip(path, where):
    """Change a bit of the byte at a share of a file."""
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("where", [0.3, 0.6, 0.9])
def test_an_index_with_a_flipped_bit_is_named_and_made_again_from_the_shards(
    photos, tmp_path, do_import, where
):
    first = do_import(photos)
    flip(tmp_path / "out/index.parquet", where)
    with pytest.raises(CamerabiasError, match=r"index.parquet is damaged, or was changed by hand. Remove "):
        open_dataset(str(tmp_path / "out"))
    (tmp_path / "out/dataset.json").unlink()
    assert do_import(photos).manifest == first.manifest


def test_a_shard_with_a_flipped_bit_is_named(photos, tmp_path, do_import):
    dataset = do_import(photos)
    flip(tmp_path / "out/images/part-00000.parquet", 0.5)
    with pytest.raises(CamerabiasError, match=r"The shard .*part-00000.parquet is damaged"):
        [*dataset.read_images("part-00000.parquet")]
