"""Photos that are nearly the same, and where it matters: in two groups, on two sides of a test, with two labels."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from camerabias.datasets.schema import pictures_of

NEAR = 8
"""Differing bits of 64 up to which two photos may be nearly the same: saved again, scaled or brightened, 19 of 20
stay that near. So do different scenes on one backdrop. Mirrored, turned and cropped copies are not found."""

ALIKE = 0.9
"""Correlation of two photos' details from which on they are: of 1,000 scenes on one backdrop 2 reach it at most, of
copies 19 of 20 (`benchmarks/duplicates.py`; a test holds a part of it)."""

NEAR_ALONE = 6
"""As `NEAR`, for facts without details, which camerabias wrote before."""

MAX_COMPARED = 30_000
"""Photos that are compared at most, all with all: half a billion pairs take some ten seconds."""

MAX_KEPT = 100
"""Pairs that are named: more than a person looks at, and copies of a blank photo come in millions."""

BLOCK = 2**24
"""Pairs that are compared at once."""


class Pair(BaseModel):
    """Two photos that are nearly the same, by path (or image_id), and by how many bits their hashes differ."""

    model_config = ConfigDict(frozen=True)

    first: str
    second: str
    bits: int


class Duplicates(BaseModel):
    """Photos of different groups that are nearly the same; within a group that is as it should be.

    Attributes:
        n_compared: Photos that were compared.
        n_photos: Photos that nearly equal one of another group.
        n_pairs: Pairs of such photos.
        n_crossing: Pairs of which one is tested while the other trains: on two sides of the split, or in two folds.
        n_labels: Pairs with two labels.
        n_pictures: What they show, all that pairs join counted as one.
        most: Photos of the one that most show.
        pairs: The first `MAX_KEPT` pairs, in the order of the facts.
    """

    model_config = ConfigDict(frozen=True)

    n_compared: int
    n_photos: int
    n_pairs: int
    n_crossing: int
    n_labels: int
    n_pictures: int
    most: int
    pairs: tuple[Pair, ...]


def near_duplicates(facts: pd.DataFrame) -> Duplicates:
    """Compare all photos.

    Args:
        facts: As `datasets.inspection.metadata.gather_facts` gives them; of more than `MAX_COMPARED`, every
            second, third, ...
    """
    step = max(1, -(-len(facts) // MAX_COMPARED))
    photos = facts.iloc[::step]
    side = photos["fold"] if photos["split"].isna().all() else photos["split"] == "test"
    sides, label = (pd.factorize(column)[0] for column in (side, photos["label"]))
    names = photos["path" if "path" in photos else "image_id"].to_numpy()
    n_pairs = n_crossing = n_labels = 0
    picture = np.arange(len(photos))
    pairs: list[Pair] = []
    for first, second, bits in _alike(photos):
        picture = _joined(picture, first, second)
        n_pairs += len(first)
        n_crossing += int((sides[first] != sides[second]).sum())
        n_labels += int((label[first] != label[second]).sum())
        kept = slice(MAX_KEPT - len(pairs))
        pairs += [
            Pair(first=names[i], second=names[j], bits=int(n))
            for i, j, n in zip(first[kept], second[kept], bits[kept], strict=True)
        ]
    sizes = np.bincount(picture)
    return Duplicates(
        n_compared=len(photos),
        n_photos=int(sizes[sizes > 1].sum()),
        n_pairs=n_pairs,
        n_crossing=n_crossing,
        n_labels=n_labels,
        n_pictures=int((sizes > 1).sum()),
        most=int(sizes.max(initial=0)),
        pairs=tuple(pairs),
    )


Numbers = npt.NDArray[np.intp]


def _joined(picture: Numbers, first: Numbers, second: Numbers) -> Numbers:
    """Pictures by number, those of pairs of photos made one."""
    n = len(picture)
    edges = coo_matrix((np.ones(len(first), dtype=bool), (picture[first], picture[second])), shape=(n, n))
    return np.asarray(connected_components(edges, directed=False)[1][picture], dtype=np.intp)


def _alike(photos: pd.DataFrame) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """As `_near`, of two groups, of like details, and not byte for byte the same, which `copies` names."""
    group, picture = (
        pd.factorize(column)[0] for column in (photos["group"], pictures_of(photos["image_id"]))
    )
    details = _details(photos)
    for pairs in _near(photos["hash"].to_numpy(np.uint64), NEAR_ALONE if details is None else NEAR):
        first, second, _ = pairs
        chosen = (group[first] != group[second]) & (picture[first] != picture[second])
        first, second, bits = (numbers[chosen] for numbers in pairs)
        if details is not None:
            alike = _correlate(details, first, second) >= ALIKE
            first, second, bits = first[alike], second[alike], bits[alike]
        yield first, second, bits


def _details(photos: pd.DataFrame) -> npt.NDArray[np.float32] | None:
    """Details as rows of length 1, or 0 where there is none; None for facts that do not have them."""
    if "detail" not in photos or photos["detail"].isna().any():
        return None
    details = np.stack(
        [np.frombuffer(base64.b64decode(detail), dtype=np.int8) for detail in photos["detail"]]
    ).astype(np.float32)
    details -= details.mean(axis=1, keepdims=True)
    return np.asarray(details / np.maximum(np.linalg.norm(details, axis=1, keepdims=True), 1))


def _correlate(details: npt.NDArray[np.float32], first: Numbers, second: Numbers) -> npt.NDArray[np.float32]:
    """Correlation of pairs' details; each photo is looked up once, however many pairs it is in."""
    rows, row = np.unique(first, return_inverse=True)
    columns, column = np.unique(second, return_inverse=True)
    return np.asarray((details[rows] @ details[columns].T)[row, column])


def _near(hashes: npt.NDArray[np.uint64], most: int) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """Positions of all pairs within `most` bits, the first before the second, and by how many bits they differ."""
    rows = max(1, BLOCK // max(len(hashes), 1))
    for start in range(0, len(hashes), rows):
        bits = np.bitwise_count(hashes[start : start + rows, None] ^ hashes[None, start:])
        first, second = np.nonzero(bits <= most)
        ahead = first < second
        first, second = first[ahead], second[ahead]
        yield first + start, second + start, bits[first, second].astype(np.intp)
