"""Photos in a tree of folders whose levels are label and camera, and perhaps the sides of a split above them."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import SOURCES, Photo, Reading, Source, SourceKind
from camerabias.datasets.reading.sets import one_vs_rest
from camerabias.datasets.reading.splits import SPLITS, look_for_sides, name_sides
from camerabias.datasets.reading.walk import CONVERSIONS, HIDDEN_FILES, IMAGE_ENDINGS, files_below
from camerabias.datasets.reading.words import as_text, clean, look_at_words
from camerabias.datasets.schema import CamerabiasError

MAX_NAMED = 5

TABLES = (".csv", ".tsv", ".parquet", ".jsonl")
"""Endings of tables, and of hardly anything else that lies beside photos."""

NUMBERED = r"[\W_]*\d+\.\w+$"
"""What follows the label in a name such as beagle_12.jpg."""


def is_folder(location: str) -> bool:
    """Whether a folder, or anything below such a prefix of a bucket, is there."""
    folder = Folder(location)
    return folder.exists() and not folder.is_file()


def read_folder(location: str, reading: Reading) -> Source:
    """Walk a folder.

    Raises:
        CamerabiasError: It holds no photos, its levels do not fit, or the camera would come from two places.
    """
    root, layout = Folder(location), reading.layout or ("label" if reading.from_exif else "label/camera")
    levels = layout.split("/")
    if ("camera" in levels) == reading.from_exif:
        raise CamerabiasError(
            f"The layout {layout!r} {'already names' if reading.from_exif else 'does not name'} the camera; use "
            "--layout label with --camera-from exif, or --layout label/camera or camera/label without it."
        )
    found, notes = photo_paths(root)
    places, sides, said = _placed(root, found, len(levels))
    levels = ["split", *levels] if sides else levels
    _refuse_shallow(root, places, levels, reading)
    said += _look_deeper(places, levels)
    words = [
        {level: clean(word) for level, word in zip(levels, place.split("/"), strict=False)}
        for place in places.values()
    ]
    labels = [word["label"] for word in words]
    if reading.one_vs_rest:
        labels = one_vs_rest(labels, reading.one_vs_rest)
    splits, more = _splits(places, sides)
    cameras = [word["camera"] for word in words if "camera" in word]
    said += _say_levels((word["label"] for word in words), cameras, reading)
    notes += [*said, *more, *look_at_words(labels, cameras, len(places)), *look_for_sides(labels, cameras)]
    photos = [
        Photo(path, label, word.get("camera"), split=split)
        for path, label, word, split in zip(places, labels, words, splits, strict=True)
    ]
    return Source("folder", root, photos, tuple(notes))


def photo_paths(root: Folder) -> tuple[list[str], list[str]]:
    """Sorted paths of the photos below a folder, and what else is there, in sentences.

    Raises:
        CamerabiasError: There are no photos, or a folder may not be read.
    """
    skipped: Counter[str] = Counter()
    files = sorted(files_below(root, skipped))
    paths = [path for path in files if path.lower().endswith(IMAGE_ENDINGS)]
    others = Counter(posixpath.splitext(path)[1].lower() or "no ending" for path in files) - Counter(
        posixpath.splitext(path)[1].lower() for path in paths
    )
    notes = [
        f"{'Files' if what == HIDDEN_FILES else 'Folders'} passed over, {what}: {n}."
        for what, n in skipped.items()
    ]
    if others:
        listed = ", ".join(
            f"{n} {ending}{f' ({CONVERSIONS[ending]})' if ending in CONVERSIONS else ''}"
            for ending, n in others.most_common()
        )
        notes.append(f"Files not taken: {listed}.")
    if not paths:
        raise CamerabiasError(
            f"The folder {root} holds no photos ({', '.join(IMAGE_ENDINGS)}). {' '.join(notes)}".strip()
        )
    return paths, notes


def _placed(
    root: Folder, paths: Iterable[str], depth: int
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Where each photo counts as lying, sides of a split by their folders, and what was assumed."""
    places, said = _doubled_once(paths, depth)
    said += _unwrap(places, 0, depth)
    sides = _sides(root, places)
    if sides:
        said += [f"The folders {', '.join(sides)} are the sides of a split.", *_drop_unlabelled(places)]
        said += _unwrap(places, 1, depth)
    return places, sides, said


def _unwrap(places: dict[str, str], start: int, depth: int) -> list[str]:
    """Pass over folders that hold but one folder each, as archives have them, from a level on; in a sentence."""
    folders = [place.split("/")[start:-1] for place in places.values()]
    same = posixpath.commonprefix(folders)
    below = sorted({folder[len(same)] for folder in folders if len(folder) > len(same)})
    if not same or len(below) < 2 or max(map(len, folders)) < len(same) + depth:
        return []
    for path, place in places.items():
        levels = place.split("/")
        places[path] = "/".join(levels[:start] + levels[start + len(same) :])
    where = "All photos lie in" if start == 0 else "On every side of the split, all photos lie in"
    return [f"{where} {as_text('/'.join(same))}, so folders count from there on: {_some(below)}."]


def _some(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > MAX_NAMED else ""
    return ", ".join(map(as_text, names[:MAX_NAMED])) + more


def _say_levels(labels: Iterable[str], cameras: Iterable[str], reading: Reading) -> list[str]:
    """Which folders are taken for what, where nobody has said so."""
    if reading.layout or reading.from_exif:
        return []
    return [
        f"Folders are read as labels ({_some(sorted({*labels}))}), and those in them as cameras "
        f"({_some(sorted({*cameras}))}); --layout camera/label reads them the other way round."
    ]


def _doubled_once(paths: Iterable[str], depth: int) -> tuple[dict[str, str], list[str]]:
    """Where each photo counts as lying: a folder that holds but one of its own name, as zips make it, is one with it.

    Args:
        paths: Of photos.
        depth: Levels that must remain.
    """
    below = defaultdict(set)
    for path in paths:
        levels = path.split("/")
        below[levels[0]].add(levels[1] if len(levels) > depth + 1 else "")
    doubled = {top for top, names in below.items() if names == {top}}
    places = {path: path.partition("/")[2] if path.partition("/")[0] in doubled else path for path in paths}
    named = ", ".join(sorted(map(as_text, doubled))[:MAX_NAMED])
    return places, [
        f"Folders that hold one of their own name count as one with it: {named}."
    ] if doubled else []


def _top(place: str) -> str:
    return place.partition("/")[0]


def _sides(root: Folder, places: Mapping[str, str]) -> dict[str, str]:
    """Which side of a split each topmost folder is, where they are named so: `train`, or `seg_train`.

    A lone folder `train` is a side, too: as a label, it would leave nothing to be told apart.

    Raises:
        CamerabiasError: Some are, and others are not: labels named train and test would be taken in silence.
    """
    tops = {_top(place): place.count("/") for place in places.values() if "/" in place}
    named: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for top in sorted(tops):
        words = re.split(r"([\W_]+)", top.casefold())
        for place in [number for number, word in enumerate(words) if word in SPLITS]:
            named["".join([*words[:place], "*", *words[place + 1 :]])][top] = SPLITS[words[place]]
    sides = next((found for found in named.values() if len({*found.values()}) > 1), {})
    if len(tops) == 1:
        sides = named.get("*", {})
    others = [top for top, depth in sorted(tops.items()) if top not in sides and depth > 1]
    if sides and others:
        raise CamerabiasError(
            f"In {root}, {', '.join(sides)} look like sides of a split, but {', '.join(map(as_text, others[:3]))} "
            "lies beside them. Move it elsewhere, or list the photos in a table with columns path, label, camera and "
            "split."
        )
    return sides


def _drop_unlabelled(places: dict[str, str]) -> list[str]:
    """Drop photos of topmost folders without folders of labels, where others have such; counted, in sentences."""
    flat = Counter(_top(place) for place in places.values() if place.count("/") == 1)
    flat -= Counter({_top(place): len(places) for place in places.values() if place.count("/") > 1})
    if not flat or flat.total() == len(places):
        return []
    for path in [path for path, place in places.items() if _top(place) in flat]:
        del places[path]
    named = ", ".join(f"{n} in {as_text(top)}" for top, n in flat.items())
    return [f"Photos that lie in no folder of a label are passed over: {named}."]


def _splits(places: Mapping[str, str], sides: Mapping[str, str]) -> tuple[list[str | None], list[str]]:
    """The side of each photo, None where but one is left, and what was assumed."""
    there = [sides[_top(place)] for place in places.values()] if sides else []
    if len({*there}) < 2:
        return [None] * len(places), []
    named, said = name_sides(there)
    return [*named], said


def _look_deeper(places: Mapping[str, str], levels: list[str]) -> list[str]:
    """Say where the folders below the labels are named alike, as labels below other folders would be."""
    below: defaultdict[str, set[str]] = defaultdict(set)
    for place in places.values():
        words = place.split("/")
        below[words[len(levels) - 1]].add(words[len(levels)] if len(words) > len(levels) + 1 else "")
    names = sorted(below[min(below)])
    alike = {*map(frozenset, below.values())} == {frozenset(names)}
    if levels[-1] != "label" or len(names) < 2 or "" in names or not alike:
        return []
    return [
        f"The folders {_some(sorted(below))} are read as labels, and each holds {_some(names)}. If these are the "
        "labels, list the photos in a table."
    ]


def _refuse_shallow(root: Folder, places: Mapping[str, str], levels: list[str], reading: Reading) -> None:
    """Every photo lies as deep as the layout says, or deeper."""
    shallow = [path for path, place in places.items() if place.count("/") < len(levels)]
    if not shallow:
        return
    if tables := sorted(path for path in files_below(root) if path.lower().endswith(TABLES)):
        listed = ", ".join(map(as_text, tables[:MAX_NAMED]))
        advice = f"If a table there lists them ({listed}), give that instead, as in {root.file(tables[0])}."
    elif not any("/" in place for place in places.values()):
        wanted = "path and label" if reading.from_exif else "path, label, camera"
        advice = (
            f"No folder names a label: list the photos in a table with {wanted}.{_from_names(root, shallow)}"
        )
    else:
        options = ["sort photos into such folders", "choose another --layout"]
        options += ["take cameras from EXIF with --camera-from exif"] * (not reading.from_exif)
        advice = f"Either {' or '.join(options)}."
    raise CamerabiasError(
        f"The folder {root} does not read as {'/'.join(levels).upper()}/photo: {as_text(shallow[0])} lies too high up"
        f"{f', as do {len(shallow) - 1} others' if len(shallow) > 1 else ''}. {advice}"
    )


def _from_names(root: Folder, names: list[str]) -> str:
    """A line of Python for photos whose names begin with their label, as in beagle_12.jpg; empty for others."""
    labels = Counter(re.sub(NUMBERED, "", name) for name in names)
    if len(labels) < 2 or "" in labels or 2 * len(labels) > len(names):
        return ""
    ending = posixpath.splitext(names[0])[1]
    return (
        " Where names begin with the label, in Python: import glob, pandas; "
        f"table = pandas.DataFrame({{'path': sorted(glob.glob('*{ending}', root_dir={str(root)!r}))}}); "
        f"table['label'] = table['path'].str.replace(r'{NUMBERED}', '', regex=True); "
        f"table.to_csv({root.file('photos.csv')!r}, index=False)"
    )


SOURCES["folder"] = SourceKind(is_folder, read_folder, "a folder of photos")
