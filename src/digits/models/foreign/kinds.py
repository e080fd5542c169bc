"""Model files that are neither `.h5` nor `.keras`: named for what they are, with the way out."""

from __future__ import annotations

from pathlib import Path

from ...errors import ModelError

_FROM_KERAS = "In the program that made it: model.save('NAME.h5')"
_HEAD = 64  # bytes


def other_kind(path: Path) -> ModelError:
    """The error for a file that holds no Keras model, by its content."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    suffix = path.suffix.lower()
    if head[4:8] == b"TFL3":
        return ModelError(
            "the file is a LiteRT (TensorFlow Lite) model, from which none can be rebuilt",
            f"Give the model that it was made of. {_FROM_KERAS}",
        )
    if suffix == ".onnx":
        return ModelError(
            "the file is an ONNX model", f"Give the model that it was made of. {_FROM_KERAS}"
        )
    if suffix in (".pt", ".pth") or head.startswith(b"\x80"):
        return of_pytorch()
    if suffix == ".pb":
        return saved_model()
    return ModelError("the file is not a Keras model", "Give a model file (.h5 or .keras)")


def saved_model(path: Path | None = None) -> ModelError:
    """The error for a TensorFlow SavedModel: the folder at `path`, or a file of one."""
    return ModelError(
        "this is a TensorFlow SavedModel",
        "In Keras 2: keras.models.load_model(FOLDER), then model.save('NAME.h5')",
        path,
    )


def of_pytorch() -> ModelError:
    """The error for a file of PyTorch."""
    return ModelError(
        "the file is a PyTorch or pickle file, which can run code when it is opened",
        "Build the same layers in Keras, set_weights with the arrays of state_dict(), and "
        "model.save('NAME.h5')",
    )
