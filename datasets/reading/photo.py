"""What every source of photos comes to: paths below a folder, and the words that belong to each photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.words import as_text
from camerabias.datasets.schema import CameraFrom, Layout


@dataclass(frozen=True)
class Photo:
    """One photo as its source describes it; `camera` is None where EXIF is to tell."""

    path: str
    label: str
    camera: str | None
    group: str | None = None
    split: str | None = None
    others: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The path as text, whatever bytes the file's name is made of."""
        return as_text(self.path)


@dataclass(frozen=True)
class Source:
    """Photos below a folder.

    Attributes:
        kind: The source's name in the registry.
        root: The folder that paths are relative to.
        photos: All of them.
        notes: What was assumed in reading, and what looks like a mistake, in sentences.
        read: Reads a photo by its path, where it is no file of the folder; can be pickled.
    """

    kind: str
    root: Folder
    photos: list[Photo]
    notes: tuple[str, ...] = ()
    read: Callable[[str], bytes] | None = None


@dataclass(frozen=True)
class Reading:
    """How a source is to be read; each format takes of it what it needs.

    Attributes:
        label: A table's column of what is to be learned.
        camera: A table's column of the device.
        group: A table's column of what must not be split; None takes a column `group` where there is one.
        camera_from: `exif`: the camera is each photo's EXIF make and model. None: the source names it.
        path: A table's column of paths; None takes the usual names of such a column.
        images: The folder of a table's photos, in which they are also looked up by name; None is the table's own
            folder.
        one_vs_rest: A label, or a member of labels that are sets such as `A|B`: all others become one label.
        layout: A folder's levels; None is label/camera, and label alone when the camera comes from EXIF.
    """

    label: str = "label"
    camera: str = "camera"
    group: str | None = None
    camera_from: CameraFrom | None = None
    layout: Layout | None = None
    path: str | None = None
    images: str | None = None
    one_vs_rest: str | None = None

    @property
    def from_exif(self) -> bool:
        """Whether the camera is to come from each photo's EXIF."""
        return self.camera_from == "exif"


@dataclass(frozen=True)
class SourceKind:
    """A format that photos come in.

    Attributes:
        recognises: Whether a location, a path or a URI, is of this format.
        read: Reads a location that it recognises; `CamerabiasError` says what does not fit.
        words: As an error lists it among what may be given: "a table (.csv)".
    """

    recognises: Callable[[str], bool]
    read: Callable[[str, Reading], Source]
    words: str


SOURCES: dict[str, SourceKind] = {}
"""Formats by name, which stands in the dataset's manifest; the files of this folder fill it."""
