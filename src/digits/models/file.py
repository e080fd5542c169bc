"""The model file: one `.h5` that Keras opens, that describes itself, and that predicts at once.

Layout:

- a user block of 512 bytes (HDF5 allows a file to begin with one): the line `DIGITS-MODEL 2`, then
  a line of JSON, the index: the size of the file, the SHA-256 of everything after the block, and
  (offset, length) of each section;
- the HDF5 file as Keras writes it, readable with `keras.models.load_model(path, compile=False)`;
- in it, the group `digits` with the sections as plain bytes: `metadata` (JSON), `compiled` (the
  LiteRT flatbuffer) and `training_digests` (digests of the training pictures); in a checkpoint,
  whose `compiled` is empty, also `training_state` (see `training.checkpoint`).

Predicting therefore needs neither HDF5 nor Keras: it checks the SHA-256 and slices out sections.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._io.files import read_error, replacing
from .._io.temporary import scratch_folder
from ..errors import ModelError, OutputError
from .foreign.kinds import saved_model
from .metadata import ModelMetadata

MAGIC = b"DIGITS-MODEL 2\n"
USER_BLOCK = 512
SECTIONS = ("metadata", "compiled", "training_digests")
_STATE = "training_state"
MAX_BYTES = 1 << 29

_MIN_COMPRESSED = 256  # values; fewer take more space with the tables of their chunks

_REMEDY = "Get it again, or train a new one"


@dataclass(frozen=True)
class ModelSummary:
    """One line about a model file: the last test score, size in bytes, creation time (UTC)."""

    path: str
    family: str
    preset: str
    test: str | None
    accuracy: float | None
    bytes: int
    created: str

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class ModelFile:
    """The parts of a model file that predicting needs: all but the Keras model.

    Attributes:
        compiled: The LiteRT flatbuffer, see `CompiledModel`.
        packed_digests: See `training_digests`.
        size: Size of the file in bytes.
    """

    path: Path
    metadata: ModelMetadata
    compiled: bytes = field(repr=False)
    packed_digests: bytes = field(repr=False)
    size: int

    @property
    def family(self) -> str:
        """A name in `families.TABLE`."""
        return self.metadata.family

    def summary(self) -> ModelSummary:
        """Family, preset and last test score, for listings."""
        known = self.metadata
        name, accuracy = (
            (known.test[-1].name, known.test[-1].accuracy) if known.test else (None,) * 2
        )
        return ModelSummary(
            str(self.path), known.family, known.preset, name, accuracy, self.size, known.created
        )

    def training_digests(self) -> NDArray[np.uint64]:
        """Sorted digests (see `Dataset.digests`) of the training pictures.

        Raises:
            ModelError: They are damaged.
        """
        try:
            return unpack_digests(self.packed_digests)
        except (zlib.error, ValueError) as error:
            raise _damaged(self.path) from error


def read(path: str | os.PathLike[str]) -> ModelFile:
    """Read and check a model file written by `write`. Raises ModelError."""
    path = Path(path)
    return parse(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The content of what may be a model file. Raises ModelError."""
    try:
        if (path / "saved_model.pb").is_file():
            raise saved_model(path)
        if path.exists() and not path.is_file():  # reading a pipe or a device might never end
            raise ModelError("not a file", "Give a model file (.h5)", path)
        if path.stat().st_size > MAX_BYTES:
            raise ModelError("the file is too large for a model", "Give a model file (.h5)", path)
        content = path.read_bytes()
    except FileNotFoundError as error:
        remedy = "Check the path, or see `digits models` for what is there"
        raise ModelError("there is no such model", remedy, path) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise read_error(ModelError, path, error) from error
    if not content:
        raise ModelError("the file is empty", _REMEDY, path)
    return content


def is_ours(content: bytes) -> bool:
    """Whether this is the content of a file that `write` wrote."""
    return content.startswith(MAGIC)


def _is_model_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_ours(file.read(len(MAGIC)))
    except OSError:
        return False


def parse(content: bytes, path: Path) -> ModelFile:
    """Check the content of a model file written by `write`, and split it into its sections.

    The checksum is verified before anything else is looked at. Raises ModelError.
    """
    if not is_ours(content):
        raise ModelError(
            "the file was not written by digits", "Run `digits convert` on it to convert it", path
        )
    try:
        index = _index(content)
        body = memoryview(content)[USER_BLOCK:]
        if index["size"] == len(content) and hashlib.sha256(body).hexdigest() == index["sha256"]:
            places = [index["sections"][name] for name in SECTIONS]
            metadata, compiled, digests = (content[start : start + n] for start, n in places)
            known = ModelMetadata.from_json(json.loads(metadata))
            return ModelFile(path, known, compiled, digests, len(content))
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _damaged(path)


def training_state(content: bytes) -> bytes | None:
    """The section of a checkpoint; None in any other model. `parse` has checked the content."""
    start, length = _index(content)["sections"].get(_STATE, (0, None))
    return None if length is None else content[start : start + length]


def _index(content: bytes) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(content[len(MAGIC) : USER_BLOCK].split(b"\n", 1)[0])
    return index


def _damaged(path: Path) -> ModelError:
    return ModelError("the file is damaged", _REMEDY, path)


def write(
    path: str | os.PathLike[str],
    model: Any,
    metadata: ModelMetadata,
    compiled: bytes,
    digests: NDArray[np.uint64],
    *,
    training_state: bytes | None = None,
    backup: bool = True,
) -> None:
    """Write a model file atomically.

    Args:
        path: Where to write it.
        model: The Keras model.
        metadata: How it was made.
        compiled: What `compile_model` made of `model`.
        digests: Digests of the training pictures, see `Dataset.digests`.
        training_state: Of a checkpoint.
        backup: Keep an earlier file at `path` beside it as `.bak`, in place of an earlier model
            there, but of nothing else.

    Raises:
        OutputError: It cannot be written there.
    """
    sections = {
        "metadata": json.dumps(metadata.to_json(), indent=1).encode(),
        "compiled": compiled,
        "training_digests": pack_digests(digests),
    }
    if training_state is not None:
        sections[_STATE] = training_state
    content, places = _hdf5(model, sections)
    index = {
        "size": len(content),
        "sha256": hashlib.sha256(content[USER_BLOCK:]).hexdigest(),
        "sections": places,
    }
    block = MAGIC + json.dumps(index).encode() + b"\n"  # about 260 bytes
    disposable = _is_model_file if backup else None
    with replacing(path, disposable=disposable) as temporary, temporary.open("wb") as file:
        file.write(block.ljust(USER_BLOCK, b"\0"))
        file.write(content[USER_BLOCK:])


def _hdf5(model: Any, sections: Mapping[str, bytes]) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Keras' HDF5 file with an empty user block and the group `digits`.

    Returns:
        The file's content, and (offset, length) of each section.
    """
    import h5py

    whole = io.BytesIO()
    with scratch_folder() as folder:
        plain = Path(folder, "plain.h5")
        save_plain(model, plain)
        with h5py.File(plain) as source, h5py.File(whole, "w", userblock_size=USER_BLOCK) as target:
            _copy_compressed(source, target)
            group = target.create_group("digits")
            for name, content in sections.items():
                group.create_dataset(name, data=np.frombuffer(content, np.uint8))
            target.flush()
            # An empty section has no place.
            places = {n: (group[n].id.get_offset() or 0, len(c)) for n, c in sections.items()}
    return whole.getvalue(), places


def _copy_compressed(source: Any, target: Any) -> None:
    """Copy all of an HDF5 group, with its arrays deflated: rounded weights take half the space."""
    import h5py

    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy_compressed(item, target.create_group(name))
        elif item.size < _MIN_COMPRESSED:
            source.copy(name, target)
        else:
            filters = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
            target.create_dataset(name, data=item[()], **filters).attrs.update(item.attrs)


def save_plain(model: Any, path: Path) -> None:
    """Write `model` as Keras writes an `.h5`, without its optimizer. Raises OutputError."""
    try:
        with _no_legacy_warning():
            model.save(path, include_optimizer=False)
    except (OSError, RuntimeError) as error:
        raise OutputError(
            "cannot write a temporary file", "Free some space there", path.parent
        ) from error


@contextmanager
def _no_legacy_warning() -> Iterator[None]:
    """Drop the one message by which Keras calls `.h5` a legacy format, and no other."""
    logger = logging.getLogger("absl")  # which Keras logs to

    def others(record: logging.LogRecord) -> bool:
        return "as an HDF5 file" not in str(record.msg)

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


def pack_digests(digests: NDArray[np.uint64]) -> bytes:
    """Sorted, as differences, byte plane by byte plane, deflated: about 3.5 bytes for each."""
    gaps = np.diff(np.unique(digests).astype("<u8"), prepend=np.uint64(0))
    return zlib.compress(np.ascontiguousarray(gaps.view(np.uint8).reshape(-1, 8).T).tobytes(), 9)


def unpack_digests(packed: bytes) -> NDArray[np.uint64]:
    """What `pack_digests` packed: sorted, each once. Raises zlib.error or ValueError."""
    stream = zlib.decompressobj()
    content = stream.decompress(packed, MAX_BYTES)
    if not stream.eof:
        raise ValueError("incomplete")
    planes = np.frombuffer(content, np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view("<u8").ravel().cumsum(dtype=np.uint64)
