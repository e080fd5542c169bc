"""Readers of the bytes of strangers, with small good files for each.

For property tests, for files that once were a problem (`tests/regressions`), and for `make fuzz`.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from digits.data.formats import csv, idx, npy, npz
from digits.errors import DigitsError
from digits.models.foreign.hdf5 import extract_unlimited
from digits.recognition.preprocess import preprocess
from imaging.broken_pictures import seeds as pictures
from models.foreign.keras_files import dense_model, layer, write_h5

IMAGES = np.arange(3 * 784, dtype=np.uint8).reshape(3, 28, 28)
LABELS = np.arange(3, dtype=np.uint8)


@dataclass(frozen=True)
class Target:
    """A reader of files.

    Attributes:
        read: Reads the file at a path.
        seeds: The content of good files.
        name: Of the file.
        beside: Further files in its folder.
    """

    read: Callable[[Path], object]
    seeds: tuple[bytes, ...]
    name: str
    beside: tuple[tuple[str, bytes], ...] = ()


def refusal(target: Target, content: bytes) -> str | None:
    """Why a file with this content is refused; None if it is read. Anything else is a failure."""
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        for name, beside in target.beside:
            Path(folder, name).write_bytes(beside)
        path = Path(folder, target.name)
        path.write_bytes(content)
        try:
            target.read(path)
        except DigitsError as error:
            assert "\n" not in str(error), f"more than a line: {error}"
            return error.problem
    return None


def _csv_seeds() -> tuple[bytes, ...]:
    rows = np.column_stack([LABELS, IMAGES.reshape(3, 784)])
    plain = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    floats = "\r\n".join(";".join(f'"{value / 1:.1f}"' for value in row) for row in rows.tolist())
    texts = (plain, f"{header}\n{plain}\n", floats)
    return (*(text.encode() for text in texts), gzip.compress(plain.encode(), mtime=0))


def _idx(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz_seeds() -> tuple[bytes, ...]:
    stored, packed, split = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(stored, images=IMAGES, labels=LABELS)
    np.savez_compressed(packed, x=IMAGES / np.float32(255), y=np.eye(10)[LABELS])
    np.savez(split, x_train=IMAGES[..., None], y_train=LABELS, x_test=IMAGES, y_test=LABELS)
    return tuple(file.getvalue() for file in (stored, packed, split))


def _h5_seed() -> bytes:
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        return write_h5(Path(folder, "a.h5"), *dense_model(1)).read_bytes()


def _keras_seed() -> bytes:
    config, weights = dense_model(1)
    layers = [layer("InputLayer", "in", batch_shape=[None, 784]), *config["config"]["layers"]]
    for each in layers[1:]:
        each["config"].pop("batch_input_shape", None)
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, arrays in zip(("dense", "dense_1"), weights.values(), strict=True):
            for number, (_, array) in enumerate(arrays):
                file[f"layers/{name}/vars/{number}"] = array
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        model = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
        made.writestr("config.json", json.dumps(model))
        made.writestr("metadata.json", json.dumps({"keras_version": "3.10.0"}))
        made.writestr("model.weights.h5", content.getvalue())
    return archive.getvalue()


_IMAGES, _LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"

TARGETS = {
    "picture": Target(
        preprocess, tuple(content for kind in pictures().values() for content in kind), "picture"
    ),
    "csv": Target(lambda path: csv.read(path, "csv"), _csv_seeds(), "a.csv"),
    "npz": Target(lambda path: npz.read(path, "npz"), _npz_seeds(), "a.npz"),
    "npy": Target(
        lambda path: npy.read(path.parent, "npy"),
        (_npy(IMAGES), _npy(np.asfortranarray(IMAGES / 255))),
        "images.npy",
        (("labels.npy", _npy(LABELS)),),
    ),
    "idx": Target(
        lambda path: idx.read(path.parent, "idx"),
        (_idx(IMAGES), gzip.compress(_idx(IMAGES), mtime=0)),
        _IMAGES,
        ((_LABELS, _idx(LABELS)),),
    ),
    "h5": Target(extract_unlimited, (_h5_seed(),), "a.h5"),
    "keras": Target(extract_unlimited, (_keras_seed(),), "a.keras"),
}
