"""Which cues are worth moving: those whose pixel statistics differ most between cameras."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from camerabias.analysis.statistics.permutation import LEVEL

MOST = 2
"""Cues that are moved: each takes a quarter of a minute."""

MEASURED_BY: Mapping[str, tuple[str, ...]] = {
    "white balance": ("warmth", "tint", "gray_warmth", "gray_tint"),
    "noise": ("noise_level", "noise_red", "noise_green", "noise_blue", "colour_noise"),
    "vignetting": ("corner_darkening",),
    "blur": ("edge_width",),
    "denoising, sharpening": ("overshoot",),
    "chromatic aberration": ("red_magnification", "blue_magnification"),
    "tone": ("midtones", "contrast"),
    "jpeg": ("luma_step", "chroma_step", "table_slope", "chroma_subsampling"),
}
"""By cue that can be moved, the pixel statistics that measure it rather than another one."""


def cues_to_move(differences: pd.DataFrame) -> list[str]:
    """At most `MOST` cues, the one by which cameras differ most first.

    Args:
        differences: As `camera_differences` gives them.
    """
    certain = differences[differences["p_holm"] <= LEVEL]
    largest = {
        cue: certain.loc[certain["statistic"].isin(statistics), "effect"].abs().max()
        for cue, statistics in MEASURED_BY.items()
    }
    return pd.Series(largest, dtype=float).dropna().nlargest(MOST).index.tolist()
