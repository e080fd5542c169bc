"""What `digits train --resume` adds: which training, and that no option differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .._io.text import printable
from ..errors import ModelError

if TYPE_CHECKING:
    from ..training.checkpoint import Checkpoint

_MAY_DIFFER = (
    "resume",
    "epochs",
    "device",
    "output",
    "quiet",
    "data_dir",
    "max_size",
    "save_anyway",
)


def check_options(begun: Checkpoint) -> None:
    """Check that the options on the command line are those that the training began with.

    Raises:
        ModelError: Some differ; it names them.
    """
    context = click.get_current_context()
    differing = []
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not given or name in _MAY_DIFFER:
            continue
        known, value = _known(begun, name), _plain(context.params[name])
        if known != value:
            differing.append(f"{parameter.opts[-1]} {_shown(known)}, not {_shown(value)}")
    if differing:
        raise ModelError(
            f"the training began with {'; '.join(differing)}",
            "Leave that out to go on with it, or leave --resume out to train anew",
            begun.path,
        )


def _known(begun: Checkpoint, name: str) -> Any:
    """The value that the option had, or that the preset gave it."""
    name = "family" if name == "arch" else name
    known = begun.options.get(name)
    if known is None:
        known = (begun.file.metadata.settings or {}).get(name)
    return known if name != "augment" else bool(known)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def how_to_go_on(path: Path, epochs: int | None) -> str:
    """What an interrupted training leaves, in a sentence or two.

    Args:
        path: The model file that was to be written.
        epochs: Whole epochs in its checkpoint; None if there is none.
    """
    from ..training.trained import checkpoint_of

    if epochs is None:
        return "Nothing was saved yet."
    kept = f"{printable(checkpoint_of(path))} is the model after epoch {epochs}. " if epochs else ""
    return f"{kept}Go on with: digits train --resume -o {printable(path)}"
