"""The training loop: one model, one optimiser, whole epochs at a time. Knows neither Ray nor files.

- Progress is counted in optimiser steps; epochs only order the images, and are where training can be resumed.
- Every random number comes from (seed, stream, epoch): a resumed training repeats the very same steps.
- Losses and accuracies stay on the device until the next validation, so that steps do not wait for each other.
"""

from __future__ import annotations

import math
import time
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

from camerabias.datasets.random_views import change_colours
from camerabias.datasets.views import VIEWS
from camerabias.trainables.config import Recipe
from camerabias.trainables.evaluate import Examples, predict_logits
from camerabias.trainables.models import training_loss
from camerabias.trainables.randomness import generator, stream_seed
from camerabias.trainables.record import HISTORY_SCHEMA

Rows = npt.NDArray[np.int64]


class TrainingError(Exception):
    """Training went wrong by itself; the trial becomes a failure with this reason."""


class Training:
    """A model in training; `run_epoch` until `ended`.

    Args:
        model: The model, on the device of the images.
        recipe: How to train.
        seed: Of the order of the images, of dropout and of what random views draw.
        train: Training images; the last incomplete batch of an epoch is left out.
        validation: Validation images.
    """

    def __init__(
        self, model: nn.Module, recipe: Recipe, seed: int, train: Examples, validation: Examples
    ) -> None:
        self.model, self.recipe, self.seed = model, recipe, seed
        self.train, self.validation = train, validation
        self.device = train.images.device
        fused = self.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=fused
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

    def _make_scheduler(self) -> torch.optim.lr_scheduler.OneCycleLR | None:
        if self.recipe.schedule == "constant":
            return None
        return torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=self.recipe.learning_rate, total_steps=self.recipe.max_steps
        )

    @property
    def stopped(self) -> Literal["converged", "max_steps"] | None:
        """Why training has ended; None while it goes on."""
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
        order = torch.randperm(n, generator=generator(self.seed, "order", self.epoch)).numpy()
        augment = generator(self.seed, "augment", self.epoch)
        torch.manual_seed(stream_seed(self.seed, "dropout", self.epoch))
        began = time.perf_counter()
        for start in range(0, n - size + 1, size):
            self._train_step(order[start : start + size], augment)
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

    def _train_step(self, chosen: Rows, augment: torch.Generator) -> None:
        self.model.train()
        inputs = self._draw_inputs(self.train.rows[chosen], augment)
        classes = torch.from_numpy(self.train.classes[chosen]).to(self.device)
        bf16 = self.recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            loss, logits = training_loss(self.model(inputs), classes)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        rate = self.optimizer.param_groups[0]["lr"]
        if self.scheduler is not None:
            self.scheduler.step()
        self.step += 1
        self.training_images += len(chosen)
        accuracy = (logits.detach().argmax(dim=1) == classes).float().mean()
        self._pending.append((self.step, self.epoch, rate, loss.detach(), accuracy))

    def _draw_inputs(self, rows: Rows, augment: torch.Generator) -> torch.Tensor:
        """A batch in the train view, with the recipe's jitter laid over it; numbers are drawn on the CPU."""

        def numbers(n: int) -> torch.Tensor:
            return torch.rand((len(rows), n), generator=augment, dtype=torch.float64).to(self.device)

        images, kind = self.train.images, self.train.images.view.kind
        levels = images.levels(rows, numbers(kind.n_numbers) if kind.draw else None)
        if self.recipe.jitter:
            whole = VIEWS["jitter"]
            ranges = {name: self.recipe.jitter * width for name, width in whole.defaults.items()}
            levels = change_colours(levels.float(), numbers(whole.n_numbers), ranges)
        return images.normalise(levels)

    def _validate(self) -> None:
        logits = predict_logits(self.model, self.validation, self.recipe.batch_size, self.recipe.precision)
        expected = torch.from_numpy(self.validation.classes).to(self.device)
        loss = nn.functional.cross_entropy(logits, expected).item()
        accuracy = (logits.argmax(dim=1) == expected).float().mean().item()
        self._flush((loss, accuracy))
        self.validated_step = self.step
        if loss < self.best_loss:
            self.best_loss, self.best_step = loss, self.step
            self.best_state = {key: tensor.clone() for key, tensor in self.model.state_dict().items()}

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
        parameters = list(self.model.parameters())
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


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
