"""What photos can answer before anything is trained, what they cannot, and which ones would settle it.

Everything is computed from facts about the files (`datasets.facts`), a row per image. A cell is a label and a camera.
"""

from __future__ import annotations

import pandas as pd

from camerabias.analysis.design.answers import answer_questions
from camerabias.analysis.design.copies import find_copies
from camerabias.analysis.design.design import CellCount, Design, Resize, count_folds, count_groups
from camerabias.analysis.design.duplicates import near_duplicates
from camerabias.analysis.design.metadata_baselines import metadata_baselines
from camerabias.analysis.design.power import find_effect, photos_to_balance
from camerabias.analysis.statistics.association import associate, associated_labels
from camerabias.datasets.schema import N_FOLDS


def check_design(facts: pd.DataFrame) -> Design:
    """Look at a dataset before anything is trained.

    Args:
        facts: As `datasets.inspection.metadata.gather_facts` gives them; nothing else is read.
    """
    training = facts[facts["split"] != "test"]  # all of them, in turn, where folds rotate
    associated = associated_labels(pd.crosstab(training["label"], training["camera"]))
    tested = _tested(facts)
    effects = tuple(find_effect(name, rows, associated) for name, rows in tested.items())
    crossing = facts.groupby("group")["split"].transform("nunique") > 1
    factors = facts.groupby("camera")["factor"].agg(["min", "median", "max"])
    return Design(
        cells=_cells(facts),
        n_photos=len(facts),
        n_groups=facts["group"].nunique(),
        formats=facts["format"].value_counts().to_dict(),
        sides={side: n for side in ("train", "val", "test") if (n := int((facts["split"] == side).sum()))},
        associated_labels=associated,
        association=associate(training),
        baselines=tuple(metadata_baselines(facts)),
        resizes=tuple(
            Resize(camera=str(camera), low=low, median=median, high=high)
            for camera, low, median, high in factors.itertuples()
        ),
        copies=find_copies(facts),
        duplicates=near_duplicates(facts),
        folds=count_folds(facts),
        crossing_groups=facts.loc[crossing, "group"].nunique(),
        crossing_photos=int((crossing & (facts["split"] == "test")).sum()),
        effects=effects,
        to_balance=photos_to_balance(training, associated),
        answers=answer_questions(facts, [*tested.values()][-1], associated, effects[-1]),
    )


def _cells(facts: pd.DataFrame) -> tuple[CellCount, ...]:
    photos, groups = pd.crosstab(facts["label"], facts["camera"]), count_groups(facts)
    split = facts["split"].notna().any()
    tested = facts[facts["split"] == "test"].assign(fold=0) if split else facts
    folds = tested.groupby(["label", "camera"])["fold"].nunique()
    return tuple(
        CellCount(
            label=label,
            camera=camera,
            photos=photos.loc[label, camera],
            groups=groups.loc[label, camera],
            untested=(1 if split else N_FOLDS) - int(folds.get((label, camera), 0)),
        )
        for label in photos.index
        for camera in photos.columns
    )


def _tested(facts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What could be tested, in words: the user's test photos of cameras that train, or those of ever more folds."""
    if facts["split"].notna().any():
        trained = facts["camera"].isin(facts.loc[facts["split"] != "test", "camera"])
        return {"the test photos of your split": facts[(facts["split"] == "test") & trained]}
    folds = {f"{n} test fold{'s' if n > 1 else ''}": facts[facts["fold"] < n] for n in (1, 3, 5)}
    return {**folds, f"all {N_FOLDS} folds": facts}


FEATURES = {
    "camera": "the camera's name",
    "size": "size",
    "format": "format",
    "tables": "JPEG tables",
    "exif": "EXIF",
    "pages": "the number of pages",
    "all headers": "all headers together",
}
