"""Model files, ready to predict: with a program that does what the weights say.

The program in a file is run only when this machine knows where it came from: it is one of the
shipped models, or it was saved here. The program of any other file might do something else than
its weights say, and a foreign file has none; then one is compiled from the weights, once, and kept
in a cache under the content of the file. Comparing the two instead would not do: a program can
answer well until it meets the picture that it waits for.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..errors import ModelError, OutputError
from ..files import refuse_existing, write_bytes
from .file import USER_BLOCK, ModelFile, is_ours, parse, read_bytes
from .find import shipped_folder
from .recipe import JUDGE

log = logging.getLogger(__name__)


def ready(path: str | os.PathLike[str]) -> ModelFile:
    """The model file at `path` (ours, or any `.h5` that we understand) with a sound program.

    Compiles it first when need be (about 5 s, with a note). Raises ModelError.
    """
    path = Path(path)
    content = read_bytes(path)
    ours = parse(content, path) if is_ours(content) else None
    key = _key(content)
    if ours and (_is_shipped(path) or _mark(key).exists()):
        return ours
    if ours and ours.family == JUDGE:
        raise ModelError(f"{path} is no recogniser but a judge", "Give another model")
    compiled = parse(_compiled(path, key), path)
    return replace(ours, program=compiled.program) if ours else compiled


def convert_file(
    source: str | os.PathLike[str], target: str | os.PathLike[str], overwrite: bool = False
) -> ModelFile:
    """Write the foreign model at `source` to `target` as a model file of ours.

    Raises ModelError, and OutputError when `target` exists and may not be replaced.
    """
    source, target = Path(source), Path(target)
    refuse_existing(target, overwrite)
    content = read_bytes(source)
    if is_ours(content):
        raise ModelError(f"{source} is a model file of digits already", "Use it as it is")
    made = _compiled(source, _key(content))
    write_bytes(target, made)
    vouch_for(target)
    return parse(made, target)


def vouch_for(path: str | os.PathLike[str]) -> None:
    """Remember that the program in the file at `path` does what its weights say."""
    mark = _mark(_key(Path(path).read_bytes()))
    with suppress(OSError):  # a cache that cannot be written costs time only
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def cache_folder() -> Path:
    """$DIGITS_CACHE, or the usual place for caches."""
    if place := os.environ.get("DIGITS_CACHE"):
        return Path(place)
    from platformdirs import user_cache_path

    return Path(user_cache_path("digits"))


def _compiled(path: Path, key: str) -> bytes:
    """The model file that `convert` makes of the one at `path`, from the cache or newly made."""
    from .foreign.convert import convert

    kept = cache_folder() / "compiled" / f"{key}.h5"
    with suppress(ModelError):
        content = read_bytes(kept)
        parse(content, kept)
        return content
    log.info("compiling %s once, which takes some seconds", path)
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        made = Path(folder, "model.h5")
        convert(path, made)
        content = made.read_bytes()
    with suppress(OutputError):  # a cache that cannot be written costs time only
        write_bytes(kept, content)
    return content


def _key(content: bytes) -> str:
    """Of a file of ours the SHA-256 of its first block, which holds that of all the rest."""
    return hashlib.sha256(content[:USER_BLOCK] if is_ours(content) else content).hexdigest()


def _mark(key: str) -> Path:
    return cache_folder() / "sound" / key


def _is_shipped(path: Path) -> bool:
    return path.resolve().parent == shipped_folder().resolve()
