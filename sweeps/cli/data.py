"""`camerabias data`: make, build and look at datasets."""

from __future__ import annotations

from typing import Annotated

import typer

from camerabias.datasets.schema import Preset
from camerabias.sweeps.cli.app import data_app
from camerabias.sweeps.cli.options import (
    CameraFromOption,
    CameraOption,
    ExecutorOption,
    FitOption,
    GroupOption,
    ImagesOption,
    LabelOption,
    LayoutOption,
    MaxRejectedOption,
    OneVsRestOption,
    PathOption,
    SizeOption,
)


@data_app.command(
    epilog="Examples: camerabias data simulate datasets/demo --preset demo; "
    "camerabias data simulate datasets/jpeg --cues none,jpeg_quality=1 --images 500; "
    "camerabias data simulate datasets/biased --correlation 0.8"
)
def simulate(
    out: Annotated[str, typer.Argument(help="Folder of the new DATASET.")],
    preset: Annotated[
        Preset, typer.Option(help="`demo` (1,000 at 128 px) or `paper` (3,090 at 1024 px).")
    ] = "demo",
    images: Annotated[int | None, typer.Option(help="Number of images, a multiple of 10.")] = None,
    size: Annotated[int | None, typer.Option(help="Side in pixels, from 64.")] = None,
    cues: Annotated[
        str | None,
        typer.Option(help="Cues by which cameras differ: `all`, `none`, or `none,jpeg_quality=1,prnu=0.5`."),
    ] = None,
    correlation: Annotated[
        float | None,
        typer.Option(
            help="Correlation of label and camera, 0 to 1: every bottle is photographed once. By "
            "default all cameras photograph every bottle."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random in the photos.")] = 0,
    executor: ExecutorOption = "ray",
) -> None:
    """Simulate photos of bottles from five cameras whose differences are known."""
    import camerabias

    camerabias.simulate(out, preset, images, size, cues, correlation, seed, executor, verbose=True)


@data_app.command(
    "import",
    epilog="Examples: camerabias data import photos.csv datasets/mine; "
    "camerabias data import photos/ datasets/mine --camera-from exif",
)
def import_(
    source: Annotated[
        str, typer.Argument(help="A table (CSV, TSV, Parquet, JSON Lines) or a folder of photos.")
    ],
    out: Annotated[str, typer.Argument(help="Folder of the new DATASET.")],
    label: LabelOption = "label",
    camera: CameraOption = "camera",
    group: GroupOption = None,
    camera_from: CameraFromOption = None,
    layout: LayoutOption = None,
    path: PathOption = None,
    images: ImagesOption = None,
    one_vs_rest: OneVsRestOption = None,
    fit: FitOption = "resize",
    max_rejected: MaxRejectedOption = 0.01,
    executor: ExecutorOption = "ray",
) -> None:
    """Import your own photos; their bytes are kept as they are."""
    import camerabias

    camerabias.import_photos(
        source,
        out,
        label,
        camera,
        group,
        camera_from,
        layout,
        path,
        images,
        one_vs_rest,
        fit,
        max_rejected,
        executor,
        verbose=True,
    )


@data_app.command(epilog="Example: camerabias data build datasets/demo --views rgb,gray,binary --size 128")
def build(
    dataset: Annotated[str, typer.Argument(help="The DATASET's folder.")],
    views: Annotated[str, typer.Option(help="Views, comma-separated: rgb,gray,binary,left,right.")],
    size: SizeOption = None,
    executor: ExecutorOption = "ray",
) -> None:
    """Build variants ahead of a sweep (which otherwise builds what it needs)."""
    from camerabias.datasets.dataset import open_dataset
    from camerabias.datasets.io.executor import EXECUTORS, for_photos
    from camerabias.datasets.views.build import build_variants
    from camerabias.datasets.views.registry import parse_views
    from camerabias.datasets.views.variant import Variant
    from camerabias.sweeps.monitoring.console import console, counting

    opened = open_dataset(dataset)
    side = size or opened.manifest.size
    variants = [Variant(view=view, size=side, fit=opened.manifest.fit) for view in parse_views(views)]
    where = for_photos(EXECUTORS[executor](), opened.manifest.n_images)
    with counting("Building shards") as report:
        build_variants(opened, variants, where, report)
    for variant in variants:
        height, width, channels = variant.shape
        console.print(f"{opened.folder}/variants/{variant.folder}: {height} × {width} × {channels}")


@data_app.command(
    epilog="Examples: camerabias data equalise runs/mine/dataset noise repaired/; "
    'camerabias data equalise datasets/mine "white balance" repaired/'
)
def equalise(
    dataset: Annotated[
        str, typer.Argument(help="The DATASET's folder; that of an audited run is RUN/dataset.")
    ],
    cue: Annotated[str, typer.Argument(help="What is equalised: noise, blur, jpeg, white balance, ...")],
    out: Annotated[str, typer.Argument(help="A folder of its own for photos.csv and the photos, as PNG.")],
    executor: ExecutorOption = "ray",
) -> None:
    """Bring all photos to one level of one cue, to train on them and to see whether that helps.

    Photos become PNG, of several times the size of JPEG. The same command resumes after any interruption.
    """
    import camerabias

    camerabias.equalise(dataset, cue, out, executor, verbose=True)
