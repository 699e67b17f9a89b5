"""Pictures of reports for the manual: `python docs/screenshots.py [NAME=RUN ...]`, half a minute; needs Chromium.

Predictions are drawn, judged and compared; of any RUN that is named the first screen is added, as report_NAME.png.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import camerabias

IMAGES = Path(__file__).resolve().parent / "images"
CAMERAS, LABELS = np.array(["Galaxy", "iPhone", "Pixel", "Redmi"]), np.array(["boot", "sneaker"])
COLOURS = 128
"""Of a picture: letters and flat colours need no more, and it is a third as large."""

DESK, PHONE, PAPER = (1100, 760), (390, 844), (794, 1123)
"""Widths and heights in pixels; paper is A4 at 96 per inch."""

WORLDS = {
    # photos, share of them by the camera that goes with the label, share whose camera decides, cameras identified
    "cheating": (900, 0.85, 0.35, 0.95),
    "cannot_tell": (300, 0.99, 0.0, 0.95),
    "at_risk": (900, 0.85, 0.0, 0.95),
    "no_evidence": (900, 0.85, 0.0, 0.0),
}


def predictions(photos: int, aligned: float, decided: float, identified: float) -> pd.DataFrame:
    """Predictions of a classifier that is right for nine photos in ten where the camera does not decide."""
    generator = np.random.default_rng(1)

    def share(of: float) -> np.ndarray:
        return generator.random(photos) < of

    camera = generator.integers(len(CAMERAS), size=photos)
    label = np.where(share(aligned), camera % 2, 1 - camera % 2)
    given = np.where(share(decided), camera % 2, np.where(share(0.1), 1 - label, label))
    named = np.where(share(identified), camera, generator.integers(len(CAMERAS), size=photos))
    return pd.DataFrame(
        {
            "label": LABELS[label],
            "prediction": LABELS[given],
            "camera": CAMERAS[camera],
            "predicted_camera": CAMERAS[named],
        }
    )


@contextmanager
def opened(report: str, size: tuple[int, int], **context: object) -> Iterator[Page]:
    """A report in a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        width, height = size
        page = browser.new_page(viewport={"width": width, "height": height}, **context)  # type: ignore[arg-type]
        page.goto(Path(report).resolve().as_uri())
        yield page
        browser.close()


def keep(page: Page, name: str) -> None:
    """Write what the window shows as report_NAME.png."""
    shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = IMAGES / f"report_{name}.png"
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def main(runs: dict[str, str]) -> None:
    """Write every picture."""
    pages = {name: str(Path(run, "report/index.html").resolve()) for name, run in runs.items()}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # so that pages name runs as people do
        judged = {name: f"runs/{name}" for name in WORLDS}
        for name, run in judged.items():
            camerabias.judge(predictions(*WORLDS[name]), run=run)
        pages |= {name: f"{run}/report/index.html" for name, run in judged.items()}
        for name, page in pages.items():
            with opened(page, DESK) as window:
                keep(window, name)
        with opened(pages["cheating"], DESK) as window:
            window.evaluate("document.querySelector('dl').scrollIntoView()")
            keep(window, "judged")
        with opened(camerabias.compare(judged["cheating"], judged["no_evidence"]).page, DESK) as window:
            keep(window, "compared")
        with opened(pages["cheating"], DESK, color_scheme="dark") as window:
            keep(window, "dark")
        with opened(pages["cheating"], PHONE) as window:
            keep(window, "phone")
        with opened(pages["cheating"], PAPER) as window:
            window.emulate_media(media="print")
            window.add_style_tag(
                content="html { padding: 15mm }"
            )  # a printer's margin, which no screen shows
            keep(window, "print")


if __name__ == "__main__":
    main(dict(word.split("=", 1) for word in sys.argv[1:]))
