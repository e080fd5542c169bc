"""Compile a Keras model to LiteRT: what predicting runs, without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from .._io.child import main
from .._io.stderr import native_stderr_silenced
from .._io.temporary import scratch_folder
from . import child
from ._keras import import_keras
from .file import save_plain

_MAX_HALF = float(np.finfo(np.float16).max)

TIMEOUT = 300  # seconds; compiling takes about 5


def compile_model(model: Any) -> bytes:
    """Compile a model to a LiteRT flatbuffer: (n, 28, 28) float32 in, (n, outputs) float32 out.

    Only built-in operations are allowed, so that the small runtime can run it anywhere. TensorFlow
    compiles; with another Keras backend, in a process of its own. Weights are stored as float16
    where that loses nothing (see `round_weights`), which halves the size.

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
        if _is_half_precise(model):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def round_weights(model: Any) -> None:
    """Round the weights of a model, in place, to what both bfloat16 and float16 can hold.

    Then its file holds the same numbers in half the space. With 8 significant bits each, the error
    of a sum of many is far below what training leaves to chance. A model that normalizes stays as
    it is: compiling multiplies its weights with others.
    """
    if _normalizes(model):
        return
    for weight in model.weights:
        bits = np.asarray(weight, np.float32).view(np.uint32)
        nearest = bits + 0x7FFF + ((bits >> 16) & 1)  # round to even, as hardware does
        rounded = (nearest & np.uint32(0xFFFF0000)).view(np.float32)
        weight.assign(np.clip(rounded, -_MAX_HALF, _MAX_HALF).astype(np.float16))


def _is_half_precise(model: Any) -> bool:
    if _normalizes(model):
        return False
    values = [np.asarray(weight, np.float32) for weight in model.weights]
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and so another number
        return all((v.astype(np.float16).astype(np.float32) == v).all() for v in values)


def _normalizes(model: Any) -> bool:
    layer = import_keras().layers.BatchNormalization
    return any(isinstance(one, layer) for one in model.layers)


def _compile_file(source: Path, target: Path) -> None:
    # `compile_model` has just saved the file, so it is safe to deserialize.
    target.write_bytes(_compile(import_keras().models.load_model(source, compile=False)))


if __name__ == "__main__":
    sys.exit(main(_compile_file))
