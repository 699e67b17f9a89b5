"""Random numbers by (seed, stream, epoch), so that adding a stream, or resuming at an epoch, moves no other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

TrainingStream = Literal["init", "order", "dropout", "augment", "draw", "adversary"]


def stream_seed(seed: int, stream: TrainingStream, epoch: int = 0) -> int:
    """A 63-bit seed for one stream of one epoch of a trial."""
    digest = hashlib.sha256(f"{seed}/{stream}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(
    seed: int, stream: TrainingStream, epoch: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A torch generator for one stream of one epoch of a trial."""
    return torch.Generator(device=device).manual_seed(stream_seed(seed, stream, epoch))


def image_numbers(seed: int, image_ids: Sequence[str], draw: int, n: int) -> torch.Tensor:
    """Random numbers of single images, which depend on nothing but the seed, the image and the draw.

    Args:
        seed: The trial's.
        image_ids: b images.
        draw: Which of an image's draws.
        n: Numbers per image, at most 4 (what one hash holds).

    Returns:
        float64 (b, n), uniform in [0, 1).
    """
    digests = [hashlib.sha256(f"{seed}/draw/{draw}/{image_id}".encode()).digest() for image_id in image_ids]
    words = np.frombuffer(b"".join(digests), dtype=">u8").reshape(len(image_ids), 4)[:, :n]
    return torch.from_numpy((words >> np.uint64(11)) * 2.0**-53)
