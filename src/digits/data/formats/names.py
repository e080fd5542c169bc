"""What others call the arrays, columns and files of a data set."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from ..._io.text import printable
from ...errors import DataError
from ..dataset import Dataset, Splits

ARRAYS = {
    "train": ("x_train", "y_train"),
    "test": ("x_test", "y_test"),
    "all": ("images", "labels"),
}
"""Our names of the images and labels of each part."""

IMAGE_NAMES = ("images", "image", "img", "imgs", "x", "data", "pixels", "features", "arr0")
"""Plain names of images, without what `_plain` takes off."""

LABEL_NAMES = ("labels", "label", "y", "target", "targets", "class", "digit", "number", "arr1")
"""Plain names of labels."""

_ARCHIVE = {"arr0", "arr1"}  # as np.savez calls two arrays without names: only both together count
_PARTS = {"train": ("train", "training"), "test": ("test", "testing")}
_MAX_NAMES, _MAX_NAME = 8, 40  # in a message; characters of one


def part_of(path: Path) -> str:
    """The part that a file holds by its name: `train`, `test`, or `all` for another name."""
    return next((part for part in _PARTS if part in path.stem.lower()), "all")


def column(names: Collection[str], wanted: Collection[str]) -> str | None:
    """The first of `names` that is one of the plain names that are wanted; None without one."""
    return next((name for each in wanted for name in names if _plain(name) == each), None)


def stored_names(names: Collection[str]) -> dict[str, str]:
    """By our name of an array what it is called among `names`, if it is there."""
    found = {}
    for part, ours in ARRAYS.items():
        for our, plain in zip(ours, (IMAGE_NAMES, LABEL_NAMES), strict=True):
            wanted = plain if part == "all" else _joined(_PARTS[part], plain)
            stored = our if our in names else column(names, wanted)
            if stored is not None:
                found[our] = stored
    unnamed = {_plain(found.get(our, "")) for our in ARRAYS["all"]} & _ARCHIVE
    if unnamed and unnamed != _ARCHIVE:
        return {our: stored for our, stored in found.items() if _plain(stored) not in _ARCHIVE}
    return found


def splits_of(arrays: Mapping[str, Any], path: Path, name: str) -> Splits:
    """The data set in arrays by name: those of MNIST's archive, or what others call them.

    Images may also be counted by their last axis, as in MATLAB, if only that fits the labels.

    Raises:
        DataError: An array is missing, or does not fit.
    """
    stored = stored_names(arrays)
    parts = {}
    for part, (images, labels) in ARRAYS.items():
        if images in stored and labels in stored:
            label = name if part == "all" else f"{name} {part}"
            parts[part] = _dataset(arrays[stored[images]], arrays[stored[labels]], label)
        elif images in stored or labels in stored:
            there, missing = (images, labels) if images in stored else (labels, images)
            problem = f"it has {stored[there]} but no {missing}"
            raise DataError(problem, "Add the missing array", path)
    if not parts:
        raise DataError(
            f"its arrays are {listed(arrays)}",
            "Name the arrays x_train y_train x_test y_test, or images labels",
            path,
        )
    if len(parts) > 1:
        parts.pop("all", None)
    return Splits(name, parts)


def listed(names: Collection[str]) -> str:
    """The first few of names that a file gives, of which there may be any number."""
    shown = printable(", ".join(n[:_MAX_NAME] for n in islice(names, _MAX_NAMES))) or "none"
    return f"{shown} and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else shown


def _dataset(images: Any, labels: Any, name: str) -> Dataset:
    if labels.ndim == 2 and labels.shape[0] == 1:  # a row, as MATLAB has it
        labels = labels[0]
    count = len(labels) if labels.ndim else 0
    if images.ndim > 1 and images.shape[0] != count == images.shape[-1]:
        images = images.reshape(-1, count).T.reshape(count, *images.shape[:-1])
    return Dataset(images, labels, name)


def _joined(parts: Collection[str], plain: Collection[str]) -> list[str]:
    """`xtrain`, `trainx`, `imagestrain`, and so on."""
    return [joined for each in plain for part in parts for joined in (each + part, part + each)]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
