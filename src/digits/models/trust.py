"""Load model files without running what a stranger compiled.

The compiled model in a file is run only if this machine knows where it came from: the file is one
of the shipped models, or it was saved here. That of any other file might do something else than its
weights say, and a foreign file has none; then one is compiled from the weights, once, and cached
under the hash of the file. Comparing the answers of both would not do: a compiled model can answer
well until it meets the picture that it waits for.
"""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .._io.files import refuse_existing, write_bytes
from .._io.temporary import scratch_folder
from ..errors import ModelError, OutputError
from .families import REJECTOR
from .file import USER_BLOCK, ModelFile, is_ours, parse, read_bytes
from .find import shipped_folder

_COMPILED = "compiled-2"  # counted up when conversion changes

log = logging.getLogger(__name__)


def load_trusted(path: str | os.PathLike[str]) -> ModelFile:
    """Load a model file, with a compiled model that does what the weights say.

    Args:
        path: A model file of ours, or any `.h5` that can be converted. If it is not trusted, it is
            compiled first, which takes about 5 s and is logged.

    Raises:
        ModelError: It cannot be read or converted.
    """
    path = Path(path)
    content = read_bytes(path)
    ours = parse(content, path) if is_ours(content) else None
    key = _key(content)
    if ours and (_is_shipped(path) or _mark(key).exists()):
        return ours
    if ours and ours.family == REJECTOR:
        raise ModelError("a rejector is not a recognizer", "Give another model", path)
    compiled = parse(_compiled(path, key), path)
    _say_how_it_reads(compiled)
    return replace(ours or compiled, compiled=compiled.compiled, size=len(content))


def convert_file(
    source: str | os.PathLike[str], target: str | os.PathLike[str], overwrite: bool = False
) -> ModelFile:
    """Convert a foreign model to a model file of ours.

    Args:
        source: An `.h5` that Keras wrote.
        target: Where to write the model file, which will be trusted.
        overwrite: Replace an existing `target`.

    Raises:
        ModelError: `source` cannot be converted, or it is a model file of ours already.
        OutputError: `target` exists, or cannot be written.
    """
    source, target = Path(source), Path(target)
    refuse_existing(target, overwrite)
    content = read_bytes(source)
    if is_ours(content):
        raise ModelError("the file is a model file of digits already", "Use it as it is", source)
    converted = _compiled(source, _key(content))
    write_bytes(target, converted, overwrite=overwrite)
    _remember(converted)
    file = parse(converted, target)
    _say_how_it_reads(file)
    return file


def _say_how_it_reads(file: ModelFile) -> None:
    """Log which input a converted model has, if that is not the usual one, or if none will do."""
    inputs = file.metadata.inputs
    if not inputs:
        return
    from .foreign.inputs import CHANCE, USUAL  # NumPy and more, for foreign models alone

    used, *others = inputs
    share = 100 * inputs[used]
    tried = ", ".join(f"{other}: {inputs[other]:.0%}" for other in others)
    if inputs[used] < CHANCE:
        log.warning(
            "%s answers by chance: it reads %.0f%% of the embedded digits with pixels from %s (%s)",
            file.path, share, used, tried,
        )  # fmt: skip
    elif used != USUAL:
        log.info(
            "%s takes pixels from %s: it reads %.0f%% of the embedded digits so (%s)",
            file.path, used, share, tried,
        )  # fmt: skip


def trust(path: str | os.PathLike[str]) -> None:
    """Remember that the compiled model in the file at `path` does what its weights say."""
    _remember(Path(path).read_bytes())


def _remember(content: bytes) -> None:
    mark = _mark(_key(content))
    with suppress(OSError):  # without the cache, it is compiled again when it is loaded
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def cache_folder() -> Path:
    """$DIGITS_CACHE, or the user's cache folder."""
    if place := os.environ.get("DIGITS_CACHE"):
        return Path(place)
    from platformdirs import user_cache_path

    return Path(user_cache_path("digits"))


def _compiled(path: Path, key: str) -> bytes:
    """The model file that `convert` makes of the one at `path`, from the cache if possible."""
    from .foreign.convert import convert

    cached = cache_folder() / _COMPILED / f"{key}.h5"
    with suppress(ModelError):
        content = read_bytes(cached)
        parse(content, cached)
        return content
    log.info("compiling %s once, which takes some seconds", path)
    with scratch_folder() as folder:
        converted = folder / "model.h5"
        convert(path, converted)
        content = converted.read_bytes()
    with suppress(OutputError):  # without the cache, it is compiled again the next time
        write_bytes(cached, content)
    return content


def _key(content: bytes) -> str:
    """SHA-256 of the file; of a file of ours, that of the first block, which holds the rest's."""
    return hashlib.sha256(content[:USER_BLOCK] if is_ours(content) else content).hexdigest()


def _mark(key: str) -> Path:
    return cache_folder() / "trusted" / key


def _is_shipped(path: Path) -> bool:
    return path.resolve().parent == shipped_folder().resolve()
