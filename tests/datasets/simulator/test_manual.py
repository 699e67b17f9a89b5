"""The manual's table of cameras is the code's."""

from dataclasses import fields
from pathlib import Path

from camerabias.datasets.simulator.cameras import CAMERAS, REFERENCE, Camera

MANUAL = Path(__file__).parents[3] / "docs" / "simulator.md"


def test_the_table_of_cameras_is_that_of_the_code():
    rows = [
        [f"`{entry.metadata['cue']}`", f"`{entry.name}`"]
        + [str(getattr(camera, entry.name)) for camera in (REFERENCE, *CAMERAS.values())]
        for entry in fields(Camera)
    ]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    assert table in MANUAL.read_text(encoding="utf-8"), f"docs/simulator.md needs this table:\n{table}"
