"""Run a compiled LiteRT program: what predicting does, without TensorFlow."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..parallel import processors
from ..quiet import native_stderr_silenced

BATCH = 256
"""Pictures at a time: large enough to keep the cores busy, small enough to stay in their caches."""

MOST_BYTES = 256 << 20


class Program:
    """A program that takes (n, 28, 28) float32 pixels 0..255 and gives (n, outputs) float32.

    Threads may share it; they take turns.
    """

    def __init__(self, content: bytes, name: str, outputs: int = 10) -> None:
        self.content = content
        self.name = name
        self.outputs = outputs
        self._lock = threading.Lock()
        self._interpreters: dict[int, Any] = {}

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, outputs) probabilities for (n, 28, 28) pixel values, white ink on black.

        Raises ModelError when the content is no such program.
        """
        result = np.empty((len(images), self.outputs), np.float32)
        try:
            with self._lock:
                for start in range(0, len(images), BATCH):
                    piece = images[start : start + BATCH]
                    result[start : start + len(piece)] = self._run(piece)
        except (ValueError, RuntimeError) as error:  # what LiteRT says of damage
            raise self._cannot_run() from error
        return result

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        threads = processors() if len(images) > 16 else 1
        if threads not in self._interpreters:
            self._interpreters[threads] = self._interpreter(threads)
        interpreter = self._interpreters[threads]
        source = interpreter.get_input_details()[0]
        if source["shape"][0] != len(images):
            interpreter.resize_tensor_input(source["index"], images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], images.astype(np.float32))
        interpreter.invoke()
        output: NDArray[np.float32] = interpreter.get_tensor(
            interpreter.get_output_details()[0]["index"]
        )
        return output

    def _interpreter(self, threads: int) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        if not 0 < len(self.content) <= MOST_BYTES:
            raise self._cannot_run()
        with native_stderr_silenced():  # LiteRT greets
            interpreter = Interpreter(model_content=self.content, num_threads=threads)
            interpreter.allocate_tensors()
        ends = [interpreter.get_input_details(), interpreter.get_output_details()]
        for details, rest in zip(ends, ([28, 28], [self.outputs]), strict=True):
            fits = len(details) == 1 and details[0]["dtype"] is np.float32
            if not fits or list(details[0]["shape_signature"]) != [-1, *rest]:
                raise self._cannot_run()
        return interpreter

    def _cannot_run(self) -> ModelError:
        return ModelError(f"the program in {self.name} cannot run", "Train the model again")
