"""Pixel statistics of a photo of 12 megapixels against decoding it. Aim: at least half as fast.

    python -m benchmarks pixels [ROUNDS]

Seconds of processors; one photo of 4,000 × 3,000 with noise, saved as JPEG 92. Measuring decodes, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.common import take_turns
from camerabias.datasets.io.decode import decode
from camerabias.datasets.pixels.registry import measure_pixels

ROUNDS, SIDES = 5, (3000, 4000)


def main(arguments: list[str]) -> None:
    n_rounds = int(arguments[0]) if arguments else ROUNDS
    cv2.setNumThreads(1)
    photo = make_photo()
    rounds = take_turns(n_rounds, lambda: computing(measure_pixels, photo), lambda: computing(decode, photo))
    rounds.tell(
        "pixels", "Of 12 megapixels: statistics {ours} s, decoding {against} s; ratio of speeds {ratio}."
    )


def make_photo() -> bytes:
    generator = np.random.default_rng(0)
    smooth = cv2.resize(generator.integers(30, 220, (12, 16, 3), dtype=np.uint8), SIDES[::-1])
    noisy = smooth + generator.normal(0, 4, smooth.shape)
    return bytes(cv2.imencode(".jpg", noisy.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


def computing(work: Callable[[bytes], object], photo: bytes) -> float:
    began = time.process_time()
    work(photo)
    return time.process_time() - began
