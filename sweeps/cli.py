"""The command line. Commands read their arguments, call one function each, and print what came of it.

Heavy imports stand inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from camerabias.datasets.schema import CamerabiasError, Executor, Fit, Layout

if TYPE_CHECKING:
    from camerabias.analysis.report import Report
    from camerabias.datasets.storage import Folder
    from camerabias.sweeps.sweep import Outcome, Request

EXIT_ERROR, EXIT_FAIL_ON, EXIT_BUG = 1, 3, 70

CameraFrom = Literal["exif"]
Preset = Literal["demo", "paper"]

app = typer.Typer(
    name="camerabias",
    help="Does your image classifier recognise the class, or the camera that took the picture?",
    epilog="Start with: camerabias demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
data_app = typer.Typer(help="Make, build and look at datasets.", no_args_is_help=True)
sweep_app = typer.Typer(help="Plan, run and watch studies: models × settings × seeds.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(sweep_app, name="sweep")

RunOption = Annotated[str, typer.Option("--run", help="Folder or bucket prefix that holds the records.")]
DataOption = Annotated[str, typer.Option("--data", help="DATASET folder, from `camerabias data`.")]
ExecutorOption = Annotated[
    Executor,
    typer.Option(help="`ray` spreads work over cores and machines; `local` does it here, one by one."),
]
LabelOption = Annotated[str, typer.Option(help="The table's column of what is to be learned.")]
CameraOption = Annotated[str, typer.Option(help="The table's column of the device that took the photo.")]
GroupOption = Annotated[
    str | None,
    typer.Option(
        help="Column of what must not be split between training and test (`group`, if there is one)."
    ),
]
CameraFromOption = Annotated[
    CameraFrom | None, typer.Option(help="`exif`: the camera is each photo's EXIF make and model.")
]
LayoutOption = Annotated[
    Layout | None,
    typer.Option(help="Levels of a folder SOURCE: `label/camera` (default), `camera/label`, or `label`."),
]
FitOption = Annotated[
    Fit,
    typer.Option(
        help="How photos become a model's input: `resize` the short side and cut the centre out, "
        "`crop` unscaled pixels, or `pad`."
    ),
]
MaxRejectedOption = Annotated[
    float, typer.Option(help="Share of photos that may be undecodable before the import stops.", min=0, max=1)
]
ModelsOption = Annotated[
    str | None, typer.Option(help="Models, comma-separated, in place of the study's own: resnet34,alexnet.")
]
SeedsOption = Annotated[str | None, typer.Option(help="Seeds, comma-separated: 0,1,2.")]
SizeOption = Annotated[
    int | None,
    typer.Option(
        help="Side of the models' input in pixels, from 32; by default the dataset's own (small_cnn: at most 128).",
        min=32,
    ),
]
WeightsOption = Annotated[
    str, typer.Option(help="`imagenet`, `none` (train from scratch), or a file of weights.")
]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Run failed trials again.")]
LogOption = Annotated[
    str | None,
    typer.Option(help="Log to these besides TensorBoard, comma-separated: mlflow,wandb."),
]
AddressOption = Annotated[
    str | None, typer.Option(help="Address of a Ray cluster; by default Ray starts here.")
]
InsistOption = Annotated[
    bool,
    typer.Option(
        "--allow-unauthenticated", help="Use a cluster that asks for no token, which anybody can run code on."
    ),
]
RecipeOption = Annotated[
    str | None, typer.Option(help="Training recipe: a shipped name or a YAML file, in place of the study's.")
]


def main() -> None:
    """Entry point; exit codes are 0, 1 (told in a sentence), 2 (usage), 3 (`--fail-on`) and 70 (our bug)."""
    try:
        app()
    except CamerabiasError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except Exception:  # noqa: BLE001 - nothing is swallowed: the traceback goes into a file that is named
        _apologise()
        sys.exit(EXIT_BUG)


def _apologise() -> None:
    with tempfile.NamedTemporaryFile("w", prefix="camerabias-", suffix=".log", delete=False) as log:
        log.write(" ".join(sys.argv) + "\n\n" + traceback.format_exc())
    last = traceback.format_exc().strip().splitlines()[-1]
    print(
        f"Sorry, this is a bug in camerabias: {last}\nPlease report it with the file {log.name}.",
        file=sys.stderr,
    )


# --- the whole path -------------------------------------------------------------------------------------


@app.command(epilog="Example: camerabias demo --run runs/demo")
def demo(
    run: RunOption = "runs/demo",
    seeds: SeedsOption = None,
    executor: ExecutorOption = "ray",
) -> None:
    """Simulate photos, train on them with and without camera bias, and report: ten minutes on two cores."""
    from camerabias.datasets.create import simulate_dataset
    from camerabias.datasets.simulator import preset_spec
    from camerabias.datasets.storage import Folder
    from camerabias.sweeps.display import counting
    from camerabias.sweeps.sweep import Request

    data = Folder(run).child("dataset")
    with counting("Simulating photos") as report:
        simulate_dataset(preset_spec("demo"), data, executor, report)
    request = Request(["demo"], data.uri, run, seeds=_numbers(seeds), weights="none", executor=executor)
    _run_and_report(request)


@app.command(
    epilog="Examples: camerabias audit photos.csv --run runs/mine --quick --weights none --model small_cnn; "
    "camerabias audit photos/ --camera-from exif --run runs/mine --fail-on cheating"
)
def audit(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A table of photos, a folder of photos, or a DATASET.")],
    run: RunOption,
    quick: Annotated[
        bool, typer.Option("--quick", help="At most 20 trials (with three seeds, its own number).")
    ] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="Also how much correlation it takes, unseen cameras, and what helps."),
    ] = False,
    fail_on: Annotated[
        str | None,
        typer.Option(help="Verdicts, comma-separated, that make it exit with 3: cheating,at-risk."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Model to train; `small_cnn`, from scratch, is for CPUs.")
    ] = "resnet34",
    weights: WeightsOption = "imagenet",
    seeds: SeedsOption = None,
    size: SizeOption = None,
    recipe: RecipeOption = None,
    label: LabelOption = "label",
    camera: CameraOption = "camera",
    group: GroupOption = None,
    camera_from: CameraFromOption = None,
    layout: LayoutOption = None,
    max_rejected: MaxRejectedOption = 0.01,
    address: AddressOption = None,
    executor: ExecutorOption = "ray",
    retry_failed: RetryOption = False,
    allow_unauthenticated: InsistOption = False,
) -> None:
    """Import photos, look at their design, train on them, and say whether the classifier uses the camera.

    Weights `none` trains from scratch with the recipe `scratch` (`small_cnn`: `small`); pretrained weights are tuned
    with `paper`.
    """
    from camerabias.datasets.dataset import is_dataset
    from camerabias.datasets.storage import Folder
    from camerabias.sweeps.audit import BATTERIES, run_audit
    from camerabias.sweeps.sweep import Request

    if quick and full:
        raise typer.BadParameter("is the opposite of --full; give one of them", param_hint="--quick")
    failing = _verdicts(fail_on)
    if is_dataset(source):
        _refuse_to_import(context, source)
        data = Folder(source)
    else:
        data = Folder(run).child("dataset")
        _import(source, data, label, camera, group, camera_from, layout, "resize", max_rejected, executor)
    request = Request(
        [],
        data.uri,
        run,
        models=[model],
        seeds=_numbers(seeds),
        recipe=recipe or _usual_recipe(model, weights),
        size=size,
        weights=weights,
        address=address,
        executor=executor,
        retry_failed=retry_failed,
        allow_unauthenticated=allow_unauthenticated,
    )
    _, outcomes = run_audit(request, BATTERIES["quick" if quick else "full" if full else "default"])
    verdict = _report(run).verdict
    for outcome in outcomes:
        _exit_if_failed(outcome)
    if verdict is not None and verdict.verdict in failing:
        raise typer.Exit(EXIT_FAIL_ON)


def _refuse_to_import(context: typer.Context, source: str) -> None:
    """Options that say how photos are read would change nothing of photos that have been imported."""
    options = ("label", "camera", "group", "camera_from", "layout", "max_rejected")
    given = [
        f"--{name.replace('_', '-')}"
        for name in options
        if (how := context.get_parameter_source(name)) and how.name == "COMMANDLINE"
    ]
    if given:
        raise CamerabiasError(
            f"{source} is a DATASET, whose photos have been imported already: {', '.join(given)} would change "
            "nothing. Leave that out, or import the photos again with `camerabias data import`."
        )


def _usual_recipe(model: str, weights: str) -> str:
    if weights != "none":
        return "paper"
    return "small" if model == "small_cnn" else "scratch"


def _verdicts(text: str | None) -> set[str]:
    """Verdicts from the command line, `at-risk` or `at risk`."""
    from camerabias.analysis.verdict import OUTCOMES

    given = {word.replace("-", " ") for word in _words(text) or ()}
    unknown = sorted(given - set(OUTCOMES))
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(map(repr, unknown))} is no verdict; allowed: "
            f"{', '.join(outcome.replace(' ', '-') for outcome in OUTCOMES)}",
            param_hint="--fail-on",
        )
    return given


@app.command(
    epilog="Examples: camerabias calibrate calibration.jsonl; camerabias calibrate calibration.jsonl --tables"
)
def calibrate(
    lines: Annotated[
        Path, typer.Argument(help="File with a line of JSON per dataset; what it lacks is run and added.")
    ],
    jobs: Annotated[int, typer.Option(help="Datasets at a time, each on one core.", min=1)] = 2,
    part: Annotated[
        str, typer.Option(help="Share of the datasets to run, such as 1/3: for several machines.")
    ] = "1/1",
    reference: Annotated[
        bool,
        typer.Option(
            "--reference", help="Run the datasets that cues have fingerprints from, and print these."
        ),
    ] = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="Run nothing; print the tables of the file.")
    ] = False,
) -> None:
    """Audit simulated datasets whose truth is known, and say how often the verdict is right."""
    from camerabias.analysis.calibration import (
        measure_fingerprints,
        read_lines,
        summarise,
        summarise_references,
    )
    from camerabias.analysis.tables import show_markdown
    from camerabias.sweeps.calibrate import cases, reference_cases, run_cases
    from camerabias.sweeps.display import console

    number, count = _part(part)
    asked = (reference_cases() if reference else cases())[number - 1 :: count]
    for line in run_cases([] if tables else asked, lines, jobs):
        console.print(f"{line.case.name}: {line.verdict} ({', '.join(line.cues) or 'no cue named'})")
    if reference and not tables:
        typer.echo(measure_fingerprints(read_lines(lines)).to_csv(lineterminator="\n"), nl=False)
        return
    for table in (summarise_references if reference else summarise)(read_lines(lines)):
        typer.echo(f"\n{table.caption}\n\n{show_markdown(table.frame)}")


def _part(text: str) -> tuple[int, int]:
    """`2/3`: the second of three parts."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise typer.BadParameter(
            f"{text!r} is no part; write 2/3 for the second of three", param_hint="--part"
        )
    return int(number), int(count)


@app.command(epilog="Example: camerabias report runs/demo")
def report(run: Annotated[str, typer.Argument(help="The run's folder.")]) -> None:
    """Make tables, figures and the page again from a run's records."""
    _report(run)


# --- datasets -------------------------------------------------------------------------------------------


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
        typer.Option(help="What tells cameras apart: `all`, `none`, or `none,jpeg_quality=1,prnu=0.5`."),
    ] = None,
    correlation: Annotated[
        float | None,
        typer.Option(
            help="Photograph every bottle once, by a camera that goes with its label: 0 not at all, 1 always. By "
            "default all cameras photograph every bottle."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random in the photos.")] = 0,
    executor: ExecutorOption = "ray",
) -> None:
    """Simulate photos of bottles from five cameras whose differences are known."""
    from camerabias.datasets.create import simulate_dataset
    from camerabias.datasets.simulator import parse_cues, preset_spec
    from camerabias.datasets.storage import Folder
    from camerabias.sweeps.display import counting, print_made

    parsed = None if cues is None else parse_cues(cues)
    spec = preset_spec(preset, images=images, size=size, cues=parsed, seed=seed, correlation=correlation)
    with counting("Simulating photos") as report:
        dataset = simulate_dataset(spec, Folder(out), executor, report)
    print_made(dataset)


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
    fit: FitOption = "resize",
    max_rejected: MaxRejectedOption = 0.01,
    executor: ExecutorOption = "ray",
) -> None:
    """Import your own photos; their bytes are kept as they are."""
    from camerabias.datasets.storage import Folder

    _import(source, Folder(out), label, camera, group, camera_from, layout, fit, max_rejected, executor)


@data_app.command(epilog="Example: camerabias data build datasets/demo --views rgb,gray,binary --size 128")
def build(
    dataset: Annotated[str, typer.Argument(help="The DATASET's folder.")],
    views: Annotated[str, typer.Option(help="Views, comma-separated: rgb,gray,binary,left,right.")],
    size: SizeOption = None,
    executor: ExecutorOption = "ray",
) -> None:
    """Build variants ahead of a sweep (which otherwise builds what it needs)."""
    from camerabias.datasets.build import build_variants
    from camerabias.datasets.dataset import open_dataset
    from camerabias.datasets.views import Variant, parse_views
    from camerabias.sweeps.display import console, counting

    opened = open_dataset(dataset)
    side = size or opened.manifest.size
    variants = [Variant(view=view, size=side, fit=opened.manifest.fit) for view in parse_views(views)]
    with counting("Building parts") as report:
        build_variants(opened, variants, executor, report)
    for variant in variants:
        height, width, channels = variant.shape
        console.print(f"{opened.folder}/variants/{variant.folder}: {height} × {width} × {channels}")


@data_app.command(epilog="Example: camerabias data show datasets/demo")
def show(
    dataset: Annotated[str, typer.Argument(help="The DATASET's folder.")],
    executor: ExecutorOption = "local",
) -> None:
    """Print what the photos can tell before any training, and write a contact sheet."""
    from camerabias.analysis.design import check_design
    from camerabias.datasets.dataset import open_dataset
    from camerabias.datasets.facts import gather_facts
    from camerabias.datasets.inspect import contact_sheet
    from camerabias.sweeps.display import console, counting, print_overview

    opened = open_dataset(dataset)
    with counting("Reading headers of parts") as report:
        facts = gather_facts(opened, executor, report)
    print_overview(opened, check_design(facts))
    opened.folder.write_bytes("contact_sheet.png", contact_sheet(opened))
    console.print(f"Contact sheet: {opened.folder.file('contact_sheet.png')}")


# --- sweeps ---------------------------------------------------------------------------------------------

StudiesArgument = Annotated[list[str], typer.Argument(help="Names of studies, or YAML files.")]


@sweep_app.command(
    epilog="Example: camerabias sweep plan table2 --data datasets/demo --run runs/demo --weights none"
)
def plan(
    studies: StudiesArgument,
    data: DataOption,
    run: RunOption,
    models: ModelsOption = None,
    seeds: SeedsOption = None,
    recipe: RecipeOption = None,
    size: SizeOption = None,
    weights: WeightsOption = "imagenet",
    address: AddressOption = None,
    price: Annotated[
        float | None,
        typer.Option(help="Dollars per hour of one GPU (or core): also say what it may cost.", min=0),
    ] = None,
) -> None:
    """Print the trials that a sweep comes to, what is done already, and how long the rest may take and cost.

    With --address, training steps are timed on that cluster, otherwise on this machine.
    """
    from camerabias.sweeps.display import print_plan
    from camerabias.sweeps.estimate import estimate
    from camerabias.sweeps.sweep import Request, find_measure, plan_sweep
    from camerabias.trainables.record import Run

    request = Request(
        studies, data, run, _words(models), _numbers(seeds), recipe=recipe, size=size, weights=weights
    )
    planned = plan_sweep(request)
    print_plan(planned, estimate(planned, Run(run), find_measure(address)), price)


@sweep_app.command(
    "run", epilog="Example: camerabias sweep run table1 table2 --data datasets/demo --run runs/demo"
)
def run_(
    studies: StudiesArgument,
    data: DataOption,
    run: RunOption,
    models: ModelsOption = None,
    seeds: SeedsOption = None,
    recipe: RecipeOption = None,
    size: SizeOption = None,
    weights: WeightsOption = "imagenet",
    address: AddressOption = None,
    executor: ExecutorOption = "ray",
    retry_failed: RetryOption = False,
    allow_unauthenticated: InsistOption = False,
    log: LogOption = None,
) -> None:
    """Run what is missing of some studies; the same command goes on after any interruption."""
    from camerabias.sweeps.display import print_outcome
    from camerabias.sweeps.sweep import Request, run_sweep

    request = Request(
        studies,
        data,
        run,
        _words(models),
        _numbers(seeds),
        recipe,
        size,
        weights,
        address,
        executor,
        retry_failed,
        allow_unauthenticated,
        _words(log) or (),
    )
    outcome = run_sweep(request)
    print_outcome(outcome)
    typer.echo(f"Report: camerabias report {run}")
    _exit_if_failed(outcome)


@sweep_app.command(epilog="Example: camerabias sweep status runs/demo --watch")
def status(
    run: Annotated[str, typer.Argument(help="The run's folder.")],
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on showing it until everything has ended.")
    ] = False,
) -> None:
    """Print what a run's records say: how far every study is, what runs, what failed, and how long it may take."""
    from camerabias.sweeps.display import print_status, watch_status
    from camerabias.trainables.record import Run

    (watch_status if watch else print_status)(Run(run))


@sweep_app.command(epilog="Example: camerabias sweep pack runs/demo demo.tar.gz")
def pack(
    run: Annotated[str, typer.Argument(help="The run's folder.")],
    archive: Annotated[str, typer.Argument(help="The .tar.gz to write.")],
) -> None:
    """Put a run's records into one file, without weights and datasets; `sweep unpack` reads it back."""
    from camerabias.sweeps.archive import pack_run
    from camerabias.trainables.record import Run

    typer.echo(f"{archive}: {pack_run(Run(run), Path(archive))} files")


@sweep_app.command(epilog="Example: camerabias sweep unpack demo.tar.gz runs/theirs")
def unpack(
    archive: Annotated[str, typer.Argument(help="A .tar.gz that `sweep pack` wrote.")],
    run: Annotated[str, typer.Argument(help="An empty folder or prefix.")],
) -> None:
    """Make a run's folder again from one file."""
    from camerabias.datasets.storage import Folder
    from camerabias.sweeps.archive import unpack_run

    typer.echo(f"{run}: {unpack_run(Path(archive), Folder(run))} files; see it with camerabias report {run}")


# --- searches -------------------------------------------------------------------------------------------


@app.command(
    epilog="Example: camerabias search examples/search_demo.yaml --data datasets/demo --run runs/demo --weights none"
)
def search(
    space: Annotated[str, typer.Argument(help="YAML file of what is tuned and what varies.")],
    data: DataOption,
    run: RunOption,
    size: SizeOption = None,
    weights: WeightsOption = "imagenet",
    address: AddressOption = None,
    executor: ExecutorOption = "ray",
    allow_unauthenticated: InsistOption = False,
) -> None:
    """Search a training recipe by validation loss alone; the same command goes on after any interruption."""
    from camerabias.analysis.search import write_search_report
    from camerabias.sweeps.display import print_search
    from camerabias.sweeps.search import SearchRequest, run_search

    record = run_search(
        SearchRequest(space, data, run, weights, size, address, executor, allow_unauthenticated)
    )
    print_search(write_search_report(record), record.recipe_file)


# --- clusters -------------------------------------------------------------------------------------------


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: camerabias submit -- sweep run table2 --data s3://mine/photos --run s3://mine/runs/table2",
)
def submit(
    command: Annotated[list[str], typer.Argument(help="A command of camerabias, after --.")],
    address: Annotated[
        str, typer.Option(help="Of the cluster's dashboard, which `ray dashboard cluster.yaml` brings here.")
    ] = "http://127.0.0.1:8265",
    allow_unauthenticated: InsistOption = False,
) -> None:
    """Run a command on a cluster, with this code and the files that it names."""
    from camerabias.sweeps.submit import submit_command

    submitted = submit_command(command, address, allow_unauthenticated)
    typer.echo(f"Submitted as {submitted.job}. After any interruption, the same command goes on.")
    for what, follow_up in submitted.follow_up:
        typer.echo(f"  {what}: {follow_up}")


@app.command(
    epilog="Examples: camerabias doctor; camerabias doctor --run s3://mine/runs/table2 --address auto"
)
def doctor(
    run: Annotated[str | None, typer.Option("--run", help="A run whose storage is to be tried.")] = None,
    address: AddressOption = None,
) -> None:
    """Find out whether this machine, a run's storage and a cluster are fit for a sweep."""
    from camerabias.sweeps.doctor import examine

    problems = 0
    for finding in examine(run, address):
        problems += finding.level == "problem"
        typer.echo(f"{finding.level:8} {finding.text}")
    if problems:
        raise typer.Exit(EXIT_ERROR)


# --- shared by commands ---------------------------------------------------------------------------------


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str | None) -> list[int] | None:
    words = _words(text)
    if words is None:
        return None
    if not words or not all(word.isascii() and word.isdecimal() for word in words):
        raise CamerabiasError(
            f"--seeds {text!r} is not a list of whole numbers from 0; write for example 0,1,2."
        )
    return [int(word) for word in words]


def _import(
    source: str,
    out: Folder,
    label: str,
    camera: str,
    group: str | None,
    camera_from: CameraFrom | None,
    layout: Layout | None,
    fit: Fit,
    max_rejected: float,
    executor: Executor,
) -> None:
    from camerabias.datasets.create import import_dataset
    from camerabias.datasets.sources import Columns, read_source
    from camerabias.sweeps.display import counting, print_made

    columns = Columns(label, camera, group)
    found = read_source(source, columns, layout, camera_from_exif=camera_from == "exif")
    with counting("Importing photos") as report:
        dataset = import_dataset(found, out, executor, fit, max_rejected, report)
    print_made(dataset)


def _run_and_report(request: Request) -> None:
    from camerabias.sweeps.display import print_outcome
    from camerabias.sweeps.sweep import run_sweep

    outcome = run_sweep(request)
    print_outcome(outcome)
    _report(request.run)
    _exit_if_failed(outcome)


def _exit_if_failed(outcome: Outcome) -> None:
    if outcome.failures or outcome.probe_failures or outcome.n_left:
        raise typer.Exit(EXIT_ERROR)


def _report(run: str) -> Report:
    from camerabias.analysis.report import make_report
    from camerabias.sweeps.display import print_report

    made = make_report(run)
    print_report(made)
    return made
