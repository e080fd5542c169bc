"""Compile a Keras model to a LiteRT program: what predicting runs, without TensorFlow."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ..quiet import native_stderr_silenced
from ._keras import import_keras


def compile_program(model: Any) -> bytes:
    """`model` as a LiteRT flatbuffer: (n, 28, 28) float32 pixels in, (n, 10) float32 out.

    Only built-in operations are allowed, so that the small runtime can run it anywhere. TensorFlow
    compiles; under another backend of Keras it does so in a process of its own.
    """
    if import_keras().backend.backend() != "tensorflow":
        return _compile_elsewhere(model)
    import tensorflow as tf

    signature = [tf.TensorSpec((None, 28, 28), tf.float32, name="pixels")]
    function = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature)
    holder = tf.Module()  # keeps the weights alive for the converter, which looks for them here
    holder.weights = [weight.value for weight in model.weights]
    concrete = function.get_concrete_function()
    with native_stderr_silenced():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], holder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        return bytes(converter.convert())


def _compile_elsewhere(model: Any) -> bytes:
    from .file import read, save_plain
    from .foreign.convert import convert

    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        plain, converted = Path(folder, "plain.h5"), Path(folder, "converted.h5")
        save_plain(model, plain)
        convert(plain, converted)
        return read(converted).program
