"""How long a sweep will take: from its own records, from timed steps, or, where neither can be had, by arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from camerabias.datasets.views.build import is_built
from camerabias.sweeps.planning.plan import Plan
from camerabias.sweeps.planning.speed import Speed, SpeedMeasure
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, Embedding, LinearProbe
from camerabias.trainables.spec.recipe import Precision, Recipe
from camerabias.trainables.spec.trial import TrialConfig


@dataclass(frozen=True)
class TimeEstimate:
    """Time of all trials to run.

    Attributes:
        seconds: On one core or GPU, none of the trials stopping before its cap of steps.
        device: `core` or `GPU`.
        origin: Where the figure comes from.
    """

    seconds: float
    device: str
    origin: str

    def dollars(self, price: float) -> float:
        """What the time costs at `price` dollars per hour of the device."""
        return self.seconds / 3600 * price


def estimate_time(plan: Plan, run: Run, measure: SpeedMeasure) -> TimeEstimate:
    """Estimate the time of the remaining trials.

    Args:
        plan: The trials.
        run: Whose finished trials tell the speed of their model and shape of images.
        measure: Times a few steps of other trials, on the kind of machine that will run them.
    """
    known = _speeds_of_records(plan, run)
    speeds: dict[_Work, Speed] = {}
    seconds, embeddings = 0.0, dict[Embedding, TrialConfig]()
    for config in plan.to_run(retry_failed=False):
        if plan.status(config.id) == "done":
            continue  # a probe takes seconds
        if isinstance(config.recipe, LinearProbe):
            embeddings |= dict.fromkeys(config.embeddings, config)  # so does a head; not so what it stands on
            continue
        work = _Work.of(config)
        if work not in speeds:
            speeds[work] = known.get(work) or measure(config)
        seconds += config.recipe.max_steps * config.recipe.batch_size / speeds[work].images_per_second
    for embedding, config in embeddings.items():
        if embedding.backbone != OWN_FEATURES and not is_built(plan.dataset, embedding):
            work = _Work.of(config)
            speeds[work] = speeds.get(work) or measure(config)
            seconds += embedding.draws * plan.dataset.manifest.n_images / speeds[work].images_per_second
    device = "GPU" if any(speed.device == "GPU" for speed in speeds.values()) else "core"
    return TimeEstimate(seconds, device, _origin(speeds, known))


def once_each(measure: SpeedMeasure) -> SpeedMeasure:
    """A measure that times trials whose images take as long only once."""
    measured: dict[_Work, Speed] = {}

    def remembered(config: TrialConfig) -> Speed:
        work = _Work.of(config)
        if work not in measured:
            measured[work] = measure(config)
        return measured[work]

    return remembered


@dataclass(frozen=True)
class _Work:
    """What the time of an image depends on."""

    model: str
    height: int
    width: int
    precision: Precision

    @classmethod
    def of(cls, config: TrialConfig) -> _Work:
        shape = (config.size, config.size) if isinstance(config.recipe, LinearProbe) else config.input_shape
        return cls(config.model, *shape, config.recipe.precision)


def _origin(speeds: dict[_Work, Speed], known: dict[_Work, Speed]) -> str:
    measured = [work for work in speeds if work not in known]
    arithmetic = [work for work in measured if not speeds[work].exact]
    parts = []
    if len(measured) < len(speeds):
        parts.append("the speed of this run's own records")
    if len(arithmetic) < len(measured):
        parts.append("training steps timed just now")
    if arithmetic:
        named = ", ".join(f"{work.model} at {work.height} × {work.width}" for work in arithmetic)
        parts.append(
            f"arithmetic alone for {named} pixels: fewer or smaller images timed on this machine's core, scaled by "
            "their number of pixels"
        )
    return "; ".join(parts)


def _speeds_of_records(plan: Plan, run: Run) -> dict[_Work, Speed]:
    """Speed of one finished trial of each kind."""
    speeds: dict[_Work, Speed] = {}
    for trial_id, config in plan.trials.items():
        work = _Work.of(config)
        if work not in speeds and plan.status(trial_id) == "done" and isinstance(config.recipe, Recipe):
            done = run.record(trial_id).done()
            device = "core" if done.device.endswith("CPU") else "GPU"
            speeds[work] = Speed(done.images_per_second, device, exact=True)
    return speeds
