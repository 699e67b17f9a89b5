"""What `precision: auto` of a recipe comes to: timed where trials would run, once for a run; `run.json` keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from camerabias.datasets.schema import RUN_FILE
from camerabias.sweeps.planning.speed import SpeedMeasure
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.recipe import Precision
from camerabias.trainables.spec.trial import TrialConfig

PAYS = 1.2
"""How many times as fast bfloat16 must train to be taken: for less, float32's finer numbers are worth more."""

_CHOSEN: dict[str, dict[str, dict[str, Any]]] = {}
"""By run, what this process has chosen: an audit plans all of its sweeps before the first writes `run.json`."""


@dataclass(frozen=True)
class Precisions:
    """The precisions of a run's models.

    Attributes:
        run: Whose earlier choices hold.
        measure: Times a few training steps.
        used: What has been asked for, by model and shape: the `precision`, and the `ratio` by which bfloat16 is the
            faster one.
    """

    run: Run
    measure: SpeedMeasure
    used: dict[str, dict[str, Any]] = field(default_factory=dict)

    def settle(self, config: TrialConfig) -> TrialConfig:
        """A trial in the precision of its model, whose recipe leaves it open."""
        height, width = config.input_shape
        what = f"{config.model} at {height} × {width}"
        chosen = _CHOSEN.setdefault(self.run.folder.uri, {})
        if what not in chosen:
            chosen[what] = chosen_before(self.run).get(what) or self._time(config)
        self.used[what] = chosen[what]
        return _in_precision(config, chosen[what]["precision"])

    def _time(self, config: TrialConfig) -> dict[str, Any]:
        speeds = {one: self.measure(_in_precision(config, one)) for one in ("bfloat16", "float32")}
        ratio = speeds["bfloat16"].images_per_second / speeds["float32"].images_per_second
        return {"precision": "bfloat16" if ratio >= PAYS else "float32", "ratio": round(ratio, 2)}

    def sentences(self) -> list[str]:
        """Which precision each model has, and why."""
        return [
            f"{what} trains in {one['precision']}: bfloat16 was {one['ratio']:.2f} times as fast as float32."
            for what, one in self.used.items()
        ]


def _in_precision(config: TrialConfig, precision: Precision) -> TrialConfig:
    return config.model_copy(update={"recipe": config.tuning.in_precision(precision)})


def chosen_before(run: Run) -> dict[str, dict[str, Any]]:
    """What earlier sweeps of a run have chosen."""
    if not run.folder.exists(RUN_FILE):
        return {}
    found: dict[str, dict[str, Any]] = run.info().get("precisions", {})
    return found
