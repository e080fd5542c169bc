"""Take configuration and weights out of an HDF5 file, in a process that may die doing so.

libhdf5 can crash, hang or ask for all memory when bytes are damaged. So a child process with
bounded time and memory parses the file, checks it, and leaves plain arrays in an .npz; the caller
reads only that. Nothing in the file decides what code runs: filter plugins are off, links out of
the file are refused, and shapes are compared with those of the configuration before any weight is
read.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._io.child import limit_process, main
from ..._io.temporary import scratch_folder
from ...errors import ModelError
from .. import child
from . import keras_zip
from .architecture import Layer, Network, parse
from .kinds import other_kind
from .settings import Shape, quoted

if TYPE_CHECKING:
    import h5py

TIMEOUT = 15  # seconds, on a busy machine; the child usually takes 0.15
MAX_SECONDS = 4  # of processor time
MAX_MEMORY = 2 << 30  # address space, of which the libraries take a quarter
MAX_RATIO = 200  # of weights to their bytes in the file: they hardly shrink
MIN_PACKED = 1 << 20  # bytes of weights that may be any zeros
MAX_CHUNKS = 20_000  # of one array; Keras writes one

# What h5py raises, depending on where in a damaged file it stumbles.
_DAMAGE = (
    OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError,
    MemoryError, OverflowError, RecursionError,
)  # fmt: skip

# Of a layer's group in a `.keras` file: its variables, those of the layer that it wraps, of a
# recurrent layer's cell, and of both directions.
_PARTS = ("vars", "layer/vars", "cell/vars", "forward_layer/cell/vars", "backward_layer/cell/vars")

_KERAS_3_WEIGHTS = {"layers", "vars"}  # groups of a `.weights.h5`

Weights = list[list[NDArray[np.float32]]]
Attributes = tuple[str, str, str]  # the arguments of `architecture.parse`


def extract(path: Path) -> tuple[Network, Weights]:
    """Extract the checked network from the HDF5 file at `path`, and the weights of each layer.

    Raises:
        ModelError: The file is damaged, or something in it is not supported.
    """
    with scratch_folder() as folder:
        target = Path(folder, "weights.npz")
        child.run(__name__, path, target, TIMEOUT, "the file is damaged")
        return read_extracted(target)


def extract_to(source: Path, target: Path) -> None:
    """The work of the child process: extract from `source` to the .npz `target`.

    Lowers the limits of time and memory of this process for good.

    Raises:
        ModelError: As `extract`, for all damage that does not kill the process.
    """
    limit_process(MAX_SECONDS, MAX_MEMORY)
    _write_npz(target, *extract_unlimited(source))


def extract_unlimited(path: Path) -> tuple[Attributes, Network, Weights]:
    """As `extract`, in this process, which a hostile file may crash; the attributes first."""
    try:
        return _extract(path)
    except ModelError as error:
        raise ModelError(error.problem, error.remedy, path) from error
    except _DAMAGE as error:
        raise ModelError("the file is damaged", child.REMEDY, path) from error


def _write_npz(target: Path, attributes: Attributes, network: Network, weights: Weights) -> None:
    arrays: dict[str, Any] = {
        f"w{i}_{k}": array for i, layer in enumerate(weights) for k, array in enumerate(layer)
    }
    arrays["attributes"] = np.array(attributes)
    np.savez(target, **arrays)


def read_extracted(target: Path) -> tuple[Network, Weights]:
    """Read what `extract_to` wrote. Raises ModelError."""
    with np.load(target, allow_pickle=False) as archive:
        network = parse(*map(str, archive["attributes"]))
        return network, [
            [archive[f"w{i}_{k}"] for k in range(len(layer.spec.stored))]
            for i, layer in enumerate(network.layers)
        ]


def _extract(source: Path) -> tuple[Attributes, Network, Weights]:
    import h5py

    with source.open("rb") as start:
        if keras_zip.is_keras_zip(start.read(4)):
            return _extract_keras_zip(source)
    if not h5py.is_hdf5(source):
        raise other_kind(source)
    with h5py.File(source, "r") as file:
        config = _text(file.attrs.get("model_config"))
        group = _linked(file, "model_weights")
        if not config:
            weights_only = (
                "layer_names" in file.attrs or group is not None or set(file) >= _KERAS_3_WEIGHTS
            )
            raise ModelError(
                "the file holds weights only" if weights_only else "the file holds no model",
                "Save the whole model: model.save('NAME.h5')",
            )
        if not isinstance(group, h5py.Group):
            raise ModelError(
                "the file holds no weights", "Save the whole model: model.save('NAME.h5')"
            )
        version, backend = (
            _text(group.attrs.get(name, file.attrs.get(name)))
            for name in ("keras_version", "backend")
        )
        network = parse(config, version, backend)
        return (config, version, backend), network, list(_weights(group, network))


def _extract_keras_zip(source: Path) -> tuple[Attributes, Network, Weights]:
    import h5py

    config, version, content = keras_zip.read(source)
    network = parse(config, version, "")
    groups = keras_zip.groups(config)
    with h5py.File(content, "r") as file:
        weights = [
            _weights_of_layer(file, groups.get(layer.name, ()), layer) for layer in network.layers
        ]
    return (config, version, ""), network, weights


def _weights_of_layer(
    file: h5py.File, groups: Sequence[str], layer: Layer
) -> list[NDArray[np.float32]]:
    """The weights of a layer in a `.keras` file: of its variables, or of those of its parts."""
    if not layer.spec.stored:
        return []
    group = next((found for name in groups if (found := _linked(file, name)) is not None), None)
    places = [
        f"{part}/{number}"
        for part in _PARTS
        if group is not None and (inner := _linked(group, part)) is not None
        for number in range(len(inner))
    ]
    return _stored(group, places, layer)


def _stored(group: h5py.Group, places: Sequence[str], layer: Layer) -> list[NDArray[np.float32]]:
    """The weights of a layer, which are at these places in a group."""
    if len(places) != len(layer.spec.stored):
        raise _misfit(layer.name)
    return [
        _array(_linked(group, place), shape, layer.name)
        for place, shape in zip(places, layer.spec.stored, strict=True)
    ]


def _text(value: Any) -> str:
    if isinstance(value, bytes | np.bytes_):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _linked(group: h5py.Group, path: str) -> Any:
    """The object at `path`, reached by hard links inside the file; None if there is none."""
    import h5py

    here: Any = group
    for part in path.split("/"):
        if not isinstance(here, h5py.Group):
            return None
        link = here.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise ModelError("the file links to another place or file", child.REMEDY)
        here = here[part]
    return here


def _weights(group: h5py.Group, network: Network) -> Iterator[list[NDArray[np.float32]]]:
    nested = _nested(group, {layer.name for layer in network.layers})
    for layer in network.layers:
        if not layer.spec.stored:
            yield []
            continue
        inner = _linked(group, layer.name)
        if inner is not None:
            names = [_text(name) for name in _names(inner)]
        elif layer.name in nested:
            inner, names = nested[layer.name]
        else:
            raise ModelError(f"there are no weights for layer {quoted(layer.name)}", child.REMEDY)
        yield _stored(inner, names, layer)


def _nested(group: h5py.Group, layers: Collection[str]) -> dict[str, tuple[Any, list[str]]]:
    """The group of a Sequential, and the names in it, for each layer that is inside of one."""
    found: dict[str, tuple[Any, list[str]]] = {}
    for model in sorted(set(group) - set(layers)):
        inner = _linked(group, model)
        for name in map(_text, _names(inner)) if inner is not None else ():
            layer = next((part for part in reversed(name.split("/")[:-1]) if part in layers), None)
            if layer is not None:
                found.setdefault(layer, (inner, []))[1].append(name)
    return found


def _names(group: Any) -> Sequence[Any]:
    """The attribute `weight_names`, which Keras splits into chunks if it is long."""
    if "weight_names" in group.attrs:
        return list(group.attrs["weight_names"])
    chunks = (group.attrs.get(f"weight_names{i}") for i in range(100))
    return [name for chunk in chunks if chunk is not None for name in chunk]


def _array(dataset: Any, shape: Shape, layer: str) -> NDArray[np.float32]:
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise _misfit(layer)
    if dataset.dtype.kind != "f" and not (shape == () and dataset.dtype.kind in "iu"):
        raise _misfit(layer)
    if dataset.is_virtual or dataset.external:
        raise ModelError("the file keeps its weights in other files", child.REMEDY)
    if dataset.shape != shape:
        raise _misfit(layer)
    _refuse_bombs(dataset, layer)
    array: NDArray[np.float32] = np.asarray(dataset[()], np.float32)
    if not np.isfinite(array).all():
        raise ModelError(f"the weights of layer {quoted(layer)} hold NaN or infinity", child.REMEDY)
    return array


def _refuse_bombs(dataset: h5py.Dataset, layer: str) -> None:
    """Raise ModelError where a few bytes would take much memory or time."""
    chunks = math.prod(
        -(-side // part) for side, part in zip(dataset.shape, dataset.chunks or (), strict=False)
    )
    stored = dataset.id.get_storage_size()
    if chunks > MAX_CHUNKS or dataset.nbytes > max(MIN_PACKED, MAX_RATIO * stored):
        problem = f"the weights of layer {quoted(layer)} are packed as no model's are"
        raise ModelError(problem, child.REMEDY)


def _misfit(layer: str) -> ModelError:
    problem = f"the weights of layer {quoted(layer)} do not fit its configuration"
    return ModelError(problem, child.REMEDY)


if __name__ == "__main__":
    sys.exit(main(extract_to))
