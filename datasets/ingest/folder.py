"""Photos in a tree of folders whose levels are label and camera."""

from __future__ import annotations

from camerabias.datasets.ingest.photo import SOURCES, Photo, Reading, Source, SourceKind
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError

IMAGE_ENDINGS = (
    ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".pgm", ".jp2",
    ".jfif", ".avif", ".heic", ".heif",  # what Pillow does not read is rejected by name, not passed over
)  # fmt: skip


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
    photos = []
    for path in _photo_paths(root, layout):
        words = dict(zip(levels, path.split("/"), strict=False))
        photos.append(Photo(path=path, label=words["label"], camera=words.get("camera")))
    return Source("folder", root, photos)


SOURCES["folder"] = SourceKind(is_folder, read_folder, "a folder of photos")


def _photo_paths(root: Folder, layout: str) -> list[str]:
    """Sorted paths of the photos, each as deep as the layout says, or deeper."""
    visible = [path for path in root.walk() if not any(name.startswith(".") for name in path.split("/"))]
    paths = [path for path in visible if path.lower().endswith(IMAGE_ENDINGS)]
    shallow = [path for path in paths if path.count("/") < len(layout.split("/"))]
    if not paths or shallow:
        found = f"{shallow[0]} lies too high up" if shallow else "it holds no photos"
        raise CamerabiasError(
            f"The folder {root} does not read as {layout.upper()}/photo: {found}. Sort photos into such "
            "folders, choose another --layout, or take cameras from EXIF with --camera-from exif."
        )
    return paths
