"""Run a compiled LiteRT model: what predicting does, without TensorFlow."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._io.stderr import native_stderr_silenced
from .._io.workers import worker_threads
from ..errors import ModelError

BATCH = 256
"""Pictures at a time: enough to keep all cores busy, few enough to stay in their caches."""

MIN_THREADED = 16
"""With fewer pictures, starting threads costs more than it saves."""

MAX_BYTES = 256 << 20


class CompiledModel:
    """A LiteRT model from (n, 28, 28) float32 pixels 0..255 to (n, outputs) float32.

    Threads may share it: they take turns. It can be pickled.

    Args:
        content: The flatbuffer.
        name: What errors call it: a path or a family.
        outputs: Number of classes.
    """

    def __init__(self, content: bytes, name: str, outputs: int = 10) -> None:
        self.content = content
        self.name = name
        self.outputs = outputs
        self._lock = threading.Lock()
        self._interpreters: dict[int, Any] = {}

    def __reduce__(self) -> tuple[type[CompiledModel], tuple[bytes, str, int]]:
        return type(self), (self.content, self.name, self.outputs)

    def __repr__(self) -> str:
        return f"CompiledModel({self.name!r}, {self.outputs} outputs, {len(self.content):,} bytes)"

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the class probabilities.

        Args:
            images: (n, 28, 28) pixel values 0..255, white ink on black.

        Returns:
            (n, outputs).

        Raises:
            ValueError: `images` has another shape.
            ModelError: The content is no such model.
        """
        if images.ndim != 3 or images.shape[1:] != (28, 28):
            raise ValueError(f"images must have the shape (n, 28, 28), not {images.shape}")
        result = np.empty((len(images), self.outputs), np.float32)
        try:
            with self._lock:
                for start in range(0, len(images), BATCH):
                    batch = images[start : start + BATCH]
                    result[start : start + len(batch)] = self._run(batch)
        except (ValueError, RuntimeError) as error:  # how LiteRT reports damage
            raise self._cannot_run() from error
        return result

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        threads = worker_threads() if len(images) > MIN_THREADED else 1
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

        if not 0 < len(self.content) <= MAX_BYTES:
            raise self._cannot_run()
        with native_stderr_silenced():  # LiteRT prints what it will use
            interpreter = Interpreter(model_content=self.content, num_threads=threads)
            interpreter.allocate_tensors()
        ends = [interpreter.get_input_details(), interpreter.get_output_details()]
        for details, shape in zip(ends, ([-1, 28, 28], [-1, self.outputs]), strict=True):
            fits = len(details) == 1 and details[0]["dtype"] is np.float32
            if not fits or list(details[0]["shape_signature"]) != shape:
                raise self._cannot_run()
        return interpreter

    def _cannot_run(self) -> ModelError:
        return ModelError("the compiled model cannot run", "Train the model again", self.name)
