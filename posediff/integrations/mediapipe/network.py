"""Run a .tflite network on single images."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from posediff.structures.argument_checks import require_whole


class Network:
    """A TensorFlow Lite interpreter with its tensors allocated once. Calls from several threads are serialised.

    Args:
        path: The .tflite file.
        input_size: Side of the square input, px.
        output_shapes: Shapes of the outputs, in the order of the returned list.
        num_threads: CPU threads.

    Raises:
        FileNotFoundError: The file does not exist.
        ImportError: ai-edge-litert is not installed.
        ValueError: ``num_threads`` is not a positive integer, or the file is another network.
    """

    def __init__(
        self, path: Path, input_size: int, output_shapes: tuple[tuple[int, ...], ...], num_threads: int
    ) -> None:
        require_whole('MediaPipe network', {'num_threads': num_threads}, least=1)
        if not path.is_file():
            raise FileNotFoundError(f'weights file {path} does not exist')
        interpreter_class = _import_interpreter()
        try:
            self._interpreter = interpreter_class(model_path=str(path), num_threads=int(num_threads))
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f'{path} is not a readable .tflite file: {error}') from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = tuple(tuple(int(side) for side in details['shape']) for details in (*inputs, *outputs))
        expected = ((1, input_size, input_size, 3), *output_shapes)
        if shapes != expected:
            raise ValueError(f'{path} has inputs and outputs of shapes {shapes}, expected {expected}')
        self._lock = threading.Lock()
        self._input = inputs[0]['index']
        self._outputs = [details['index'] for details in outputs]

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        """Return the outputs, without batch axis, for an image (S, S, 3) float32 in the value range of the network."""
        with self._lock:
            self._interpreter.set_tensor(self._input, image[None])
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


def _import_interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ImportError(
            f"MediaPipe's networks need the package ai-edge-litert: pip install 'posediff[mediapipe]' ({error})"
        ) from error
    return Interpreter
