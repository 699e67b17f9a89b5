"""How well cues are named: the bank of drawn cameras, the fit, and what is named of datasets that were not fitted to.

In this order, from the project's root:

    python -m benchmarks cue_naming bank BANK PHOTOS OTHERS  # six bases a minute and core; goes on where it stopped
    python -m benchmarks cue_naming fit BANK               # writes analysis/cues/naming.npz
    python -m benchmarks cue_naming judge BANK LINES       # the first 200 bases, which are not fitted to
    python -m benchmarks cue_naming second FOLDER LINES    # datasets of benchmarks.second_simulator
    python -m benchmarks cue_naming bottles LINES          # the simulator's own cameras, a cue planted at a time
    python -m benchmarks cue_naming tables LINES

PHOTOS and OTHERS are folders of real photos of two kinds, which some scenes show; the shipped model was fitted with
coffee leaves and clothes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch

from camerabias.analysis.calibration.cues import CueLine, read_cue_lines, summarise_cues
from camerabias.analysis.calibration.lines import append_documents
from camerabias.analysis.cues.naming import MODEL_FILE, name_cues
from camerabias.analysis.cues.recognition import recognise
from camerabias.analysis.report.tables import show_markdown
from camerabias.datasets.cues.names import PLANTED
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.inspection.pixels import pixels_of
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.pixels.registry import STATISTICS, measure_pixels
from camerabias.datasets.simulator import LABELS, preset_spec
from camerabias.sweeps.calibration.bank import plant
from camerabias.sweeps.calibration.cue_bank import BASES, JUDGED, base_file, make_base
from camerabias.sweeps.calibration.cue_datasets import (
    Base,
    CueDataset,
    compose_datasets,
    deal_datasets,
    read_base,
)
from camerabias.sweeps.calibration.cue_fit import describe_datasets, fit_naming, write_model
from camerabias.sweeps.calibration.scenes import Pictures

FITTED, JUDGED_EACH = 40, 8
"""Datasets that are dealt from a base, to fit to and to judge by."""

FOLDS, DECIMALS = 10, 4

PHOTOS, SIZE, CORRELATION = 200, 64, 0.6
"""Of datasets of the simulator's own cameras."""


def make_bank(options: argparse.Namespace) -> None:
    pictures = {
        label: [path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        for label, folder in zip(LABELS, (options.photos, options.others), strict=True)
    }
    bank = Folder(options.bank)
    lacking = [n for n in range(BASES) if not bank.exists(base_file(n))]
    parts = [lacking[k :: options.jobs] for k in range(options.jobs)]
    with ProcessPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(_make_bases, bank, part, pictures) for part in parts]:
            done.result()


def _make_bases(bank: Folder, numbers: list[int], pictures: Pictures) -> None:
    for number in numbers:
        make_base(bank, number, pictures)
        print(f"base {number}", flush=True)


def _bases(bank: str, judged: bool) -> Iterator[Base]:
    for number in range(BASES):
        if (number < JUDGED) == judged and Folder(bank).exists(base_file(number)):
            yield read_base(Folder(bank), number)


def fit(options: argparse.Namespace) -> None:
    torch.set_num_threads(1)  # a step is too small to be shared
    datasets = [
        (base.number, one) for base in _bases(options.bank, False) for one in compose_datasets(base, FITTED)
    ]
    described, planted = describe_datasets([one for _, one in datasets])
    model = fit_naming(described, planted, np.array([number for number, _ in datasets]))
    write_model(model, Path("analysis/cues") / MODEL_FILE)


def judge(options: argparse.Namespace) -> None:
    lines = []
    for base in _bases(options.bank, True):
        for one in deal_datasets(base, JUDGED_EACH):
            about = {"size": base.size, "scenes": base.scenes, "treatment": base.treatment}
            lines.append(describe("drawn", base.number, _rows(one), dict(one.planted), about))
    append_documents(Path(options.lines), lines)


def _rows(one: CueDataset) -> pd.DataFrame:
    rows = pd.DataFrame(one.values, columns=[*STATISTICS])
    rows["label"], rows["camera"] = one.label.astype(str), one.camera.astype(str)
    return rows


def describe(
    simulator: str, number: int, rows: pd.DataFrame, planted: dict[str, float], about: dict[str, object]
) -> CueLine:
    """The line of a dataset: what is named of its pixel statistics, and whether cameras are recognised by them."""
    named = name_cues(rows[[*STATISTICS]], rows["label"], rows["camera"])
    assert named is not None, "cameras share labels"
    order = np.random.default_rng(number).permutation(len(rows))
    found = recognise(rows.assign(group=order.astype(str), fold=order % FOLDS), "camera")
    return CueLine.model_validate(
        {
            "simulator": simulator,
            "number": number,
            "planted": planted,
            "probabilities": {cue: round(share, DECIMALS) for cue, share in named.probabilities.items()},
            "any": round(named.any, DECIMALS),
            "strangeness": round(named.strangeness, DECIMALS),
            "recognised": found is not None and found.works,
            "photos": len(rows),
            "cameras": rows["camera"].nunique(),
            **about,
        }
    )


def judge_second(options: argparse.Namespace) -> None:
    lines = []
    for path in sorted(Path(options.folder).glob("dataset-*.parquet")):
        table = pq.read_table(path)
        truth = json.loads(table.schema.metadata[b"truth"])
        frame = table.to_pandas()
        rows = pd.DataFrame([measure_pixels(content) for content in frame["bytes"]])
        rows["label"], rows["camera"] = frame["label"], frame["camera"]
        about = {
            "size": min(truth["size"]),
            "scenes": truth["family"],
            "treatment": _treatment(truth["treatment"]),
        }
        lines.append(describe("second", truth["number"], rows, truth["planted"], about))
        print(path.stem, lines[-1].ranked[0], truth["planted"], flush=True)
    append_documents(Path(options.lines), lines)


def judge_bottles(options: argparse.Namespace) -> None:
    lines = []
    for seed, strength in itertools.product((1, 2, 3), (1.0, 0.5)):
        for planted in ({}, *({cue: strength} for cue in PLANTED)):
            spec = preset_spec("demo", PHOTOS, SIZE, plant(planted), seed, CORRELATION)
            with tempfile.TemporaryDirectory() as scratch:
                dataset = simulate_dataset(spec, Folder(scratch), LocalExecutor())
                rows = pixels_of(dataset, LocalExecutor()).merge(
                    dataset.index[["image_id", "label", "camera"]]
                )
            about = {"size": SIZE, "scenes": "bottles", "treatment": ""}
            lines.append(describe("bottles", seed, rows, planted, about))
    append_documents(Path(options.lines), lines)


def _treatment(said: dict[str, object]) -> str:
    scaled = ["scaled"] if said["resized"] != 1 else []
    return " and ".join([*scaled, *([f"saved as {said['format']}"] if said["format"] else [])])


def print_tables(options: argparse.Namespace) -> None:
    lines = read_cue_lines(Path(options.lines))
    for simulator in dict.fromkeys(line.simulator for line in lines):
        print(f"\n### {simulator}")
        for table in summarise_cues([line for line in lines if line.simulator == simulator]):
            print(f"\n{table.caption}\n\n{show_markdown(table.frame)}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    for name, run, positional in (
        ("bank", make_bank, ("bank", "photos", "others")),
        ("fit", fit, ("bank",)),
        ("judge", judge, ("bank", "lines")),
        ("second", judge_second, ("folder", "lines")),
        ("bottles", judge_bottles, ("lines",)),
        ("tables", print_tables, ("lines",)),
    ):
        command = commands.add_parser(name)
        for argument in positional:
            command.add_argument(argument)
        command.set_defaults(run=run)
        if name == "bank":
            command.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    options.run(options)
