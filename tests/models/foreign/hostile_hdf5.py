"""Containers that lead astray or came to harm: HDF5 files, other files, and what is no file."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from models.foreign.hostile_configs import kind, with_layers
from models.foreign.keras_files import dense_model, layer, write_h5


def _hdf5(name: str, message: str) -> Callable[[Callable[[h5py.File, Path], None]], None]:
    """A kind that is a valid model, changed by the decorated function."""

    def add(change: Callable[[h5py.File, Path], None]) -> None:
        @kind(name, message)
        def _(path: Path) -> None:
            write_h5(path, *dense_model())
            with h5py.File(path, "a") as file:
                change(file, path.parent)

    return add


_KERNEL = "model_weights/one/one/kernel:0"
_LINK, _FIT = "links to another place", "do not fit its configuration"


@_hdf5("external link to the weights", _LINK)
def _(file: h5py.File, folder: Path) -> None:
    write_h5(folder / "other.h5", *dense_model())
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink("other.h5", "model_weights")


@_hdf5("external link to a password file", _LINK)
def _(file: h5py.File, folder: Path) -> None:
    del file[_KERNEL]
    file[_KERNEL] = h5py.ExternalLink("/etc/passwd", "/")


@_hdf5("soft link", _LINK)
def _(file: h5py.File, folder: Path) -> None:
    del file[_KERNEL]
    file[_KERNEL] = h5py.SoftLink(f"/{_KERNEL}")


@_hdf5("external storage", "in other files")
def _(file: h5py.File, folder: Path) -> None:
    (folder / "secret").write_bytes(bytes(784 * 4 * 4))
    del file[_KERNEL]
    file.create_dataset(_KERNEL, (784, 4), "f4", external=str(folder / "secret"))


@_hdf5("virtual data set", "in other files")
def _(file: h5py.File, folder: Path) -> None:
    del file[_KERNEL]
    layout = h5py.VirtualLayout((784, 4), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "x", (784, 4))
    file.create_virtual_dataset(_KERNEL, layout)


@_hdf5("group that holds itself", _FIT)
def _(file: h5py.File, folder: Path) -> None:
    group = file["model_weights/one"]
    del group["one"]
    group["one"] = file["model_weights"]


def _add_array_kinds() -> None:
    def replaced(name: str, message: str, **dataset: Any) -> None:
        @_hdf5(name, message)
        def _(file: h5py.File, folder: Path) -> None:
            del file[_KERNEL]
            file.create_dataset(_KERNEL, **dataset)

    size = (784, 4)
    for value in (np.nan, np.inf, -np.inf):
        array = np.zeros(size, "f4")
        array[500, 2] = value
        replaced(f"weight {value}", "NaN or infinity", data=array)
    replaced("too large for float32", "NaN or infinity", data=np.full(size, 1e300))
    replaced("all fill values NaN", "NaN", shape=size, dtype="f4", fillvalue=np.nan)
    for name, dtype in {
        "whole numbers": "i4", "bytes": "u1", "truth values": "?", "complex numbers": "c8",
        "fixed text": "S4", "text": h5py.string_dtype(), "records": [("a", "f4"), ("b", "S9")],
        "references": h5py.ref_dtype, "lists": h5py.vlen_dtype("f4"), "opaque bytes": "V16",
        "triples": ("f4", (3,)),
    }.items():  # fmt: skip
        replaced(f"weights of {name}", _FIT, shape=size, dtype=dtype)
    for shape in ((4, 784), (784, 5), (3136,), (1, 784, 4), (), (0, 4)):
        replaced(f"weights shaped {shape}", _FIT, shape=shape, dtype="f4")
    huge = {"chunks": (1 << 10, 1 << 10), "compression": "gzip", "dtype": "f4"}
    replaced("8 TB of compressed zeros", _FIT, shape=(1 << 21, 1 << 20), **huge)
    replaced("empty data space", _FIT, data=h5py.Empty("f4"))


def _add_bombs() -> None:
    """Large arrays of which nothing is stored: they are all fill value."""
    hidden = 60_000
    for name, chunk in {"few bytes": (784, 600), "many chunks": (1, 100)}.items():

        @kind(f"a layer of 47 million weights in {name}", "packed as no model's are")
        def _(path: Path, chunk: tuple[int, int] = chunk) -> None:
            write_h5(path, dense_model(hidden)[0], dense_model(1)[1])
            with h5py.File(path, "a") as file:
                del file[_KERNEL]
                file.create_dataset(_KERNEL, (784, hidden), "f4", chunks=chunk, compression="gzip")


_add_bombs()


@_hdf5("damaged unknown filter", "is damaged")
def _(file: h5py.File, folder: Path) -> None:
    """A filter of a number that nobody has registered, over one chunk of bytes."""
    del file[_KERNEL]
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((784, 4))
    plist.set_filter(32123, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    place = h5py.h5s.create_simple((784, 4))
    made = h5py.h5d.create(
        file["model_weights/one/one"].id, b"kernel:0", h5py.h5t.IEEE_F32LE, place, plist
    )
    made.write_direct_chunk((0, 0), b"x" * 100)


def _add_name_kinds() -> None:
    def named(name: str, message: str, value: Any) -> None:
        @_hdf5(name, message)
        def _(file: h5py.File, folder: Path) -> None:
            attributes = file["model_weights/one"].attrs
            del attributes["weight_names"]
            if value is not None:
                attributes["weight_names"] = value

    fit = f"{_FIT}|is damaged"
    named("no weight names", fit, None)
    named("one name too few", fit, ["one/kernel:0"])
    named("one name too many", fit, ["one/kernel:0", "one/bias:0", "one/bias:0"])
    named("same name twice", fit, ["one/kernel:0", "one/kernel:0"])
    named("names that lead nowhere", fit, ["a", "b"])
    named("names of groups", fit, ["one", "one"])
    named("names of nothing", fit, ["", "."])
    named("names that climb", fit, ["../two/two/kernel:0", "/model_weights/one/one/bias:0"])
    named("names as numbers", fit, np.arange(2))
    named("names as records", fit, np.zeros(2, [("a", "i4"), ("b", "f8")]))
    named("names of no size", fit, h5py.Empty("S10"))
    named("names as one text", fit, "one/kernel:0")
    named("names as a table", fit, np.array([["one/kernel:0"], ["one/bias:0"]], "S"))

    for shown, value in {
        "a number": 7, "NaN": np.nan, "nothing": b"", "no data space": h5py.Empty("S9"),
        "a table": np.zeros((2, 2)), "several texts": np.array([b"{}"] * 3),
    }.items():  # fmt: skip

        @_hdf5(f"configuration as {shown}", "the file holds weights only")
        def _(file: h5py.File, folder: Path, value: Any = value) -> None:
            file.attrs["model_config"] = value


_add_name_kinds()


@_hdf5("weights only", "the file holds weights only")
def _(file: h5py.File, folder: Path) -> None:
    del file.attrs["model_config"]


@_hdf5("no weights", "holds no weights")
def _(file: h5py.File, folder: Path) -> None:
    del file["model_weights"]


@_hdf5("weights are a data set", "holds no weights")
def _(file: h5py.File, folder: Path) -> None:
    del file["model_weights"]
    file["model_weights"] = np.zeros(10)


@_hdf5("no weights of one layer", "no weights for layer 'one'")
def _(file: h5py.File, folder: Path) -> None:
    del file["model_weights/one"]


@_hdf5("a data type for a layer", "is damaged|do not fit")
def _(file: h5py.File, folder: Path) -> None:
    del file["model_weights/one"]
    file["model_weights/one"] = np.dtype("f8")


@_hdf5("a data type for weights", _FIT)
def _(file: h5py.File, folder: Path) -> None:
    del file[_KERNEL]
    file[_KERNEL] = np.dtype("f8")


@kind("configuration of 8 MB", "too long")
def _(path: Path) -> None:
    write_h5(path, " ", dense_model()[1])
    with h5py.File(path, "a", libver="latest") as file:
        del file.attrs["model_config"]
        file.attrs["model_config"] = json.dumps(
            with_layers(layer("Dense", "one", units=4))
        ) + " " * (8 << 20)


@kind("other HDF5 data", "the file holds no model")
def _(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(10)


# --- files ---------------------------------------------------------------------------------------


def _valid(path: Path) -> bytes:
    return write_h5(path, *dense_model()).read_bytes()


def _add_file_kinds() -> None:
    def content(name: str, message: str, make: Callable[[bytes], bytes]) -> None:
        @kind(name, message)
        def _(path: Path) -> None:
            path.write_bytes(make(_valid(path)))

    no = "the file is not a Keras model"
    content("0 bytes", "is empty", lambda b: b"")
    for part in (0.03, 0.3, 0.5, 0.9, 0.999):
        content(f"cut at {part:.1%}", "is damaged", lambda b, p=part: b[: int(len(b) * p)])
    content("cut at 7 bytes", no, lambda b: b[:7])
    content("signature only", "is damaged|not a Keras model", lambda b: b[:8])
    content("superblock only", "is damaged", lambda b: b[:96])
    content("first block zeroed", no, lambda b: bytes(512) + b[512:])
    content("all but the first block zeroed", "is damaged", lambda b: b[:512] + bytes(len(b) - 512))
    content("without its first byte", no, lambda b: b[1:])
    content("text", no, lambda b: b"Hello, I am a model.\n" * 100)
    content("picture", no, lambda b: b"\x89PNG\r\n\x1a\n" + bytes(500))
    content("zeros", no, lambda b: bytes(5000))

    @kind("zip (.keras renamed)", "not a .keras file")
    def _(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")

    @kind("sparse file of 600 MB", "too large")
    def _(path: Path) -> None:
        path.touch()
        os.truncate(path, 600 << 20)


def _add_place_kinds() -> None:
    not_a_file = "not a file"

    @kind("folder", not_a_file)
    def _(path: Path) -> None:
        path.mkdir()

    @kind("pipe", not_a_file)
    def _(path: Path) -> None:
        os.mkfifo(path)

    for device in ("zero", "null", "random"):

        @kind(f"device {device}", not_a_file)
        def _(path: Path, device: str = device) -> None:
            path.symlink_to(f"/dev/{device}")

    @kind("link to itself", "cannot read")
    def _(path: Path) -> None:
        path.symlink_to(path)

    @kind("link to nothing", "there is no such model")
    def _(path: Path) -> None:
        path.symlink_to(path.with_name("none"))

    @kind("no such file", "there is no such model")
    def _(path: Path) -> None:
        pass

    @kind("file as a folder", "cannot read")
    def _(path: Path) -> Path:
        path.touch()
        return path / "model.h5"

    @kind("name too long", "cannot read")
    def _(path: Path) -> Path:
        return path.with_name("x" * 5000 + ".h5")


_add_array_kinds()
_add_file_kinds()
_add_place_kinds()
