"""Commands that next steps name: they run as they are printed, on the run and the photos that were looked at."""

from __future__ import annotations

import shlex

from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.datasets.cues.names import words_of
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, USUAL_BACKBONE, backbone_of, is_linear


def audit_again(found: Findings, *options: str) -> str:
    """The line that goes on with the audit, by the model that a verdict is about unless the options name others.

    Args:
        found: What the audit has found.
        options: What is asked besides.
    """
    words = ["camerabias audit", found.source, "--run", found.run, *([] if options else _model(found.model))]
    return f"`{' '.join([*words, *options])}`"


def compare_settings(found: Findings) -> str:
    """The line that trains the same model in every setting, and with every mitigation."""
    return audit_again(found, *_model(found.model), "--full")


def equalise(found: Findings, cue: str) -> str:
    """The line that writes the photos with one level of a cue, into a folder beside the run."""
    words = words_of(cue)
    folder = f"{found.run}-equal-{words.replace(' ', '-')}"
    return f"`camerabias data equalise {found.source} {shlex.quote(words)} {folder}`"


def _model(name: str) -> list[str]:
    """The options that name a model; none for the linear probe that is audited unasked."""
    model, _, size = name.partition(" at ")
    sized = ["--size", size] if size else []
    if not is_linear(model):
        return ["--model", shlex.quote(model), *sized]
    backbone = backbone_of(model)
    return (
        sized if backbone in (USUAL_BACKBONE, OWN_FEATURES) else ["--backbone", shlex.quote(backbone), *sized]
    )
