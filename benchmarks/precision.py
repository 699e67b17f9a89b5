"""Training steps in bfloat16 against float32, of bare models on one core.

    python -m benchmarks precision [ROUNDS [STEPS]]

Batches of 32 that are there already, a model and size after the other. Rounds of both precisions alternate. Which of
them a recipe with `precision: auto` takes depends on the machine, as these numbers do.
"""

from __future__ import annotations

from functools import partial

from benchmarks.bare_training import Case, bare_loop
from benchmarks.common import take_turns

ROUNDS, STEPS = 5, 4

MODELS = [
    ("small_cnn", 64),
    ("small_cnn", 128),
    ("test_resnet", 128),
    ("resnet18", 128),
    ("resnet18", 224),
    ("tf_efficientnet_lite0", 128),
    ("tf_efficientnet_lite0", 224),
]
"""Models, and sides of their square input in pixels."""


def main(arguments: list[str]) -> None:
    n_rounds, steps = [*map(int, arguments), *(ROUNDS, STEPS)[len(arguments) :]]
    for model, side in MODELS:
        exact, short = (Case(model, side, precision=precision) for precision in ("float32", "bfloat16"))
        n_images = steps * exact.batch
        rounds = take_turns(n_rounds, partial(bare_loop, steps, short), partial(bare_loop, steps, exact))
        told = f"{n_images} images: bfloat16 {{ours}} s, float32 {{against}} s; ratio of speeds {{ratio}}."
        rounds.tell("precision", f"{model} at {side}, {told}", model=model, side=side, images=n_images)
