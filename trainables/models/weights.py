"""Pretrained weights: where they come from, and their id."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.models.registry import find_model

if TYPE_CHECKING:
    import torch

    State = dict[str, torch.Tensor]
    Weigh = Callable[[torch.Tensor], torch.Tensor]


def load_weights(name: str, source: str) -> State | None:
    """Weights to start from.

    Args:
        name: The model.
        source: `none`, `imagenet`, or the path of a `.safetensors` or torch file.

    Raises:
        CamerabiasError: They cannot be had; says what to do.
    """
    if source == "none":
        return None
    if source == "imagenet":
        return _load_imagenet(name)
    path = Path(os.path.expanduser(source))
    if not path.is_file():
        raise CamerabiasError(f"There is no weights file {source!r}; allowed: imagenet, none, or a file.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        import torch

        state = dict(torch.load(path, map_location="cpu", weights_only=True))
    # torch and safetensors raise their own classes for every kind of broken file
    except Exception as error:
        raise CamerabiasError(f"Cannot read the weights file {source!r}: {error}") from error
    if not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise CamerabiasError(
            f"The weights file {source!r} holds {', '.join(map(str, list(state)[:5]))}, not only tensors; save the "
            "model's state_dict() alone."
        )
    return state


def weights_id(state: State | None) -> str:
    """`none`, or `sha256:` of names and content, wherever the file lies."""
    if state is None:
        return "none"
    import torch

    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key].detach().cpu().contiguous()
        digest.update(f"{key}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def _load_imagenet(name: str) -> State:
    kind = find_model(name)
    try:
        return kind.pretrained()
    # the hubs raise URLError, OSError, RuntimeError, their own HTTP classes: all mean that there are no weights
    except Exception as error:
        import torch

        raise CamerabiasError(
            f"ImageNet weights of {name} cannot be had ({type(error).__name__}: {error}). Connect this machine "
            f"to the internet, put the file into {torch.hub.get_dir()}/checkpoints, give one with "
            "--weights FILE, or train from scratch with --weights none."
        ) from error
