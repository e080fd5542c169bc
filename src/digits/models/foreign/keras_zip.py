"""The `.keras` file: a zip of a configuration and an HDF5 file of weights, as of Keras 2.12 and 3.

Format: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/ and, for the groups
of the weights, `keras.src.saving.saving_lib`: a list of layers is a group, in which each has the
name of its class in snake case, and a number from the second on.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..._io.archive import ENCRYPTED, ZIP_DAMAGE
from ...errors import ModelError
from .. import child
from .architecture import MAX_JSON
from .graph import MAX_DEPTH, MAX_LAYERS
from .kinds import of_pytorch
from .settings import refused

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MAX_WEIGHTS_BYTES = 640 << 20  # unpacked: 50 million weights and two moments of Adam for each
MAX_RATIO = 200  # unpacked to packed: weights hardly shrink
_LISTS = ("layers", "_layer_checkpoint_dependencies")  # of Keras 3 and of Keras 2.12 and later


def is_keras_zip(content: bytes) -> bool:
    """Whether the start of a file may be that of a `.keras` file."""
    return content.startswith(b"PK\x03\x04")


def read(path: Path) -> tuple[str, str, io.BytesIO]:
    """Configuration, Keras version, and the HDF5 file of the weights.

    Raises:
        ModelError: It is no such file, or larger than a model can be.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry for entry in archive.infolist()}
            if any(name.endswith("/data.pkl") for name in sizes):
                raise of_pytorch()
            if not {CONFIG, WEIGHTS} <= sizes.keys():
                raise ModelError(
                    "the file is a zip archive, but not a .keras file",
                    "Give a model file (.h5 or .keras)",
                )
            for name, limit in (
                (CONFIG, MAX_JSON),
                (METADATA, MAX_JSON),
                (WEIGHTS, MAX_WEIGHTS_BYTES),
            ):
                entry = sizes.get(name)
                if entry and (
                    entry.file_size > limit
                    or entry.file_size > MAX_RATIO * max(entry.compress_size, 1000)
                ):
                    raise ModelError(f"{name} in it is too large for a model", child.REMEDY)
                if entry and entry.flag_bits & ENCRYPTED:
                    raise ModelError(f"{name} in it is encrypted", child.REMEDY)
            config = archive.read(CONFIG).decode("utf-8", "replace")
            about = json.loads(archive.read(METADATA)) if METADATA in sizes else {}
            version = about.get("keras_version") if isinstance(about, dict) else None
            version = version if isinstance(version, str) else "3"
            return config, version, io.BytesIO(archive.read(WEIGHTS))
    except ZIP_DAMAGE as error:
        raise ModelError("the file is damaged", child.REMEDY) from error


def groups(config: str) -> dict[str, tuple[str, ...]]:
    """For the name of each layer the groups that may hold its weights.

    Args:
        config: The configuration, which `architecture.parse` has checked.
    """
    decoded = json.loads(config)
    found: dict[str, tuple[str, ...]] = {}
    for name, place in _places(decoded["config"], ()):
        found[name] = tuple("/".join(f"{each}/{part}" for part in place) for each in _LISTS)
    return found


def _places(config: Any, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The name of each layer, and the names of the groups from the outermost Sequential in."""
    entries = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(entries, list) or len(entries) > MAX_LAYERS or len(above) > MAX_DEPTH:
        raise refused("the configuration is damaged")
    used: dict[str, int] = {}
    for entry in entries:
        kind, inner = str(entry.get("class_name")), entry.get("config")
        base = _snake_case(kind)
        count = used.get(base, 0)
        used[base] = count + 1
        here = (*above, f"{base}_{count}" if count else base)
        if kind == "Sequential":
            yield from _places(inner, here)
        elif isinstance(inner, Mapping):
            yield str(inner.get("name", entry.get("name"))), here


def _snake_case(name: str) -> str:
    """As Keras makes the name of a group from that of a class."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
