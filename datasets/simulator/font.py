"""The 5 × 7 dot-matrix characters of the batch codes."""

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 5, 7

# Seven rows of five bits, the leftmost dot is the highest bit. Letters that are easily taken for digits are excluded,
# as on real batch codes.
_ROWS_OF: dict[str, tuple[int, ...]] = {
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    "A": (14, 17, 17, 17, 31, 17, 17),
    "C": (14, 17, 16, 16, 16, 17, 14),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "F": (31, 16, 16, 30, 16, 16, 16),
    "H": (17, 17, 17, 31, 17, 17, 17),
    "K": (17, 18, 20, 24, 20, 18, 17),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "R": (30, 17, 17, 30, 20, 18, 17),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "X": (17, 17, 10, 4, 10, 17, 17),
}
CHARACTERS = "".join(_ROWS_OF)


def dots_of(character: str) -> NDArray[np.float32]:
    """Return the dots of one character.

    Args:
        character: One of `CHARACTERS`.

    Returns:
        Positions (column, row) of its dots in dots from the upper left one, shape (dots, 2).
    """
    bits = [[row >> (COLUMNS - 1 - column) & 1 for column in range(COLUMNS)] for row in _ROWS_OF[character]]
    return np.argwhere(np.array(bits))[:, ::-1].astype(np.float32)
