"""Random numbers by (seed, stream, epoch), so that adding a stream, or resuming at an epoch, moves no other."""

from __future__ import annotations

import hashlib
from typing import Literal

import torch

Stream = Literal["init", "order", "dropout", "augment", "draw"]


def stream_seed(seed: int, stream: Stream, epoch: int = 0) -> int:
    """A 63-bit seed for one stream of one epoch of a trial."""
    digest = hashlib.sha256(f"{seed}/{stream}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(
    seed: int, stream: Stream, epoch: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A torch generator for one stream of one epoch of a trial."""
    return torch.Generator(device=device).manual_seed(stream_seed(seed, stream, epoch))
