"""Take configuration and weights out of an HDF5 file, in a process that may die doing so.

libhdf5 can crash, hang or ask for all memory when bytes are damaged. So a child process with
bounded time and memory parses the file, checks it, and leaves plain arrays in an .npz; the caller
reads only that. Nothing in the file decides what code runs: filter plugins are off, links out of
the file are refused, and shapes are compared with those of the configuration before any weight is
read.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from . import child
from .architecture import Network, parse
from .settings import Shape

if TYPE_CHECKING:
    import h5py

SECONDS = 6
MEMORY = 3 << 30

# What h5py raises, wherever in a damaged file it stumbles.
_DAMAGE = (
    OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError,
    MemoryError, OverflowError, RecursionError,
)  # fmt: skip

Weights = list[list[NDArray[np.float32]]]


def extract(path: Path) -> tuple[Network, Weights]:
    """The checked network in the HDF5 file at `path`, and for each of its layers the weights.

    The child process takes about 0.15 s. Raises ModelError, within SECONDS.
    """
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        target = Path(folder, "weights.npz")
        child.run(__name__, path, target, SECONDS, "is damaged: reading it failed")
        return _read_extract(target)


def _read_extract(target: Path) -> tuple[Network, Weights]:
    with np.load(target, allow_pickle=False) as archive:
        config, version, backend = (bytes(archive[n]).decode() for n in ("config", "keras", "on"))
        network = parse(config, version, backend)
        return network, [
            [archive[f"w{i}_{k}"] for k in range(len(layer.stored))]
            for i, layer in enumerate(network.layers)
        ]


def _checked_extract(source: Path, target: Path) -> None:
    """The child's work, with every kind of damage as one ModelError."""
    _limit()
    try:
        _extract(source, target)
    except ModelError as error:
        raise ModelError(f"{source}: {error.what}", error.todo) from error
    except _DAMAGE as error:
        raise ModelError(f"{source} is damaged", child.TODO) from error


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit of the parent must do
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS does not bound memory
            resource.setrlimit(what, (soft, hard))


def _extract(source: Path, target: Path) -> None:
    import h5py

    if not h5py.is_hdf5(source):
        raise ModelError("it is no HDF5 file", "Give a model file (.h5)")
    with h5py.File(source, "r") as file:
        config = _text(file.attrs.get("model_config"))
        group = _hard(file, "model_weights")
        if not config:
            weights_only = "layer_names" in file.attrs or group is not None
            reason = "it holds weights only, no architecture" if weights_only else "it is no model"
            raise ModelError(reason, "Save the whole model: model.save('NAME.h5')")
        if not isinstance(group, h5py.Group):
            raise ModelError("it holds no weights", "Save the whole model: model.save('NAME.h5')")
        version = _text(group.attrs.get("keras_version", file.attrs.get("keras_version")))
        backend = _text(group.attrs.get("backend", file.attrs.get("backend")))
        network = parse(config, version, backend)
        weights = list(_weights(group, network))
    arrays: dict[str, Any] = {
        f"w{i}_{k}": array for i, layer in enumerate(weights) for k, array in enumerate(layer)
    }
    for name, text in (("config", config), ("keras", version), ("on", backend)):
        arrays[name] = np.frombuffer(text.encode(), np.uint8)
    np.savez(target, **arrays)


def _text(value: Any) -> str:
    if isinstance(value, bytes | np.bytes_):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _hard(group: h5py.Group, path: str) -> Any:
    """What lies at `path`, reached by plain links inside the file; None when nothing does."""
    import h5py

    here: Any = group
    for part in path.split("/"):
        if not isinstance(here, h5py.Group):
            return None
        link = here.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise ModelError("it links to another place or file", child.TODO)
        here = here[part]
    return here


def _weights(group: h5py.Group, network: Network) -> Iterator[list[NDArray[np.float32]]]:
    for layer in network.layers:
        if not layer.stored:
            yield []
            continue
        inner = _hard(group, layer.name)
        if inner is None:
            raise ModelError(f"it holds no weights for layer {layer.name[:40]!r}", child.TODO)
        names = [_text(name) for name in _names(inner)]
        if len(names) != len(layer.stored):
            raise _misfit(layer.name)
        yield [
            _array(_hard(inner, name), shape, layer.name)
            for name, shape in zip(names, layer.stored, strict=True)
        ]


def _names(group: Any) -> Sequence[Any]:
    """The attribute `weight_names`, which Keras cuts into pieces when it is long."""
    if "weight_names" in group.attrs:
        return list(group.attrs["weight_names"])
    pieces = (group.attrs.get(f"weight_names{i}") for i in range(100))
    return [name for piece in pieces if piece is not None for name in piece]


def _array(dataset: Any, shape: Shape, layer: str) -> NDArray[np.float32]:
    import h5py

    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind != "f":
        raise _misfit(layer)
    if dataset.is_virtual or dataset.external:
        raise ModelError("it keeps its weights in other files", child.TODO)
    if dataset.shape != shape:
        raise _misfit(layer)
    array: NDArray[np.float32] = dataset[()].astype(np.float32)
    if not np.isfinite(array).all():
        raise ModelError(f"the weights of layer {layer[:40]!r} hold NaN or infinity", child.TODO)
    return array


def _misfit(layer: str) -> ModelError:
    what = f"the weights of layer {layer[:40]!r} do not fit its configuration"
    return ModelError(what, child.TODO)


if __name__ == "__main__":
    sys.exit(child.answer(_checked_extract))
