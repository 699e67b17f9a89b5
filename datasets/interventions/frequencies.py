"""Energies of a photo by frequency, and planes filtered by frequency: those of 8 × 8 cosines."""

from __future__ import annotations

import numpy as np
from scipy import fft

from camerabias.datasets.interventions.intervention import Level
from camerabias.datasets.pixels.areas import BLOCK, Levels

FREQUENCIES = np.arange(BLOCK) / (2 * BLOCK)
"""Of 8 cosines, in cycles per pixel."""

SQUARES = FREQUENCIES[:, None] ** 2 + FREQUENCIES**2

FADING = np.sin(np.pi * (np.arange(2 * BLOCK) + 0.5) / (2 * BLOCK)) ** 2
"""How a square fades out (Hann's window)."""


def spectrum(planes: Levels) -> Level:
    """Energy of planes (crops, height, width) at `FREQUENCIES`, (8, 8); that of white noise is its variance.

    In squares of 16 × 16 pixels that fade out towards their borders: without that, borders look like fine detail.
    """
    windows = np.lib.stride_tricks.sliding_window_view(planes, (2 * BLOCK, 2 * BLOCK), axis=(1, 2))
    squares = windows[:, ::BLOCK, ::BLOCK].reshape(-1, 2 * BLOCK, 2 * BLOCK)
    fading = np.outer(FADING, FADING).astype(np.float32)
    found = fft.rfft2((squares - squares.mean(axis=(1, 2), keepdims=True)) * fading)
    mean = (found.real**2 + found.imag**2).mean(axis=0, dtype=np.float64) / np.square(fading).sum()
    opposite = -np.arange(BLOCK)  # the negative frequencies down
    return np.asarray((mean[:BLOCK, :BLOCK] + mean[opposite, :BLOCK]) / 2, np.float64)


def between_frequencies(height: int, width: int) -> tuple[Level, Level]:
    """From 8 × 8 cosines to the frequencies of `rfft2`, linearly: weights (height, 8) and (width // 2 + 1, 8)."""
    places = [
        np.minimum(np.abs(some) / FREQUENCIES[1], BLOCK - 1)
        for some in (np.fft.fftfreq(height), np.fft.rfftfreq(width))
    ]
    down, across = (np.maximum(1 - np.abs(place[:, None] - np.arange(BLOCK)), 0) for place in places)
    return down, across


def filtered(plane: Levels, gains: Level) -> Levels:
    """A plane (height, width) filtered with gains (8, 8) by frequency, mirrored at its borders."""
    height, width = plane.shape
    ends = [(0, fft.next_fast_len(side + BLOCK, real=True) - side) for side in plane.shape]
    mirrored = np.pad(plane, ends, mode="symmetric")
    down, across = (weights.astype(np.float32) for weights in between_frequencies(*mirrored.shape))
    found = fft.rfft2(mirrored) * (down @ gains.astype(np.float32) @ across.T)
    return np.asarray(fft.irfft2(found, s=mirrored.shape)[:height, :width], np.float32)
