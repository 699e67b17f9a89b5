"""The audit from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import filterfalse
from os import fspath
from typing import TYPE_CHECKING, Any

import pandas as pd

from camerabias.analysis.records.load import load_records
from camerabias.datasets.dataset import is_dataset
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError, ExecutorName
from camerabias.photos import Location, already_imported, import_photos, listener_of
from camerabias.results import Results
from camerabias.sweeps.audit.audit import Audit, run_audits, say_what_fine_tuning_takes, suite_of
from camerabias.sweeps.audit.models import models_to_audit
from camerabias.sweeps.execution.executor import TrialExecutor, trial_executor
from camerabias.sweeps.execution.sweep import Request
from camerabias.trainables.models.registry import has_gpu, usual_recipe, usual_weights
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, backbone_of, is_linear

if TYPE_CHECKING:
    from camerabias.sweeps.audit.audit import Confirm, SuiteName
    from camerabias.sweeps.execution.outcome import SweepOutcome


def audit(
    source: Location | pd.DataFrame,
    run: Location,
    quick: bool = False,
    full: bool = False,
    model: str | None = None,
    fine_tune: bool = False,
    backbone: str | None = None,
    embeddings: Location | None = None,
    weights: str | None = None,
    seeds: Sequence[int] | None = None,
    size: int | None = None,
    recipe: str | None = None,
    executor: ExecutorName | None = None,
    address: str | None = None,
    retry_failed: bool = False,
    no_photos: bool = False,
    allow_unauthenticated: bool = False,
    check: bool = True,
    verbose: bool = False,
    details: bool = False,
    confirm: Confirm | None = None,
    **importing: Any,
) -> Results:
    """Import photos, look at their design, train on them, and say whether the classifier uses the camera.

    Called again after any interruption, it resumes where it stopped.

    Args:
        source: Photos as `import_photos` takes them, or the folder of a DATASET.
        run: Folder, or address in a bucket, of the records.
        quick: Of a network, at most 20 trials (with its own three seeds).
        full: Also which cue, strengths of correlation, unseen cameras and mitigations.
        model: Model to audit in place of the linear probe, such as `small_cnn`, or `linear:NAME`.
        fine_tune: Whether to train a network after the linear probe, as is done unasked with a GPU: `model`,
            or else `resnet34` (without a GPU `small_cnn`).
        backbone: Network whose features the linear probe stands on; None for EfficientNet-Lite0.
        embeddings: Table of features of your own for the linear probe, a row per photo: `path` or `image_id`, and a
            column `features` of lists or a column per feature.
        weights: `imagenet`, `none` (from scratch), or a file; None for ImageNet's where the model has any.
        seeds: In place of the audit's own.
        size: Side of the model's input in pixels, from 32; None for the dataset's own.
        recipe: Training recipe; None for the usual one of the model and weights.
        executor: `local` trains on the cores of this machine, `ray` over GPUs and machines; None is `ray` on a
            cluster or where there is a GPU.
        address: Of a Ray cluster; None starts Ray here.
        retry_failed: Whether failed trials are run again.
        no_photos: Whether to keep pictures of photos out of the run and its report.
        allow_unauthenticated: Whether to use a cluster that asks for no token, which anybody can run code on.
        check: Whether a trial that fails is an error, once all have run; else `Results.outcomes` tells of it.
        verbose: Whether to print what the command prints.
        details: Whether that is every failed trial in full, however many there are.
        confirm: Asked, with the estimate in a sentence, before a network is trained for more than ten minutes; None
            trains it.
        **importing: How photos are read, as `import_photos` has it: label, camera, group, camera_from, layout, path,
            images, one_vs_rest, fit, max_rejected.

    Returns:
        What was found; `outcomes` says how each sweep of the audit ended.

    Raises:
        CamerabiasError: Photos that cannot be imported, a model that cannot be trained on them, or another dataset's
            records in `run`; or, with `check`, a trial has failed, whose reason is named.

    Example:
        >>> results = camerabias.audit(
        ...     "datasets/mine", "runs/mine", quick=True, model="small_cnn", weights="none", recipe="calibration"
        ... )
        >>> results.verdict
        'cheating'
    """
    if quick and full:
        raise CamerabiasError("quick=True is the opposite of full=True; give one of them.")
    if backbone is not None and embeddings is not None:
        raise CamerabiasError("embeddings take the place of a backbone; give one of them.")
    suite: SuiteName = "quick" if quick else "full" if full else "default"
    where = trial_executor(executor, address, allow_unauthenticated)
    shared = Request(
        _dataset(source, run, where, verbose, importing),
        fspath(run),
        seeds=None if seeds is None else list(seeds),
        size=size,
        executor=where,
        retry_failed=retry_failed,
        no_photos=no_photos,
    )
    own = None if embeddings is None else fspath(embeddings)
    backbone = OWN_FEATURES if own else backbone

    def audit_of(name: str) -> Audit:
        return _audit(shared, name, own if backbone_of(name) == OWN_FEATURES else weights, recipe, suite)

    named = models_to_audit(model, fine_tune, backbone, has_gpu())
    listener = listener_of(verbose, details)
    outcomes = run_audits([audit_of(name) for name in named], listener, confirm)
    if verbose and all(map(is_linear, named)) and not any(outcome.n_left for outcome in outcomes):
        for name in filterfalse(is_linear, models_to_audit(model, True, backbone, has_gpu())):
            say_what_fine_tuning_takes(audit_of(name), listener)
    if check:
        _refuse_failures(outcomes, fspath(run))
    return Results(load_records(fspath(run)), outcomes)


def _audit(shared: Request, model: str, weights: str | None, recipe: str | None, suite: SuiteName) -> Audit:
    """What is done with one model."""
    weights = weights or usual_weights(model)
    recipe = recipe or usual_recipe(model, weights)
    return Audit(replace(shared, models=[model], weights=weights, recipe=recipe), suite_of(model, suite))


def _refuse_failures(outcomes: Sequence[SweepOutcome], run: str) -> None:
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    if failures:
        name, reason = failures[0]
        raise CamerabiasError(
            f"{len(failures)} trials failed, first {name}: {reason}. What is done is in load({run!r}); "
            "retry_failed=True runs them again."
        )


def _dataset(
    source: Location | pd.DataFrame,
    run: Location,
    executor: TrialExecutor,
    verbose: bool,
    importing: dict[str, Any],
) -> str:
    """Where the photos lie as a DATASET, imported if need be."""
    if isinstance(source, pd.DataFrame) or not is_dataset(fspath(source)):
        data = Folder(fspath(run)).child("dataset")
        return import_photos(source, data.uri, executor=executor, verbose=verbose, **importing).folder.uri
    if importing:
        raise already_imported(fspath(source), importing, "import_photos")
    return Folder(fspath(source)).uri
