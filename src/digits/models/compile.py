"""Compile a Keras model to LiteRT: what predicting runs, without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .._io.child import main
from .._io.stderr import native_stderr_silenced
from .._io.temporary import scratch_folder
from . import child
from ._keras import import_keras
from .file import save_plain

TIMEOUT = 300  # seconds; compiling takes about 5


def compile_model(model: Any) -> bytes:
    """Compile a model to a LiteRT flatbuffer: (n, 28, 28) float32 in, (n, outputs) float32 out.

    Only built-in operations are allowed, so that the small runtime can run it anywhere. TensorFlow
    compiles; with another Keras backend, in a process of its own.

    Raises:
        ModelError: That process failed.
    """
    if import_keras().backend.backend() == "tensorflow":
        return _compile(model)
    with scratch_folder() as folder:
        plain, compiled = folder / "model.h5", folder / "model.tflite"
        save_plain(model, plain)
        child.run(__name__, plain, compiled, TIMEOUT, "the model cannot be compiled")
        return compiled.read_bytes()


def _compile(model: Any) -> bytes:
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="pixels")]
    function = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature)
    holder = tf.Module()  # keeps the weights alive for the converter, which looks for them here
    holder.weights = [weight.value for weight in model.weights]
    concrete = function.get_concrete_function()
    with native_stderr_silenced():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], holder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        return bytes(converter.convert())


def _compile_file(source: Path, target: Path) -> None:
    # `compile_model` has just saved the file, so it is safe to deserialize.
    target.write_bytes(_compile(import_keras().models.load_model(source, compile=False)))


if __name__ == "__main__":
    sys.exit(main(_compile_file))
