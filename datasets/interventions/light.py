"""From linear light to encoded levels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.photo import to_light


def to_levels(light: npt.NDArray[np.floating[Any]]) -> Pixels:
    """The levels of linear light, which is clipped to 0 to 1: `to_light` undone."""
    return np.searchsorted(_borders(), light.ravel()).astype(np.uint8).reshape(light.shape)


@lru_cache(maxsize=1)
def _borders() -> npt.NDArray[np.float32]:
    """Light halfway between a level and the next one, (255,)."""
    light = to_light(np.arange(256, dtype=np.uint8))
    return np.asarray((light[:-1] + light[1:]) / 2)
