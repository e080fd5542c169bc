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
import io
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

from ..errors import ModelError, OutputError
from ..files import replacing
from .recipe import OUTPUTS

MAGIC = b"DIGITS-MODEL 1\n"
USER_BLOCK = 512
SECTIONS = ("metadata", "program", "seen")
MAX_BYTES = 1 << 29

METADATA: dict[str, type | tuple[type, ...]] = {
    "family": str,
    "preset": str,
    "settings": (dict, type(None)),  # of the recipe; None for a converted foreign model
    "seed": (int, type(None)),
    "data": list,
    "test": list,
    "history": list,
    "interrupted": bool,
    "seconds": (int, float),
    "versions": dict,
    "created": str,
}
"""What every file tells, with the JSON types."""

_ENTRIES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "data": {"name": str, "pictures": int, "fingerprint": str},
    "test": {"name": str, "n": int, "loss": (int, float), "accuracy": (int, float)},
    "history": {"epoch": int, "loss": (int, float), "accuracy": (int, float)},
}

_TODO = "Get it again, or train a new one"


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds for everybody but Keras."""

    path: Path
    metadata: Mapping[str, Any]
    program: bytes = field(repr=False)
    seen: bytes = field(repr=False)

    @property
    def family(self) -> str:
        """`dense`, `cnn` or `rnn`; `judge` for the one that tells digits from what is none."""
        return str(self.metadata["family"])

    def seen_digests(self) -> NDArray[np.uint64]:
        """Sorted digests (see `Dataset.digests`) of the pictures that it learned from.

        Raises ModelError when they are damaged.
        """
        try:
            return unpack_digests(self.seen)
        except (zlib.error, ValueError) as error:
            raise ModelError(f"{self.path} is damaged", _TODO) from error


def read(path: str | os.PathLike[str]) -> ModelFile:
    """Read and check a model file of ours. Raises ModelError."""
    path = Path(path)
    return parse(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The content of what may be a model file. Raises ModelError."""
    try:
        if path.exists() and not path.is_file():  # a pipe or a device could keep us waiting
            raise ModelError(f"{path} is not a file", "Give a model file (.h5)")
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path} is too large for a model", "Give a model file (.h5)")
        content = path.read_bytes()
    except FileNotFoundError as error:
        todo = "Check the path, or see `digits models` for what is there"
        raise ModelError(f"there is no model {path}", todo) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ModelError(f"cannot read {str(path)!r}: {reason}", "Check the file") from error
    if not content:
        raise ModelError(f"{path} is empty", _TODO)
    return content


def is_ours(content: bytes) -> bool:
    """Whether this is the content of a file that `write` wrote."""
    return content.startswith(MAGIC)


def parse(content: bytes, path: Path) -> ModelFile:
    """Check the content of a model file of ours and cut it up. Raises ModelError.

    Any damage shows in the checksum before anything else is looked at.
    """
    if not is_ours(content):
        raise ModelError(
            f"{path} is no model that digits wrote", "Run `digits convert` on it to make it one"
        )
    try:
        index = json.loads(content[len(MAGIC) : USER_BLOCK].split(b"\n", 1)[0])
        body = memoryview(content)[USER_BLOCK:]
        if index["size"] == len(content) and hashlib.sha256(body).hexdigest() == index["sha256"]:
            places = [index["sections"][name] for name in SECTIONS]
            metadata, program, seen = (content[start : start + n] for start, n in places)
            return ModelFile(path, _checked_metadata(metadata), program, seen)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ModelError(f"{path} is damaged", _TODO)


def _checked_metadata(content: bytes) -> dict[str, Any]:
    """The metadata, when it has the fields that everybody relies on."""
    metadata = json.loads(content)
    for name, kind in METADATA.items():
        _expect(metadata[name], kind)
    for name, fields in _ENTRIES.items():
        for entry in metadata[name]:
            for field_, kind in fields.items():
                _expect(entry[field_], kind)
    if metadata["settings"] is None:
        _expect(metadata["converted_from"], str)
    else:
        _expect(metadata["settings"]["architecture"], dict)
        _expect(metadata["settings"]["source"], str)
    if metadata["family"] not in OUTPUTS:
        raise ValueError(metadata["family"])
    return dict(metadata)


def _expect(value: Any, kind: type | tuple[type, ...]) -> None:
    if not isinstance(value, kind):
        raise TypeError(value)


def write(
    path: str | os.PathLike[str],
    model: Any,
    metadata: Mapping[str, Any],
    program: bytes,
    digests: NDArray[np.uint64],
    *,
    backup: bool = True,
) -> None:
    """Write a Keras model with our sections, whole or not at all.

    With `backup`, an earlier file at `path` is kept beside it as one `.bak`. Raises OutputError.
    """
    sections = {
        "metadata": json.dumps(metadata, indent=1).encode(),
        "program": program,
        "seen": pack_digests(digests),
    }
    content, places = _hdf5(model, sections)
    index = {
        "size": len(content),
        "sha256": hashlib.sha256(content[USER_BLOCK:]).hexdigest(),
        "sections": places,
    }
    block = MAGIC + json.dumps(index).encode() + b"\n"  # 260 bytes, of numbers and three names
    with replacing(path, backup=backup) as temporary, temporary.open("wb") as file:
        file.write(block.ljust(USER_BLOCK, b"\0"))
        file.write(content[USER_BLOCK:])


def _hdf5(model: Any, sections: Mapping[str, bytes]) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """What Keras writes, behind an empty user block and with our group; our sections' places."""
    import h5py

    whole = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        plain = Path(folder, "plain.h5")
        save_plain(model, plain)
        with h5py.File(plain) as source, h5py.File(whole, "w", userblock_size=USER_BLOCK) as target:
            for name in source:
                source.copy(name, target)
            target.attrs.update(source.attrs)
            group = target.create_group("digits")
            for name, content in sections.items():
                group.create_dataset(name, data=np.frombuffer(content, np.uint8))
            target.flush()
            places = {n: (group[n].id.get_offset(), len(c)) for n, c in sections.items()}
    return whole.getvalue(), places


def save_plain(model: Any, path: Path) -> None:
    """Write `model` as Keras writes an `.h5`, without its optimizer. Raises OutputError."""
    import absl.logging

    verbosity = absl.logging.get_verbosity()
    absl.logging.set_verbosity(absl.logging.ERROR)  # Keras calls .h5 "legacy"; it is meant
    try:
        model.save(path, include_optimizer=False)
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"cannot write a temporary file in {path.parent}", "Free some space there"
        ) from error
    finally:
        absl.logging.set_verbosity(verbosity)


def pack_digests(digests: NDArray[np.uint64]) -> bytes:
    """Sorted, as differences, byte plane by byte plane, deflated: about 3.5 bytes for each."""
    gaps = np.diff(np.unique(digests).astype("<u8"), prepend=np.uint64(0))
    return zlib.compress(np.ascontiguousarray(gaps.view(np.uint8).reshape(-1, 8).T).tobytes(), 9)


def unpack_digests(packed: bytes) -> NDArray[np.uint64]:
    """What `pack_digests` packed: sorted, each once."""
    content = zlib.decompressobj().decompress(packed, MAX_BYTES)
    planes = np.frombuffer(content, np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view("<u8").ravel().cumsum(dtype=np.uint64)
