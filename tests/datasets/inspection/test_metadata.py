import hashlib
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.inspection.metadata import gather_facts, perceptual_hash
from camerabias.datasets.io.executor import LocalExecutor, RayExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sources.registry import read_source
from camerabias.datasets.views.fit import fit_factor


def exif(ifd=None, **tags):
    found = Image.Exif()
    names = {"make": 0x010F, "model": 0x0110, "orientation": 0x0112, "software": 0x0131, "when": 0x0132}
    for name, value in tags.items():
        found[names[name]] = value
    for tag, value in (ifd or {}).items():
        found.get_ifd(0x8769)[tag] = value
    return found.tobytes()


@pytest.fixture
def facts_of(tmp_path):
    """A function from the bytes of files, by name, to the facts by name."""

    def facts(files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        rows = pd.DataFrame({"path": list(files), "label": "a", "camera": "x"})
        rows.to_csv(tmp_path / "t.csv", index=False)
        dataset = import_dataset(
            read_source(str(tmp_path / "t.csv")), Folder(tmp_path / "out"), LocalExecutor()
        )
        found = gather_facts(dataset, LocalExecutor())
        assert found["image_id"].tolist() == dataset.index["image_id"].tolist()
        return found.set_index("path")

    return facts


def scene(height=96, width=128):
    """A smooth picture, as photos are."""
    small = np.random.default_rng(height).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def bits(first, second):
    return (perceptual_hash(first) ^ perceptual_hash(second)).bit_count()


def test_tables_tell_quality_and_subsampling_alone(facts_of, noise, encode):
    said = facts_of(
        {
            "a.jpg": encode(noise(), "JPEG", quality=90),
            "b.jpg": encode(noise(), "JPEG", quality=90, exif=exif(make="Canon")),
            "worse.jpg": encode(noise(), "JPEG", quality=80),
            "full.jpg": encode(noise(), "JPEG", quality=90, subsampling=0),
            "gray.jpg": encode(noise()[..., 0], "JPEG", quality=90),
            "png.png": encode(noise()),
        }
    )["tables"]
    assert said["a.jpg"] == said["b.jpg"]
    assert said[["a.jpg", "worse.jpg", "full.jpg", "gray.jpg"]].nunique() == 4
    assert said["full.jpg"].split()[0] == "1x1,1x1,1x1"
    assert said["a.jpg"].split()[0] == "2x2,1x1,1x1"
    assert pd.isna(said["png.png"])


def test_tables_are_those_of_the_file(facts_of, noise, encode):
    """Read from the file's DQT segment, which Pillow's writer puts first."""
    content = encode(noise()[..., 0], "JPEG", quality=70)
    at = content.index(b"\xff\xdb") + 5
    zigzag = list(content[at : at + 64])
    order = sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))
    table = [0] * 64
    for place, value in zip(order, zigzag, strict=True):
        table[place] = value
    expected = hashlib.sha256(repr([table]).encode()).hexdigest()[:8]
    assert facts_of({"a.jpg": content})["tables"].item() == f"1x1 {expected}"


def test_exif_tells_the_source_and_not_the_photo(facts_of, noise, encode):
    serial, unique, lens = 0xA431, 0xA420, 0xA434
    said = facts_of(
        {
            "a.jpg": encode(
                noise(),
                "JPEG",
                exif=exif({serial: "1", unique: "x", lens: "50"}, make="N", orientation=1, when="2020"),
            ),
            "b.jpg": encode(
                noise(),
                "JPEG",
                exif=exif({serial: "2", unique: "y", lens: "50"}, make="N", orientation=6, when="2021"),
            ),
            "lens.jpg": encode(noise(), "JPEG", exif=exif({lens: "85"}, make="N", orientation=1)),
            "held.jpg": encode(noise(), "JPEG", exif=exif({lens: "50"}, make="N")),
            "bare.jpg": encode(noise(), "JPEG"),
        }
    )["exif"]
    assert said["a.jpg"] == said["b.jpg"] == "Make=N; LensModel=50; Orientation=given"
    assert said[["a.jpg", "lens.jpg", "held.jpg"]].nunique() == 3
    assert pd.isna(said["bare.jpg"])


@pytest.mark.parametrize(
    "options",
    [
        {"file_format": "PNG", "mode": "P"},
        {"file_format": "PNG", "mode": "LA"},
        {"file_format": "PNG", "mode": "I;16"},
        {"file_format": "JPEG", "mode": "CMYK"},
        {"file_format": "JPEG", "mode": "L"},
        {"file_format": "JPEG", "mode": "RGB", "exif": b"Exif\0\0MM\0*\xff\xff\xff\xff"},
        {"file_format": "JPEG", "mode": "RGB", "progressive": True},
        {"file_format": "MPO", "mode": "RGB"},
        {"file_format": "GIF", "mode": "P"},
        {"file_format": "BMP", "mode": "RGB"},
        {"file_format": "WEBP", "mode": "RGB"},
    ],
    ids=str,
)
def test_whatever_was_imported_has_facts(facts_of, encode, options):
    mode, file_format = options.pop("mode"), options.pop("file_format")
    if mode == "I;16":
        picture = Image.fromarray((np.arange(96 * 128).reshape(96, 128) * 5).astype(np.uint16))
    else:
        picture = scene().convert(mode)
    found = facts_of({"a": encode(picture, file_format, **options)})
    assert found["hash"].dtype == np.uint64
    assert len(found) == 1


def test_hash_stays_near_when_a_photo_is_saved_again(dataset, encode):
    """What `analysis.duplicates.NEAR` promises, on simulated photos."""
    changes = {
        "quality 50": lambda photo: encode(photo, "JPEG", quality=50),
        "half": lambda photo: encode(photo.resize((32, 32), Image.Resampling.LANCZOS)),
        "brighter": lambda photo: encode(Image.eval(photo, lambda value: min(255, value * 6 // 5))),
    }
    contents = [dataset.read_image(image_id) for image_id in dataset.index["image_id"]]
    photos = [Image.open(io.BytesIO(content)).convert("RGB") for content in contents]
    for name, change in changes.items():
        far = [bits(content, change(photo)) > 6 for content, photo in zip(contents, photos, strict=True)]
        assert np.mean(far) <= 0.05, name


def test_unrelated_photos_differ_in_half_of_the_bits(encode):
    contents = [encode(scene(height)) for height in range(60, 100)]
    differing = [bits(a, b) for i, a in enumerate(contents) for b in contents[:i]]
    assert np.mean(differing) == pytest.approx(32, abs=2)


def test_a_turned_photo_has_the_hash_of_how_it_is_shown(encode):
    standing = scene()
    turned = encode(
        standing.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif(orientation=6)
    )
    assert bits(encode(standing, "JPEG", quality=95), turned) <= 2


def test_facts_hold_how_much_the_photo_is_scaled(dataset):
    facts = gather_facts(dataset, LocalExecutor())
    size, fit = dataset.manifest.size, dataset.manifest.fit
    expected = [fit_factor(row.height, row.width, size, size, fit) for row in dataset.index.itertuples()]
    assert facts["factor"].tolist() == expected


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
@pytest.mark.usefixtures("_ray")
def test_ray_gathers_the_same(dataset):
    told = []
    found = gather_facts(dataset, RayExecutor(), lambda *n: told.append(n))
    pd.testing.assert_frame_equal(found, gather_facts(dataset, LocalExecutor()))
    assert told[-1] == (len(dataset.manifest.parts),) * 2
