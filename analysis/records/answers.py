"""What trials predicted, kept small: images that trials share are kept once, predictions as codes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from camerabias.datasets.schema import Target

IMAGE_COLUMNS = ["image_id", "label", "camera", "group"]
PREDICTION_COLUMNS = [*IMAGE_COLUMNS, "draw", "prediction"]

_Tested = tuple[Target, bytes]
"""Names tested images: what of them is true, and a digest of all that is said of them."""

_STACKS = 4


@dataclass(frozen=True)
class Answers:
    """Predictions of trials, by trial."""

    _images: dict[_Tested, pd.DataFrame] = field(default_factory=dict)
    _stacked: dict[tuple[_Tested, ...], pd.DataFrame] = field(default_factory=dict)
    _given: dict[str, tuple[_Tested, pa.Array]] = field(default_factory=dict)

    def __contains__(self, trial_id: str) -> bool:
        return trial_id in self._given

    def add(self, trial_id: str, table: pa.Table, target: Target) -> None:
        """Keep a trial's predictions, columns `PREDICTION_COLUMNS`; its target is what is true of its images."""
        images = table.drop_columns("prediction")
        digest = hashlib.sha256()
        for batch in images.to_batches():
            digest.update(batch.serialize())
        key = target, digest.digest()
        if key not in self._images:
            rows = images.to_pandas()
            rows["group"] = rows["group"].fillna(rows["image_id"])
            rows["truth"] = rows[target]
            self._images[key] = rows
        self._given[trial_id] = key, table["prediction"].combine_chunks().dictionary_encode()

    def of_trial(self, trial_id: str) -> pd.DataFrame:
        """A row per image and draw: columns `PREDICTION_COLUMNS`, and truth."""
        key, given = self._given[trial_id]
        return self._images[key].assign(prediction=given.cast(pa.string()).to_pandas())

    def of_seeds(self, trials: Mapping[int, str]) -> pd.DataFrame:
        """As `of_trial`, of the trials of several seeds, one below the other, with a column seed."""
        if not trials:
            return pd.DataFrame(columns=[*PREDICTION_COLUMNS, "truth", "seed"])
        found = [self._given[trial_id] for trial_id in trials.values()]
        given = pa.chunked_array([codes.cast(pa.string()) for _, codes in found]).to_pandas()
        seeds = np.repeat([*trials], [len(codes) for _, codes in found])
        return self._stack(tuple(key for key, _ in found)).assign(prediction=given, seed=seeds)

    def _stack(self, keys: tuple[_Tested, ...]) -> pd.DataFrame:
        """Images one below the other; the latest are kept, since most cells of a study test the same."""
        if keys not in self._stacked:
            for oldest in [*self._stacked][: 1 - _STACKS]:
                del self._stacked[oldest]
            self._stacked[keys] = pd.concat([self._images[key] for key in keys], ignore_index=True)
        return self._stacked[keys]

    def count_images(self) -> int:
        """How many different images were tested."""
        return len({image_id for images in self._images.values() for image_id in images["image_id"]})
