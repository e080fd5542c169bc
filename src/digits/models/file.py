"""The model file: one `.h5` that Keras opens, that describes itself, and that predicts at once.

Layout:

- a user block of 512 bytes (HDF5 lets a file begin with one): the line `DIGITS-MODEL 1`, then a
  line of JSON, the index: the size of the file, the SHA-256 of all that follows the block, and the
  place (offset, length) of each of our sections;
- the HDF5 file as Keras writes it, readable with `keras.models.load_model(path, compile=False)`;
- in it, the group `digits` with our sections as plain bytes: `metadata` (JSON), `program` (the
  compiled LiteRT program) and `seen` (digests of the pictures that the model learned from).

So predicting needs neither HDF5 nor Keras: it checks the SHA-256 and cuts out two sections.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..files import replacing

MAGIC = b"DIGITS-MODEL 1\n"
USER_BLOCK = 512
SECTIONS = ("metadata", "program", "seen")
MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds for everybody but Keras."""

    path: Path
    metadata: Mapping[str, Any]
    program: bytes = field(repr=False)
    seen: bytes = field(repr=False)

    @property
    def family(self) -> str:
        """`dense`, `cnn` or `rnn`."""
        return str(self.metadata["family"])

    def seen_digests(self) -> NDArray[np.uint64]:
        """Sorted digests (see `Dataset.digests`) of the pictures that it learned from."""
        return unpack_digests(self.seen)


def read(path: str | os.PathLike[str]) -> ModelFile:
    """Read and check a model file. Raises ModelError."""
    path = Path(path)
    content = _read_bytes(path)
    index = _index(content, path)
    body = memoryview(content)[USER_BLOCK:]
    if index["size"] != len(content) or hashlib.sha256(body).hexdigest() != index["sha256"]:
        raise ModelError(f"{path} is damaged", "Get it again, or train a new one")
    cut = {name: content[start : start + n] for name, (start, n) in index["sections"].items()}
    return ModelFile(path, json.loads(cut["metadata"]), cut["program"], cut["seen"])


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir() or (path.exists() and not path.is_file()):
            raise ModelError(f"{path} is not a file", "Give a model file (.h5)")
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path} is too large for a model", "Give a model file (.h5)")
        return path.read_bytes()
    except FileNotFoundError as error:
        todo = "Check the path, or see `digits models` for what is there"
        raise ModelError(f"there is no model {path}", todo) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModelError(f"cannot read {path}: {reason}", "Check the file") from error


def _index(content: bytes, path: Path) -> dict[str, Any]:
    if not content:
        raise ModelError(f"{path} is empty", "Get it again, or train a new one")
    if not content.startswith(MAGIC):
        raise ModelError(
            f"{path} is no model that digits wrote", "Give one that `digits train` saved"
        )
    try:
        line = content[len(MAGIC) : USER_BLOCK].split(b"\n", 1)[0]
        index = json.loads(line)
        if set(index["sections"]) == set(SECTIONS):
            return dict(index)
    except (ValueError, KeyError, TypeError):
        pass
    raise ModelError(f"{path} is damaged", "Get it again, or train a new one")


def write(
    path: str | os.PathLike[str],
    model: Any,
    metadata: Mapping[str, Any],
    program: bytes,
    digests: NDArray[np.uint64],
) -> None:
    """Write a Keras model with our sections, whole or not at all.

    An earlier file at `path` is kept beside it as one `.bak`. Raises OutputError.
    """
    sections = {
        "metadata": json.dumps(metadata, indent=1).encode(),
        "program": program,
        "seen": pack_digests(digests),
    }
    with replacing(path, backup=True) as temporary:
        places = _write_hdf5(temporary, model, sections)
        with temporary.open("r+b") as file:
            body = file.read()[USER_BLOCK:]
            index = {
                "size": USER_BLOCK + len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                "sections": places,
            }
            block = MAGIC + json.dumps(index).encode() + b"\n"
            assert len(block) <= USER_BLOCK  # noqa: S101  # three sections: 240 bytes
            file.seek(0)
            file.write(block.ljust(USER_BLOCK, b"\0"))


def _write_hdf5(
    path: Path, model: Any, sections: Mapping[str, bytes]
) -> dict[str, tuple[int, int]]:
    """Write what Keras writes, behind a user block, with our group; return our sections' places."""
    import absl.logging
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.h5")
        verbosity = absl.logging.get_verbosity()
        absl.logging.set_verbosity(absl.logging.ERROR)  # Keras calls .h5 "legacy"; it is meant
        try:
            model.save(plain, include_optimizer=False)
        finally:
            absl.logging.set_verbosity(verbosity)
        with h5py.File(plain) as source, h5py.File(path, "w", userblock_size=USER_BLOCK) as target:
            for name in source:
                source.copy(name, target)
            target.attrs.update(source.attrs)
            group = target.create_group("digits")
            for name, content in sections.items():
                group.create_dataset(name, data=np.frombuffer(content, np.uint8))
            target.flush()
            return {
                name: (group[name].id.get_offset(), len(content))
                for name, content in sections.items()
            }


def pack_digests(digests: NDArray[np.uint64]) -> bytes:
    """Sorted, as differences, byte plane by byte plane, deflated: about 3.5 bytes for each."""
    gaps = np.diff(np.unique(digests).astype("<u8"), prepend=np.uint64(0))
    return zlib.compress(np.ascontiguousarray(gaps.view(np.uint8).reshape(-1, 8).T).tobytes(), 9)


def unpack_digests(packed: bytes) -> NDArray[np.uint64]:
    """What `pack_digests` packed: sorted, each once."""
    planes = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view("<u8").ravel().cumsum(dtype=np.uint64)
