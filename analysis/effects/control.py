"""How much of a shortcut effect comes from the association in training: the head, its control, and shams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.effects.camera_sums import within_label
from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.permutation import Codes, p_value, with_seeds
from camerabias.trainables.records.record import ProbeArrays


@dataclass(frozen=True)
class ControlEffect:
    """What becomes of the risk difference where label and camera were independent in training.

    Attributes:
        exposed: The risk difference of heads trained on the photos as they are.
        control: That of heads trained with weights under which label and camera are independent.
        p: Share of sham heads, with the control's weights in another order, whose risk difference is as small.
        effective: Effective share of the training photos under these weights.
    """

    exposed: float
    control: float
    p: float
    effective: float


def control_effect(
    seeds: Sequence[pd.DataFrame], controls: Sequence[ProbeArrays], associated: Mapping[str, str]
) -> ControlEffect | None:
    """Compare the risk differences of exposed, control and sham heads on the same test photos.

    Args:
        seeds: A frame per seed of the exposed heads, as `Records.predictions` gives it, of a target `label`.
        controls: Per seed, arrays of the probe `control`.
        associated: Associated label by camera.

    Returns:
        None where some seed has no control, or no photo could tell.
    """
    if len(controls) != len(seeds) or not controls or any("why" in arrays for arrays in controls):
        return None
    rows = with_seeds(seeds)
    rows["associated"] = rows["camera"].map(dict(associated))
    tied = within_label(rows, "associated")
    could = float((tied**2).to_numpy().sum())
    if not could > 0:
        return None
    places = [_places(frame, arrays) for frame, arrays in zip(seeds, controls, strict=True)]
    names = [str(name) for name in controls[0]["classes"]]
    padded = tied.reindex(columns=names, fill_value=0.0).to_numpy()

    def difference(codes: Codes) -> Floats:
        """Risk differences of (..., n) codes of predicted classes."""
        found: Floats = padded[np.arange(len(rows)), codes].sum(axis=-1) / could
        return found

    def joined(name: str) -> Codes:
        parts = [arrays[name][..., place] for place, arrays in zip(places, controls, strict=True)]
        return np.concatenate(parts, axis=-1).astype(np.intp)

    exposed = cast(Codes, pd.Categorical(rows["prediction"], categories=names).codes.astype(np.intp))
    control, shams = float(difference(joined("control"))), difference(joined("shams"))
    effective = float(np.mean([arrays["effective"] for arrays in controls]))
    return ControlEffect(float(difference(exposed)), control, p_value(-control, -shams), effective)


def _places(frame: pd.DataFrame, arrays: ProbeArrays) -> npt.NDArray[np.intp]:
    """Where the images of a frame stand in arrays of the same trial."""
    return pd.Index(arrays["image_id"]).get_indexer(pd.Index(frame["image_id"]))
