"""Named random streams: a number drawn in one of them never moves the numbers of another."""

from enum import IntEnum

import numpy as np


class SimulatorStream(IntEnum):
    """What the random numbers are for. The values are part of the data set: never renumber them."""

    BOTTLE = 0
    TEXTURE = 1
    POSE = 2
    DEVICE = 3
    NOISE = 4
    DESIGN = 5


def generator(seed: int, stream: SimulatorStream, *key: int) -> np.random.Generator:
    """Return the generator of one stream.

    Args:
        seed: The data set's seed, at least 0.
        stream: What the numbers are for.
        key: Whose numbers they are, such as (bottle,) or (bottle, camera); each at least 0.

    Returns:
        A fresh generator, the same for the same arguments on every machine.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, stream, *key]))
