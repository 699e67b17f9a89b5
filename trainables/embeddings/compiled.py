"""A frozen network compiled for this processor by OpenVINO: the same features in less than half of PyTorch's time."""

from __future__ import annotations

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

Network = Callable[[npt.NDArray[np.float32]], Features]
"""From float32 images (n, channels, height, width) to features (n, d); may be called by several threads at once."""


def compile_network(network: nn.Module, example: torch.Tensor) -> Network | None:
    """Compile a network for images of one size, in float32, an image of each batch a thread.

    What a network computes may depend on the size of its images in Python's own numbers, so that size is fixed.

    Args:
        network: In evaluation mode.
        example: float32 (n, channels, height, width), of the only height and width that there will be.

    Returns:
        The compiled network; None where OpenVINO cannot take it, or where its features of other images differ from
        the network's.
    """
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
