"""What has become of photos since they were imported: an import keeps their bytes, and so would hide it."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.schema import MANIFEST_FILE, REJECTED_FILE, CamerabiasError, pictures_of


def refuse_changes(dataset: Dataset, source: Source) -> None:
    """Compare a source with the dataset that was made from it.

    Labels, cameras and splits are compared for all photos. Pixels are compared where files on this machine have been
    written, or moved here, since the import; where the folder is another one, all of them are.

    Raises:
        CamerabiasError: They differ; says how many, and in what.
    """
    kept = dataset.index.set_index("path")
    differences = [
        *_came_and_went(kept, dataset, source),
        *_words(kept, source.photos),
        *_pixels(dataset, kept, source),
    ]
    if differences:
        raise CamerabiasError(
            f"{dataset.folder} holds these photos as they were: {'; '.join(differences)}. A DATASET stays as it "
            "is; choose another folder (another --run), or remove that one."
        )


def _came_and_went(kept: pd.DataFrame, dataset: Dataset, source: Source) -> Iterator[str]:
    since, rejected = _made(dataset, source), _rejected(dataset)
    before, now = (
        Counter(kept.index),
        Counter(photo.name for photo in source.photos),
    )  # some may be listed twice
    others = [photo for photo in source.photos if photo.name not in before]
    new = [name for name in (now - before).elements() if name not in rejected]
    mended = [
        photo.name
        for photo in others
        if photo.name in rejected
        and source.root.is_local
        and _written_since(source.root.file(photo.path), since)
    ]
    gone = sorted((before - now).elements())
    for what, paths in (("new", new), ("other files than those that were rejected", mended), ("gone", gone)):
        if paths:
            yield f"{len(paths)} photos are {what} (first: {paths[0]})"


def _rejected(dataset: Dataset) -> set[str]:
    if not dataset.folder.exists(REJECTED_FILE):
        return set()
    return set(pd.read_csv(io.BytesIO(dataset.folder.read_bytes(REJECTED_FILE)), dtype=str)["path"])


def _made(dataset: Dataset, source: Source) -> float:
    """Since when files may have changed: the beginning, where the folder is another, or a clock was set back."""
    moved, since = source.root.uri != dataset.manifest.source["root"], dataset.folder.changed(MANIFEST_FILE)
    return 0.0 if moved or since > time.time() else since


def _words(kept: pd.DataFrame, photos: Sequence[Photo]) -> Iterator[str]:
    for name in ("label", "camera", "split"):
        said = {(path, None if pd.isna(value) else value) for path, value in kept[name].items()}
        paths = {path for path, _ in said}
        asked = [(photo.name, getattr(photo, name)) for photo in photos if photo.name in paths]
        changed = [
            (path, now)
            for path, now in asked
            if (path, now) not in said and not (name == "camera" and now is None)
        ]
        if changed:
            path, now = changed[0]
            was = " and ".join(map(repr, kept.loc[[path], name]))
            yield f"{len(changed)} have another {name} (first: {path}: {now!r}, was {was})"


def _pixels(dataset: Dataset, kept: pd.DataFrame, source: Source) -> Iterator[str]:
    if not source.root.is_local or source.read:
        return  # reading a bucket again would cost as much as importing it
    since = _made(dataset, source)
    ids = pictures_of(kept["image_id"]).to_dict()
    changed = [
        photo.name
        for photo in source.photos
        if photo.name in ids and _differs(source.root.file(photo.path), since, ids[photo.name])
    ]
    if changed:
        yield f"{len(changed)} have other pixels (first: {changed[0]})"


def _differs(path: str, since: float, image_id: str) -> bool:
    """Whether a file that was written, or moved here, after a time holds another image."""
    try:
        if not _written_since(path, since):
            return False
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:20] != image_id
    except OSError:  # locked away since, which takes nothing from what was imported
        return False


def _written_since(path: str, since: float) -> bool:
    """Whether a file was written, or moved here, after a time; one that is gone was not."""
    try:
        return os.stat(path).st_ctime > since
    except OSError:
        return False
