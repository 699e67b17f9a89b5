"""One picture, byte for byte, in several places: under two labels or cameras, or again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.design.names import MAX_NAMED, count_of
from camerabias.datasets.schema import MAX_TIED_GROUPS, pictures_of, quoted

MAX_KEPT = 100
"""Pictures of a kind whose photos are kept by name."""


class Repeated(BaseModel):
    """Pictures of a kind that several photos show, byte for byte.

    Attributes:
        pictures: How many.
        photos: Photos that show them.
        groups: Groups that these lie in.
        named: Of the first `MAX_KEPT`, two photos each that show why they are of the kind, or the first one.
    """

    model_config = ConfigDict(frozen=True)

    pictures: int
    photos: int
    groups: int
    named: tuple[tuple[str, ...], ...]


class Copies(BaseModel):
    """What is repeated byte for byte; a picture counts in every kind that it is of.

    Attributes:
        two_labels: Pictures under several labels.
        two_cameras: Pictures under several cameras.
        frequent: Pictures that more than `MAX_TIED_GROUPS` photos show, such as placeholders.
        others: Pictures that are repeated, and of no other kind.
    """

    model_config = ConfigDict(frozen=True)

    two_labels: Repeated
    two_cameras: Repeated
    frequent: Repeated
    others: Repeated


def find_copies(photos: pd.DataFrame) -> Copies:
    """Look for photos with the same bytes.

    Args:
        photos: A row per photo: image_id, label, camera, group and, if known, path; the index or the facts.
    """
    picture = pictures_of(photos["image_id"])
    found = photos.assign(picture=picture, photo=photos["path" if "path" in photos else "image_id"])
    found = found[picture.duplicated(keep=False)]
    by_picture = found.groupby("picture", sort=False)
    labels, cameras = (by_picture[name].transform("nunique") > 1 for name in ("label", "camera"))
    frequent = by_picture["photo"].transform("size") > MAX_TIED_GROUPS
    return Copies(
        two_labels=_repeated(found[labels], "label"),
        two_cameras=_repeated(found[cameras], "camera"),
        frequent=_repeated(found[frequent], "picture"),
        others=_repeated(found[~(labels | cameras | frequent)]),
    )


def _repeated(found: pd.DataFrame, differing: str | None = None) -> Repeated:
    """Pictures of a kind; named are their first photos, of those with equal `differing` one alone."""
    kept = found[found["picture"].isin(found["picture"].unique()[:MAX_KEPT])]
    if differing:
        kept = kept.drop_duplicates(["picture", differing])
    shown = kept["photo"].astype(str)
    if differing in ("label", "camera"):
        shown += " (" + kept[differing].map(quoted) + ")"
    return Repeated(
        pictures=found["picture"].nunique(),
        photos=len(found),
        groups=found["group"].nunique(),
        named=tuple(tuple(names[:2]) for _, names in shown.groupby(kept["picture"], sort=False)),
    )


def describe_copies(copies: Copies) -> Iterator[str]:
    """Sentences, contradictions first: no classifier can learn those."""
    for what, repeated in (("labels", copies.two_labels), ("cameras", copies.two_cameras)):
        if repeated.pictures:
            yield (
                f"{count_of(repeated.pictures, 'picture has', 'pictures have')} two {what}, byte for byte the same "
                f"in {repeated.photos} photos: {_named(repeated)}. No classifier can learn both: correct the {what}, "
                "or remove those photos."
            )
    if copies.frequent.pictures:
        yield (
            f"{count_of(copies.frequent.pictures, 'picture is', 'pictures are')} there more than {MAX_TIED_GROUPS} "
            f"times, as a placeholder ('no longer available') would be: {copies.frequent.photos} photos in "
            f"{count_of(copies.frequent.groups, 'group', 'groups')}, byte for byte the same, such as "
            f"{_named(copies.frequent)}. Remove those photos. A picture in more than {MAX_TIED_GROUPS} groups does "
            "not put them into one fold."
        )
    if copies.others.pictures:
        yield (
            f"{count_of(copies.others.pictures, 'picture is', 'pictures are')} there more than once with one label "
            f"and camera, as {copies.others.photos} photos: {_named(copies.others)}. Each counts; remove all but one."
        )


def _named(repeated: Repeated) -> str:
    return "; ".join(map(_pair, repeated.named[:MAX_NAMED]))


def _pair(names: Sequence[str]) -> str:
    twice = len(names) > 1 and len(set(names)) == 1
    return f"{names[0]} (listed twice)" if twice else " and ".join(names)
