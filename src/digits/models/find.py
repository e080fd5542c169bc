"""Where models are: the user's own in ./models, the shipped ones in the package."""

from __future__ import annotations

import os
from pathlib import Path

from .families import FAMILIES

OWN = Path("models")


def find_model(model: str | os.PathLike[str]) -> Path:
    """Resolve a model argument to a file.

    Args:
        model: A path; or a family, for `models/FAMILY.h5` if there is one, else the shipped model.

    Returns:
        The path, whether or not it exists.
    """
    if str(model) not in FAMILIES:
        return Path(model)
    own = OWN / f"{model}.h5"
    return own if own.is_file() else shipped_folder() / f"{model}.h5"


def list_models() -> list[Path]:
    """The user's own models, then the shipped ones."""
    return own_models() + shipped_models()


def own_models() -> list[Path]:
    """The model files in ./models."""
    return sorted(OWN.glob("*.h5"))


def shipped_models() -> list[Path]:
    """The shipped recognizers, at most one of each family."""
    paths = (shipped_folder() / f"{family}.h5" for family in FAMILIES)
    return [path for path in paths if path.is_file()]


def shipped_folder() -> Path:
    """The folder of the shipped models, in an installation or a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "pretrained"
    return installed if installed.is_dir() else package.parents[1] / "models" / "pretrained"
