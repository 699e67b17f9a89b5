"""The training loop: one model, one optimiser, whole epochs at a time. Knows neither Ray nor files.

- Progress is counted in optimiser steps; epochs only order the images, and are where training can be resumed.
- Every random number comes from (seed, stream, epoch): a resumed training repeats the very same steps.
- Losses and accuracies stay on the device until the next validation, so that steps do not wait for each other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

from camerabias.trainables.models.registry import training_loss
from camerabias.trainables.records.record import HISTORY_SCHEMA
from camerabias.trainables.spec.recipe import Recipe
from camerabias.trainables.training.adversary import Adversary
from camerabias.trainables.training.augment import augment
from camerabias.trainables.training.balancing import CellNumbers, GroupWeights, even_weights
from camerabias.trainables.training.data import Rows
from camerabias.trainables.training.evaluate import Examples, predict_logits
from camerabias.trainables.training.randomness import generator, stream_seed


class TrainingError(Exception):
    """Training went wrong by itself; the trial becomes a failure with this reason."""


class Training:
    """A model in training; `run_epoch` until `ended`.

    Args:
        model: The model, on the device of the images.
        recipe: How to train.
        seed: Of the order of the images, of dropout and of what random views draw.
        train: Training images; the last incomplete batch of an epoch is excluded.
        validation: Validation images.
    """

    def __init__(
        self, model: nn.Module, recipe: Recipe, seed: int, train: Examples, validation: Examples
    ) -> None:
        self.model, self.recipe, self.seed = model, recipe, seed
        self.augmentation = recipe.augmentation
        self.train, self.validation = train, validation
        self.device = train.images.device
        self.groups, self.adversary = self._make_groups(), self._make_adversary()
        self._weights = self._even_weights(train) if recipe.reweight else None
        self._validation_weights = self._even_weights(validation) if recipe.evens_cells else None
        fused = self.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.Adam(
            self._parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=fused
        )
        self.scheduler = self._make_scheduler()
        self.step = 0
        self.epoch = 0
        self.best_loss = math.inf
        self.best_step = 0
        self.validated_step = 0
        self.best_state: dict[str, torch.Tensor] = {}
        self.training_seconds = 0.0
        self.training_images = 0
        self._history: list[npt.NDArray[np.float64]] = []
        self._pending: list[tuple[int, int, float, torch.Tensor, torch.Tensor]] = []

    def _make_groups(self) -> GroupWeights | None:
        if not self.recipe.group_dro:
            return None
        return GroupWeights(_cells(self.train), self.recipe.group_dro, self.device)

    def _make_adversary(self) -> Adversary | None:
        if not self.recipe.adversary:
            return None
        return Adversary(self.model, _cells(self.train), self.recipe.adversary, self.seed, self.device)

    def _even_weights(self, examples: Examples) -> torch.Tensor:
        return torch.from_numpy(even_weights(_cells(examples))).float().to(self.device)

    def _parameters(self) -> list[nn.Parameter]:
        """Everything that is trained, in a fixed order."""
        head = self.adversary.head.parameters() if self.adversary else ()
        return [*self.model.parameters(), *head]

    def _make_scheduler(self) -> torch.optim.lr_scheduler.OneCycleLR | None:
        if self.recipe.schedule == "constant":
            return None
        return torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=self.recipe.learning_rate, total_steps=self.recipe.max_steps
        )

    @property
    def stopped(self) -> Literal["converged", "max_steps"] | None:
        """Why training has ended; None while it runs."""
        patience = self.recipe.patience_steps
        if patience is not None and self.validated_step - self.best_step >= patience:
            return "converged"
        return "max_steps" if self.step >= self.recipe.max_steps else None

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to train."""
        return self.stopped is not None

    def run_epoch(self) -> None:
        """Train one pass over the training images, or less where training ends.

        Raises:
            TrainingError: The loss is not a finite number.
        """
        n, size = len(self.train.rows), min(self.recipe.batch_size, len(self.train.rows))
        order = self._order(generator(self.seed, "order", self.epoch))
        augmenting = generator(self.seed, "augment", self.epoch)
        torch.manual_seed(stream_seed(self.seed, "dropout", self.epoch))
        began = time.perf_counter()
        for start in range(0, n - size + 1, size):
            self._train_step(order[start : start + size], augmenting)
            if self.step % self.recipe.evaluate_every == 0 or self.step == self.recipe.max_steps:
                self._synchronize()
                self.training_seconds += time.perf_counter() - began
                self._validate()
                if self.ended:
                    break
                began = time.perf_counter()
        else:
            self._synchronize()
            self.training_seconds += time.perf_counter() - began
        self.epoch += 1

    def _order(self, numbers: torch.Generator) -> Rows:
        """The images of an epoch: each once, or as many drawn such that every cell comes up as often."""
        if not (self.recipe.resample or self.groups):  # group DRO draws cells evenly (its Algorithm 1)
            return torch.randperm(len(self.train.rows), generator=numbers).numpy()
        weights = torch.from_numpy(even_weights(_cells(self.train)))
        return torch.multinomial(weights, len(weights), replacement=True, generator=numbers).numpy()

    def _train_step(self, chosen: Rows, augmenting: torch.Generator) -> None:
        self.model.train()
        inputs = self._draw_inputs(self.train.rows[chosen], augmenting)
        classes = torch.from_numpy(self.train.classes[chosen]).to(self.device)
        bf16 = self.recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            loss, minimised, logits = self._losses(inputs, classes, torch.from_numpy(chosen).to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        minimised.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        rate = self.optimizer.param_groups[0]["lr"]
        if self.scheduler is not None:
            self.scheduler.step()
        self.step += 1
        self.training_images += len(chosen)
        accuracy = (logits.detach().argmax(dim=1) == classes).float().mean()
        self._pending.append((self.step, self.epoch, rate, loss.detach(), accuracy))

    def _losses(
        self, inputs: torch.Tensor, classes: torch.Tensor, chosen: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of a batch: the loss, what is minimised (with the adversary's), and the logits."""
        if self.adversary is None:
            loss, logits = training_loss(self.model(inputs), classes, self._weigh(chosen))
            return loss, loss, logits
        output, features = self.adversary.run(inputs)
        loss, logits = training_loss(output, classes, self._weigh(chosen))
        return loss, loss + self.adversary.loss(features, chosen), logits

    def _weigh(self, chosen: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor] | None:
        """How the losses of some training images become one; None for their mean."""
        if self.groups is not None:
            return partial(self.groups.weigh, chosen=chosen)
        if self._weights is not None:
            return partial(_weighted_mean, weights=self._weights[chosen])
        return None

    def _draw_inputs(self, rows: Rows, augmenting: torch.Generator) -> torch.Tensor:
        """A batch in the train view, with the recipe's augmentation laid over it; numbers are drawn on the CPU."""
        images, kind = self.train.images, self.train.images.view.kind
        numbers = None
        if kind.draw:
            numbers = torch.rand((len(rows), kind.n_numbers), generator=augmenting, dtype=torch.float64)
        return images.normalise(augment(images.levels(rows, numbers), self.augmentation, augmenting))

    def _validate(self) -> None:
        logits = predict_logits(self.model, self.validation, self.recipe.batch_size, self.recipe.precision)
        expected = torch.from_numpy(self.validation.classes).to(self.device)
        loss = self._validation_loss(logits, expected).item()
        accuracy = (logits.argmax(dim=1) == expected).float().mean().item()
        self._flush((loss, accuracy))
        self.validated_step = self.step
        if loss < self.best_loss:
            self.best_loss, self.best_step = loss, self.step
            self.best_state = {key: tensor.clone() for key, tensor in self.model.state_dict().items()}

    def _validation_loss(self, logits: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
        """Where training evens out cells, validation does, too: it would else choose weights that lean on cameras."""
        if self._validation_weights is None:
            return nn.functional.cross_entropy(logits, expected)
        losses = nn.functional.cross_entropy(logits, expected, reduction="none")
        return _weighted_mean(losses, self._validation_weights)

    def _flush(self, validation: tuple[float, float] | None = None) -> None:
        """Move pending steps into the history, with the loss and accuracy of a validation after the last one."""
        if not self._pending:
            return
        steps, epochs, rates, losses, accuracies = zip(*self._pending, strict=True)
        self._pending = []
        rows = np.full((len(steps), len(HISTORY_SCHEMA)), np.nan)
        rows[:, 0], rows[:, 1], rows[:, 2] = steps, epochs, rates
        rows[:, 3] = torch.stack(losses).double().cpu().numpy()
        rows[:, 4] = torch.stack(accuracies).double().cpu().numpy()
        if validation is not None:
            rows[-1, 5:] = validation
        self._history.append(rows)
        wrong = np.flatnonzero(~np.isfinite(rows[:, 3]))
        if len(wrong) or (validation is not None and not math.isfinite(validation[0])):
            step = int(rows[wrong[0], 0]) if len(wrong) else self.step
            raise TrainingError(f"the loss is not a finite number at step {step}: training has diverged")

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def history(self) -> pd.DataFrame:
        """A row per optimiser step, with the columns of `HISTORY_SCHEMA`; call when training has ended."""
        frame = pd.DataFrame(self._history_array(), columns=HISTORY_SCHEMA.names)
        return frame.astype({"step": "int64", "epoch": "int64"})

    def _history_array(self) -> npt.NDArray[np.float64]:
        return np.concatenate(self._history) if self._history else np.empty((0, len(HISTORY_SCHEMA)))

    def choose_weights(self) -> int:
        """Put the weights that are tested into the model, and return their step.

        They are those of the lowest validation loss; of a one-cycle schedule the last, since it anneals, and a
        few validation images cannot tell which of its last steps was best.
        """
        if self.recipe.schedule == "one_cycle":
            return self.step
        self.model.load_state_dict(self.best_state)
        return self.best_step

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Everything that the next epoch depends on: tensors, and plain JSON. Call between epochs."""
        self._flush()
        moments = self.optimizer.state_dict()
        tensors = {f"model/{key}": tensor for key, tensor in self.model.state_dict().items()}
        tensors |= {f"best/{key}": tensor for key, tensor in self.best_state.items()}
        for parameter, values in moments["state"].items():
            tensors |= {f"adam/{parameter}/{key}": tensor for key, tensor in values.items()}
        if self.adversary is not None:
            tensors |= {
                f"adversary/{key}": tensor for key, tensor in self.adversary.head.state_dict().items()
            }
        if self.groups is not None:
            tensors["groups"] = self.groups.logarithms
        tensors["history"] = torch.from_numpy(self._history_array())
        plain = {
            "step": self.step,
            "epoch": self.epoch,
            "best_loss": self.best_loss if self.best_step else None,
            "best_step": self.best_step,
            "validated_step": self.validated_step,
            "training_seconds": self.training_seconds,
            "training_images": self.training_images,
            "param_groups": moments["param_groups"],
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
        }
        return tensors, plain

    def load_state(self, tensors: dict[str, torch.Tensor], plain: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.model.load_state_dict(_below(tensors, "model/"))
        self.best_state = _below(tensors, "best/")
        if self.adversary is not None:
            self.adversary.head.load_state_dict(_below(tensors, "adversary/"))
        if self.groups is not None:
            self.groups.logarithms = tensors["groups"].to(self.device)
        parameters = self._parameters()
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for key, tensor in _below(tensors, "adam/").items():
            number, name = key.split("/")
            like = parameters[int(number)]
            # safetensors forgets memory formats, and a fused Adam needs moments laid out as their parameters are
            fitted = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
            moments.setdefault(int(number), {})[name] = fitted
        self.optimizer.load_state_dict({"state": moments, "param_groups": plain["param_groups"]})
        if self.scheduler is not None:
            self.scheduler.load_state_dict(plain["scheduler"])
        self._history = [tensors["history"].numpy()]
        self.step, self.epoch = plain["step"], plain["epoch"]
        self.best_loss = math.inf if plain["best_loss"] is None else plain["best_loss"]
        self.best_step, self.validated_step = plain["best_step"], plain["validated_step"]
        self.training_seconds, self.training_images = plain["training_seconds"], plain["training_images"]


def _cells(examples: Examples) -> CellNumbers:
    assert examples.cells is not None, "a mitigation needs to know the labels and cameras of images"
    return examples.cells


def _weighted_mean(losses: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (weights * losses).mean()


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
