"""Popular layouts, made up with photos of our own, go to `check` by the command that the manual gives for each."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import datasets as hugging_face

MANUAL = Path(__file__).parents[3] / "docs/manual/photos.md"
COMMANDS = re.search(r"## Popular layouts\n\n```console\n(.*?)```", MANUAL.read_text(), re.DOTALL)[
    1
].splitlines()
LABELS, CAMERAS = ["nv", "mel"], ["one", "two"]


def photo(path, n, **how):
    """A photo of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((48, 40), 20 + n).convert("RGB").save(path, **how)
    return path


def cell(n):
    """Label and camera of the nth photo: every label by every camera."""
    return LABELS[n % 2], CAMERAS[n // 2 % 2]


def ham10000(root):
    rows = []
    for n in range(24):
        photo(root / f"HAM10000_images_part_{n % 2 + 1}/ISIC_{n:07}.jpg", n)
        rows.append(
            (f"HAM_{n // 2:07}", f"ISIC_{n:07}", cell(n)[0], "histo", 80.0, "male", "scalp", cell(n)[1])
        )
    columns = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset"]
    pd.DataFrame(rows, columns=columns).to_csv(root / "HAM10000_metadata.csv", index=False)


def cassava(root):
    for n in range(24):
        exif = Image.Exif()
        exif[271], exif[272] = "Acme", cell(n)[1]
        photo(root / f"cassava/train_images/{1000 + n}.jpg", n, exif=exif)
    rows = [{"image_id": f"{1000 + n}.jpg", "label": n % 2} for n in range(24)]
    pd.DataFrame(rows).to_csv(root / "cassava/train.csv", index=False)


def birds(root):
    names = [photo(root / f"birds/{n}.png", n).name for n in range(24)]
    rows = [
        dict(zip(("file_name", "species", "device"), (name, *cell(n)), strict=True))
        for n, name in enumerate(names)
    ]
    pd.DataFrame(rows).to_csv(root / "birds/metadata.csv", index=False)


def scans(root):
    features = hugging_face.Features(
        image=hugging_face.Image(),
        diagnosis=hugging_face.ClassLabel(names=LABELS),
        scanner=hugging_face.Value("string"),
    )
    rows = []
    for n in range(24):
        image = {"bytes": photo(root / "own.png", n).read_bytes(), "path": None}
        rows.append({"image": image, "diagnosis": cell(n)[0], "scanner": cell(n)[1]})
    (root / "scans").mkdir()
    hugging_face.disable_progress_bars()
    hugging_face.Dataset.from_list(rows, features=features).to_parquet(
        root / "scans/train-00000-of-00001.parquet"
    )


def camelyon17(root):
    rows = []
    for n in range(24):
        name = f"patient_{n:03}_node_1"
        photo(root / f"camelyon17_v1.0/patches/{name}/patch_{name}_x_{n}_y_0.png", n)
        rows.append((f"{n:03}", 1, n, 0, n % 2, 20, n // 2 % 2, 0))
    columns = ["patient", "node", "x_coord", "y_coord", "tumor", "slide", "center", "split"]
    pd.DataFrame(rows, columns=columns).to_csv(root / "camelyon17_v1.0/metadata.csv")


MAKERS = [ham10000, cassava, birds, scans, camelyon17]


@pytest.mark.parametrize(
    ("make", "line"), [*zip(MAKERS, COMMANDS, strict=True)], ids=[make.__name__ for make in MAKERS]
)
def test_popular_layouts_are_checked_with_one_command(make, line, command, tmp_path, monkeypatch):
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*shlex.split(line)[1:])
    assert (code, err) == (0, "")
    assert "24 photos" in out
