"""What has become of photos since they were imported: an import keeps their bytes, and so would hide it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence

import pandas as pd

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.schema import MANIFEST_FILE, PICTURE_DIGITS, CamerabiasError, pictures_of


def refuse_changes(dataset: Dataset, source: Source) -> None:
    """Compare a source with the dataset that was made from it.

    Labels, cameras and splits are compared for all photos. Pixels are compared where files on this machine have been
    written, or moved here, since the import; where the folder is another one, all of them are.

    Raises:
        CamerabiasError: They differ; says how many, and in what.
    """
    kept = dataset.index.drop_duplicates("path").set_index("path")
    differences = [*_words(kept, source.photos), *_pixels(dataset, kept, source)]
    if differences:
        raise CamerabiasError(
            f"{dataset.folder} holds these photos as they were: {'; '.join(differences)}. A DATASET stays as it "
            "is; choose another folder (another --run), or remove that one."
        )


def _words(kept: pd.DataFrame, photos: Sequence[Photo]) -> Iterator[str]:
    new = [photo.path for photo in photos if photo.path not in kept.index]
    gone = sorted(set(kept.index) - {photo.path for photo in photos})
    for what, paths in (("new, or were rejected", new), ("gone", gone)):
        if paths:
            yield f"{len(paths)} photos are {what} (first: {paths[0]})"
    for name in ("label", "camera", "split"):
        before = kept[name].to_dict()
        pairs = [(photo.path, getattr(photo, name)) for photo in photos if photo.path in before]
        changed = [
            (path, now)
            for path, now in pairs
            if now != (None if pd.isna(before[path]) else before[path])
            and not (name == "camera" and now is None)
        ]
        if changed:
            path, now = changed[0]
            yield f"{len(changed)} have another {name} (first: {path}: {now!r}, was {before[path]!r})"


def _pixels(dataset: Dataset, kept: pd.DataFrame, source: Source) -> Iterator[str]:
    if not source.root.is_local or source.read:
        return  # reading a bucket again would cost as much as importing it
    moved = source.root.uri != dataset.manifest.source["root"]
    since = 0.0 if moved else dataset.folder.changed(MANIFEST_FILE)
    ids = pictures_of(kept["image_id"]).to_dict()
    changed = [
        photo.path
        for photo in source.photos
        if photo.path in ids and _differs(source.root.file(photo.path), since, ids[photo.path])
    ]
    if changed:
        yield f"{len(changed)} have other pixels (first: {changed[0]})"


def _differs(path: str, since: float, image_id: str) -> bool:
    """Whether a file that was written, or moved here, after a time holds another image."""
    try:
        if os.stat(path).st_ctime <= since:
            return False
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:PICTURE_DIGITS] != image_id
    except OSError:  # gone or locked away since, which takes nothing from what was imported
        return False
