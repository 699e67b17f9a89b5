"""A trial's state on disk: tensors as safetensors, the rest as JSON that carries the tensors' checksum.

The JSON is written last; a pair that does not match (a kill in between, a file cut short) is no checkpoint.
"""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.record import CHECKPOINT_FILE, CHECKPOINT_STATE_FILE, WEIGHTS_FILE


def write_checkpoint(folder: Folder, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    """Write a checkpoint; `state` must be JSON."""
    content = _encode(tensors)
    folder.write_bytes(CHECKPOINT_FILE, content)
    folder.write_json(CHECKPOINT_STATE_FILE, {**state, "sha256": hashlib.sha256(content).hexdigest()})


def read_checkpoint(folder: Folder) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """The checkpoint, or None when there is none that is whole: the trial then starts over, to the same end."""
    if not (folder.exists(CHECKPOINT_FILE) and folder.exists(CHECKPOINT_STATE_FILE)):
        return None
    content = folder.read_bytes(CHECKPOINT_FILE)
    try:
        state = folder.read_json(CHECKPOINT_STATE_FILE)
    except CamerabiasError:  # damaged
        return None
    if not isinstance(state, dict) or state.pop("sha256", None) != hashlib.sha256(content).hexdigest():
        return None
    return load(content), state


def write_weights(folder: Folder, state: dict[str, torch.Tensor]) -> None:
    """Keep a model's weights, for probes and for the user."""
    folder.write_bytes(WEIGHTS_FILE, _encode(state))


def read_weights(folder: Folder) -> dict[str, torch.Tensor]:
    """The weights that were kept.

    Raises:
        CamerabiasError: They are damaged.
    """
    try:
        return load(folder.read_bytes(WEIGHTS_FILE))
    except (OSError, SafetensorError) as error:
        raise CamerabiasError(
            f"{folder.file(WEIGHTS_FILE)} is damaged ({error}); delete {folder} to have the trial trained again"
        ) from error


def _encode(tensors: dict[str, torch.Tensor]) -> bytes:
    return save({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()})
