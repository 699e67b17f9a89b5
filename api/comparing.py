"""Two runs side by side, such as before and after a repair."""

from __future__ import annotations

from os import PathLike, fspath

import pandas as pd

from camerabias.analysis.report.comparison import ComparedRun, RunComparison, write_comparison
from camerabias.datasets.dataset import is_dataset
from camerabias.datasets.interventions.equalise import ORIGINAL_ID
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import FACTS_FILE, INDEX_FILE, JUDGED_FILE, RUN_FILE, CamerabiasError
from camerabias.judging import judge


def compare(
    before: str | PathLike[str], after: str | PathLike[str], out: str | PathLike[str] | None = None
) -> RunComparison:
    """Write one page about two runs that have a verdict, as `camerabias report BEFORE AFTER` does.

    Args:
        before: Folder, or address in a bucket, of a run of `audit`, or of what `judge` has written.
        after: Another, such as after a repair.
        out: Folder of the page; None for the `report` folder of `after`.

    Returns:
        The comparison: `sentences`, `numbers` (a frame) and `page`, the page's path.

    Raises:
        CamerabiasError: One of them has no verdict, or is damaged; it is named.

    Example:
        >>> found = camerabias.compare("runs/mine", "runs/mine")
        >>> found.same_photos, found.page.endswith("runs/mine/report/compared.html")
        (True, True)
    """
    first, second = (_with_verdict(fspath(run)) for run in (before, after))
    folder = Folder(fspath(after)).child("report") if out is None else Folder(fspath(out))
    return write_comparison(first, second, folder)


def _with_verdict(location: str) -> ComparedRun:
    """A run, its verdict and its photos."""
    run = Folder(location)
    photos = next((name for name in (JUDGED_FILE, FACTS_FILE) if run.exists(name)), None)
    if photos is None:
        alone = f" `camerabias report {location}` shows this one alone." if run.exists(RUN_FILE) else ""
        raise CamerabiasError(
            f"{location} has no verdict; compare two runs that `camerabias audit` or `camerabias judge --run` has "
            f"written.{alone}"
        )
    rows = _before_equalising(run, run.read_table(photos, ["image_id", "label", "camera"]).to_pandas())
    return ComparedRun(location, judge(run.uri).document, frozenset(rows.itertuples(index=False, name=None)))


def _before_equalising(run: Folder, rows: pd.DataFrame) -> pd.DataFrame:
    """The photos of a run; those that were equalised as what they were before, so that both are the same photos."""
    dataset = Folder(run.read_json(RUN_FILE)["dataset_location"]) if run.exists(RUN_FILE) else None
    if dataset is None or not is_dataset(dataset):
        return rows
    index = dataset.read_table(INDEX_FILE).to_pandas().set_index("image_id")
    return rows.assign(image_id=rows["image_id"].map(index[ORIGINAL_ID])) if ORIGINAL_ID in index else rows
