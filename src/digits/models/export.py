"""Models for other runtimes: written, run by the real runtime, compared, and only then kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Images
from ..errors import ModelError, OutputError
from ..files import output_error, refuse_existing, write_bytes
from ._keras import import_keras
from .compile import compile_program
from .foreign.rebuild import load_model
from .program import Program

FORMATS = {"onnx": ".onnx", "litert": ".tflite", "saved-model": "", "keras": ".keras"}
AGREEMENT = 1e-4  # the largest difference in probability that is let through

Answers = NDArray[np.float32]


def export_model(
    source: Path, to: str, path: Path, pictures: Images, overwrite: bool = False
) -> float:
    """Write the model at `source` in the format `to` (one of FORMATS) to `path`.

    What was written is run by its own runtime on `pictures`, (n, 28, 28) uint8, and kept only when
    its answers are those of Keras. Returns the largest difference in probability.
    Raises ModelError when it differs or a package is missing, OutputError on a bad place.
    """
    refuse_existing(path, overwrite)
    if to == "onnx":
        _need_onnx()
    model = load_model(source)
    expected = model.predict(pictures.astype(np.float32), verbose=0)
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        written = Path(folder, f"model{FORMATS[to]}")
        _WRITERS[to](model, written)
        answers = _RUNTIMES[to](written, pictures.astype(np.float32))
        difference = float(np.abs(answers - expected).max())
        same_digits = (answers.argmax(axis=1) == expected.argmax(axis=1)).all()
        if not (same_digits and difference <= AGREEMENT):
            raise ModelError(
                f"the {to} file of {source} answers differently (by {difference:.2g})",
                "Use another format, and report this",
            )
        _put(written, path)
    return difference


def _put(written: Path, path: Path) -> None:
    if written.is_file():
        write_bytes(path, written.read_bytes())
        return
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(written, beside)
        if path.is_dir() and not (path / "saved_model.pb").is_file():
            raise OutputError(f"{path} is a folder of something else", "Choose another name")
        if path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        beside.rename(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_onnx(model: Any, path: Path) -> None:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, 28, 28), tf.float32, name="pixels")]
    function = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature)
    tf2onnx.convert.from_function(function, signature, opset=17, output_path=str(path))


def _run_onnx(path: Path, pixels: Answers) -> Answers:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answers: Answers = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    return answers


def _need_onnx() -> None:
    try:
        import onnxruntime
        import tf2onnx  # noqa: F401

        onnxruntime.set_default_logger_severity(4)
    except ImportError as error:
        raise ModelError(
            "ONNX needs packages that are not installed", "Run: pip install 'digits[onnx]'"
        ) from error


def _run_saved_model(path: Path, pixels: Answers) -> Answers:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))  # owns the weights that `serve` uses
    answers: Answers = loaded.serve(pixels).numpy()
    return answers


def _run_keras(path: Path, pixels: Answers) -> Answers:
    loaded = import_keras().models.load_model(path, compile=False)
    answers: Answers = loaded.predict(pixels, verbose=0)
    return answers


_WRITERS: dict[str, Callable[[Any, Path], object]] = {
    "onnx": _write_onnx,
    "litert": lambda model, path: path.write_bytes(compile_program(model)),
    "saved-model": lambda model, path: model.export(path, verbose=False),
    "keras": lambda model, path: model.save(path),
}
_RUNTIMES: dict[str, Callable[[Path, Answers], Answers]] = {
    "onnx": _run_onnx,
    "litert": lambda path, pixels: Program(path.read_bytes(), path.name).probabilities(
        pixels.astype(np.uint8)
    ),
    "saved-model": _run_saved_model,
    "keras": _run_keras,
}
