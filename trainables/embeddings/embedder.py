"""From photos to features: a frozen backbone, on the image resized to its input and on crops at full resolution."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.views.fit import fit_pixels
from camerabias.trainables.embeddings.folding import fold_normalisation
from camerabias.trainables.embeddings.store import Features
from camerabias.trainables.models.registry import build_model, enlarged, find_classifier, normalisation
from camerabias.trainables.spec.linear_probe import Embedding
from camerabias.trainables.training.augment import augment
from camerabias.trainables.training.randomness import generator, image_numbers

if TYPE_CHECKING:
    from camerabias.trainables.embeddings.compiled import CompiledNetwork

BATCH = 32
"""Images of one forward pass."""

DRAW_SEED = 0
"""Of what random views and augmentation draw: an embedding serves trials of every seed."""


class Embedder:
    """Computes an embedding.

    Args:
        embedding: What is wanted.
        weights: The backbone's pretrained weights; None for none.
    """

    def __init__(self, embedding: Embedding, weights: dict[str, torch.Tensor] | None) -> None:
        self.embedding = embedding
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = _headless(embedding, weights).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        mean, std = (
            torch.tensor(values, device=self.device)[:, None, None]
            for values in normalisation(embedding.backbone)
        )
        self._shift, self._scale = -mean / std, 1 / (255 * std)
        self._compiled = (
            _compiled(self.network)
            if self.device.type == "cpu" and embedding.precision == "float32"
            else None
        )

    @cached_property
    def folded(self) -> nn.Module:
        """The network with its normalisation folded into its convolutions: what PyTorch runs."""
        size = self.embedding.size
        sides = enlarged(self.embedding.backbone, size, size)
        return fold_normalisation(self.network, torch.rand(2, 3, *sides, device=self.device))

    def features(self, image_ids: Sequence[str], photos: Sequence[Pixels], draw: int = 0) -> Features:
        """Features of photos.

        Args:
            image_ids: n, on which random draws depend.
            photos: n original images, uint8 (H, W, 3) of any sizes.
            draw: Which of an image's draws.

        Returns:
            float32 (n, d): of the resized image, then the mean of those of its crops.
        """
        seen = [self._see(*photo, draw) for photo in zip(image_ids, photos, strict=True)]
        random = generator(DRAW_SEED, "augment", _number(image_ids[0], draw))
        found = [self._embed([self._resized(one) for one in seen], random)]
        if self.embedding.crops and self.embedding.view.kind.side is None:
            crops = [self._crops(one) for one in seen]
            together = self._embed([crop for some in crops for crop in some], random)
            ends = np.cumsum([len(some) for some in crops])[:-1]
            found.append(np.stack([part.mean(axis=0) for part in np.split(together, ends)]))
        return np.concatenate(found, axis=1)

    def _see(self, image_id: str, photo: Pixels, draw: int) -> Pixels:
        """A photo through the view, uint8 (h, w, channels)."""
        view = self.embedding.view
        if view.kind.draw is None:
            return view.kind.transform(photo, view.parameters)
        numbers = image_numbers(DRAW_SEED, [image_id], draw, view.kind.n_numbers)
        source, first = torch.from_numpy(np.ascontiguousarray(photo))[None], torch.zeros(1, dtype=torch.int64)
        levels = view.kind.draw(source, first, numbers, view.parameters)[0]
        return levels.round().clamp(0, 255).byte().numpy()

    def _resized(self, seen: Pixels) -> Pixels:
        size = self.embedding.view.kind.side or self.embedding.size
        return self._large_enough(fit_pixels(seen, size, size, self.embedding.fit))

    def _crops(self, seen: Pixels) -> list[Pixels]:
        """Squares of unscaled pixels, spread over the image; the whole of a small one."""
        height, width = (min(self.embedding.size, side) for side in seen.shape[:2])
        places = _places(seen.shape[0] - height, seen.shape[1] - width, self.embedding.crops)
        return [self._large_enough(seen[top : top + height, left : left + width]) for top, left in places]

    def _large_enough(self, image: Pixels) -> Pixels:
        """Enlarged where the backbone takes no smaller one."""
        return fit_pixels(image, *enlarged(self.embedding.backbone, *image.shape[:2]), "stretch")

    def _embed(self, inputs: Sequence[Pixels], random: torch.Generator) -> Features:
        """Features (n, d) of uint8 images, those of one shape together."""
        shapes = [image.shape for image in inputs]
        found: dict[int, Features] = {}
        for shape in dict.fromkeys(shapes):
            members = [number for number, other in enumerate(shapes) if other == shape]
            for start in range(0, len(members), BATCH):
                some = members[start : start + BATCH]
                features = self._forward(np.stack([inputs[number] for number in some]), random)
                found |= dict(zip(some, features, strict=True))
        return np.stack([found[number] for number in range(len(inputs))])

    @torch.inference_mode()
    def _forward(self, images: npt.NDArray[np.uint8], random: torch.Generator) -> Features:
        levels = torch.from_numpy(images).to(self.device)
        if self.embedding.augmentation:
            levels = augment(levels, self.embedding.augmentation, random)
        inputs = levels.float().permute(0, 3, 1, 2) * self._scale + self._shift
        if self._compiled is not None and (found := self._compiled(inputs)) is not None:
            return found
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.embedding.precision == "bfloat16"):
            features: Features = self.folded(inputs).float().cpu().numpy()
        return features


def _compiled(network: nn.Module) -> CompiledNetwork:
    from camerabias.trainables.embeddings.compiled import (
        CompiledNetwork,
    )  # late: with a GPU nobody needs OpenVINO

    return CompiledNetwork(network)


def _headless(embedding: Embedding, weights: dict[str, torch.Tensor] | None) -> nn.Module:
    """The backbone, whose output is what its classifier was given."""
    torch.manual_seed(DRAW_SEED)  # of a backbone without weights
    sides = enlarged(embedding.backbone, embedding.size, embedding.size)
    model = build_model(embedding.backbone, 2, sides, weights)
    name, _ = find_classifier(model)
    model.set_submodule(name, nn.Identity())
    return model.requires_grad_(False).eval()


def _places(down: int, across: int, n: int) -> list[tuple[int, int]]:
    """Corners of n crops spread evenly over the diagonals of what is left of height and width; each once."""
    if n == 1:
        return [(down // 2, across // 2)]
    shares = [(share, share) for share in np.linspace(0, 1, n - n // 2)]
    shares += [(share, 1 - share) for share in np.linspace(0, 1, n // 2)] if n > 1 else []
    return list(dict.fromkeys((round(a * down), round(b * across)) for a, b in shares))


def _number(image_id: str, draw: int) -> int:
    """A number of its own for each draw of each image."""
    return int.from_bytes(hashlib.sha256(f"{image_id}/{draw}".encode()).digest()[:8], "big")
