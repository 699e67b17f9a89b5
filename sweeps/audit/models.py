"""Which models an audit looks at, where its user leaves it open."""

from __future__ import annotations

from camerabias.trainables.spec.linear_probe import LINEAR, USUAL_BACKBONE

ON_GPU, ON_CPU = "resnet34", "small_cnn"
"""The network that is trained after it, where there is a GPU and where there is none."""


def models_to_audit(model: str | None, fine_tune: bool, backbone: str | None, gpu: bool) -> list[str]:
    """Names of models, in the order in which they are audited.

    Args:
        model: A model that was named: alone, unless it is to be trained after a linear probe.
        fine_tune: Whether a network is trained after the linear probe.
        backbone: Of the linear probe; None for `USUAL_BACKBONE`.
        gpu: Whether there is a GPU, on which a network is trained unasked.
    """
    probe = f"{LINEAR}{backbone or USUAL_BACKBONE}"
    if model is not None:
        return [probe, model] if fine_tune or backbone else [model]
    if gpu or fine_tune:
        return [probe, ON_GPU if gpu else ON_CPU]
    return [probe]
