"""Export models to other runtimes: written, run by that runtime, compared, and only then kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._io.files import output_error, refuse_existing, write_bytes
from .._io.temporary import scratch_folder, temporary_folder
from ..errors import ModelError, OutputError
from ._keras import import_keras
from .compile import compile_model
from .compiled import CompiledModel
from .foreign.load import load_model

TOLERANCE = 1e-4
"""The largest accepted difference in probability: ten times what float32 arithmetic in another
order amounts to."""

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Format:
    """An export format.

    Attributes:
        suffix: Of the file; empty if it is a folder.
        write: Writes a Keras model to a path.
        run: Runs what was written on (n, 28, 28) float32 pixels 0..255.
    """

    suffix: str
    write: Callable[[Any, Path], object]
    run: Callable[[Path, NDArray[np.float32]], Probabilities]


def export_model(
    source: Path, to: str, path: Path, images: NDArray[np.uint8], overwrite: bool = False
) -> float:
    """Export a model.

    Args:
        source: A model file.
        to: A name in `FORMATS`.
        path: Where to write it.
        images: (n, 28, 28) uint8, on which the exported model must answer as Keras does.
        overwrite: Replace an existing `path`.

    Returns:
        The largest difference in probability.

    Raises:
        ModelError: The answers differ, or a package is missing.
        OutputError: `path` exists, or cannot be written.
    """
    refuse_existing(path, overwrite)
    if to == "onnx":
        _require_onnx()
    model = load_model(source)
    pixels = images.astype(np.float32)
    expected = model.predict(pixels, verbose=0)
    with scratch_folder() as folder:
        written = folder / f"model{FORMATS[to].suffix}"
        FORMATS[to].write(model, written)
        found = FORMATS[to].run(written, pixels)
        difference = float(np.abs(found - expected).max())
        same_digits = (found.argmax(axis=1) == expected.argmax(axis=1)).all()
        if not (same_digits and difference <= TOLERANCE):
            raise ModelError(
                f"the {to} export answers differently (by {difference:.2g})",
                "Use another format, and report this",
                source,
            )
        if written.is_file():
            write_bytes(path, written.read_bytes(), overwrite=overwrite)
        else:
            _replace_folder(written, path)
    return difference


def _replace_folder(written: Path, path: Path) -> None:
    """Copy the folder `written` to `path`, in place of an earlier export there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(path.parent) as beside:
            new = Path(shutil.copytree(written, beside / "new"))
            if path.is_dir() and not (path / "saved_model.pb").is_file():
                raise OutputError("the folder holds something else", "Choose another name", path)
            # Not a hidden name: a kill between the two must lose nothing.
            old = path.with_name(f"{path.name}.old")
            replaced = path.exists()
            if replaced:
                if old.exists():
                    raise OutputError("something is in the way", "Move or remove it", old)
                path.rename(old)
            new.rename(path)
            if replaced:
                _remove(old)
    except OSError as error:
        raise output_error(path, error) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _write_onnx(model: Any, path: Path) -> None:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, 28, 28), tf.float32, name="pixels")]
    function = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature)
    tf2onnx.convert.from_function(function, signature, opset=17, output_path=str(path))


def _run_onnx(path: Path, pixels: NDArray[np.float32]) -> Probabilities:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    result: Probabilities = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    return result


def _require_onnx() -> None:
    try:
        import onnxruntime
        import tf2onnx  # noqa: F401

        onnxruntime.set_default_logger_severity(4)
    except ImportError as error:
        raise ModelError(
            "ONNX needs packages that are not installed", "Run: pip install 'digits[onnx]'"
        ) from error


def _run_litert(path: Path, pixels: NDArray[np.float32]) -> Probabilities:
    return CompiledModel(path.read_bytes(), path.name).probabilities(pixels.astype(np.uint8))


def _run_saved_model(path: Path, pixels: NDArray[np.float32]) -> Probabilities:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))  # owns the weights that `serve` uses
    result: Probabilities = loaded.serve(pixels).numpy()
    return result


def _run_keras(path: Path, pixels: NDArray[np.float32]) -> Probabilities:
    loaded = import_keras().models.load_model(path, compile=False)
    result: Probabilities = loaded.predict(pixels, verbose=0)
    return result


FORMATS = {
    "onnx": Format(".onnx", _write_onnx, _run_onnx),
    "litert": Format(
        ".tflite", lambda model, path: path.write_bytes(compile_model(model)), _run_litert
    ),
    "saved-model": Format(
        "", lambda model, path: model.export(path, verbose=False), _run_saved_model
    ),
    "keras": Format(".keras", lambda model, path: model.save(path), _run_keras),
}
