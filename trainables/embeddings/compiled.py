"""A frozen network compiled for this processor by OpenVINO: the same features in less than half of PyTorch's time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import openvino
import torch
from openvino.frontend import FrontEndManager, OpConversionFailure
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import nn

from camerabias.datasets.io.executor import usable_threads
from camerabias.trainables.embeddings.folding import same_features
from camerabias.trainables.embeddings.store import Features

FEWEST = 8
"""Images of one size at a time for which a network is compiled; that takes as long as PyTorch takes for a hundred."""

SIZES = 4
"""Sizes of images for which a network is compiled."""

_Run = Callable[[npt.NDArray[np.float32]], Features]


class CompiledNetwork:
    """A network that is compiled, in float32, for each size of images of which many come at a time.

    What a network computes may depend on the size of its images in Python's own numbers, so that a size is fixed.

    Args:
        network: In evaluation mode.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._compiling = threading.Lock()
        self._of_shape: dict[torch.Size, _Run | None] = {}

    def __call__(self, images: torch.Tensor) -> Features | None:
        """Features of images; may be asked by several threads at once, each of which has a core.

        Args:
            images: float32 (n, channels, height, width).

        Returns:
            (n, d); None where the network is not compiled for them: they are few, it has been compiled for other
            sizes, OpenVINO cannot take it, or takes it for another one.
        """
        run = self._run(images[:2]) if len(images) >= FEWEST else None
        return None if run is None else run(images.numpy())

    def _run(self, example: torch.Tensor) -> _Run | None:
        shape = example.shape[1:]
        with self._compiling:
            if shape not in self._of_shape and len(self._of_shape) < SIZES:
                with torch.inference_mode(False):  # in which nothing can be traced
                    self._of_shape[shape] = _compile(self._network, example.clone())
        return self._of_shape.get(shape)


def _compile(network: nn.Module, example: torch.Tensor) -> _Run | None:
    converted = _convert(network, example)
    if converted is None:
        return None
    threads = usable_threads()
    options = {
        "INFERENCE_PRECISION_HINT": "f32",  # it would take bfloat16 where the processor has it
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,  # a thread each for as many callers
    }
    compiled = openvino.Core().compile_model(converted, "CPU", options)

    def run(images: npt.NDArray[np.float32]) -> Features:
        found: Features = compiled.create_infer_request().infer({0: images})[0]
        return found

    others = 1 - example  # of the example itself, what was kept as a constant would be right
    with torch.inference_mode():
        expected = network(others)
    return run if same_features(expected, torch.from_numpy(run(others.numpy()))) else None


def _convert(network: nn.Module, example: torch.Tensor) -> openvino.Model | None:
    """Without `openvino.convert_model`, which would tell its makers of every call, and traces twice."""
    reader = FrontEndManager().load_by_framework("pytorch")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # that tracing is to be replaced, and that it keeps numbers of Python's
        try:
            traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
            decoder = TorchScriptPythonDecoder(traced, example_input=example)  # must outlive the next line
            return reader.convert(reader.load(decoder))
        except (OpConversionFailure, RuntimeError):  # an operation that one of them does not know
            return None
