"""What a calibration of the linear probe has come to, on designs dealt from simulated worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from camerabias.analysis.report.lines import read_documents
from camerabias.analysis.verdict.outcome import VerdictOutcome

GroupKind = Literal["single", "bursts", "sessions"]
"""Groups of one photo, of photos of one label and camera, and of photos of any."""


class DealtDesign(BaseModel):
    """Which photos of a world are dealt.

    Attributes:
        world: Number of the world.
        seed: Of what is dealt at random: cameras, photos, groups, folds.
        cameras: How many of the world's four.
        correlation: Of label and camera: a share of (1 + correlation) / 2 of a camera's photos has its label; 1 is
            unidentifiable.
        groups: What kind of groups.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    world: int
    seed: int
    cameras: Literal[2, 4]
    correlation: float
    groups: GroupKind

    @property
    def name(self) -> str:
        """Names it among other designs."""
        return f"world {self.world} design {self.seed}"


class DesignLine(BaseModel):
    """What the linear probe and its verdict have made of a design.

    Attributes:
        design: The design.
        planted: Strength by cue that its cameras differ in.
        size: Side of the photos in pixels.
        photos: How many were dealt.
        verdict: The verdict.
        evidence: Numbers of the verdict, by name.
        truth: Share of predictions that go over to another camera's associated label when that camera takes the same
            object, minus the share that goes against it: the counterfactual of the very heads that were judged. 0
            where cameras are one and the same; None where no label is associated with a camera.
        truth_p: Of its test; None where there is none.
        seconds: Wall time, on one core.
        version: Of camerabias.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    design: DealtDesign
    planted: dict[str, float]
    size: int
    photos: int
    verdict: VerdictOutcome
    evidence: dict[str, float | None]
    truth: float | None
    truth_p: float | None
    seconds: float
    version: str


def read_designs(path: Path) -> list[DesignLine]:
    """Lines of a calibration on designs; none where there is no file.

    Raises:
        CamerabiasError: A line cannot be read; it is named by its number.
    """
    return read_documents(path, DesignLine)
