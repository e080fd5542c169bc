"""Downloads of files of a known size, from servers of which nothing is known."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

_TIMEOUTS = (4, 20)  # seconds to connect, and without a byte
_PIECE = 1 << 16  # bytes

ProgressBar = Callable[[int], Callable[[int], None]]
"""Given the total number of bytes, returns a function to call with the size of each piece."""


def fetch(url: str, size: int, timeout: float, progress: ProgressBar | None = None) -> bytes:
    """Download a file of `size` bytes into memory; of a larger one, no more.

    Args:
        url: Where it is.
        size: Its size.
        timeout: Seconds for the whole download.
        progress: Called when the download begins.

    Raises:
        OSError: The server does not send it, or not in time.
        ValueError: It has another size, or there is no such URL.
    """
    return _within(timeout, partial(_fetch, url, size, progress))


def reason(error: OSError | ValueError) -> str:
    """Why a download failed, in a few words."""
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    known = {
        exceptions.SSLError: "its certificate is not trusted",
        exceptions.TooManyRedirects: "its redirects never end",
        exceptions.ChunkedEncodingError: "the connection was cut off",
        exceptions.Timeout: "no response in time",
        exceptions.InvalidURL: "not a URL",
        exceptions.MissingSchema: "not a URL",
        ValueError: "not the expected file",
    }
    found = next((text for kind, text in known.items() if isinstance(error, kind)), None)
    return found or getattr(error, "strerror", None) or "no response"


def _within(seconds: float, fetch: Callable[[threading.Event], bytes]) -> bytes:
    """The result of `fetch`, in a thread: names, headers and bytes may all take for ever.

    Args:
        seconds: To wait for it.
        fetch: Given an event that is set when nobody waits any more.

    Raises:
        TimeoutError: It takes longer.
        Exception: That of `fetch`.
    """
    ended = threading.Event()
    result: Future[bytes] = Future()

    def run() -> None:
        try:
            result.set_result(fetch(ended))
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name="digits-download", daemon=True).start()
    try:
        return result.result(seconds)
    except TimeoutError as error:
        raise TimeoutError(errno.ETIMEDOUT, f"not done after {seconds:,.0f} seconds") from error
    finally:
        ended.set()


def _fetch(url: str, size: int, progress: ProgressBar | None, ended: threading.Event) -> bytes:
    """As `fetch`, until `ended` is set."""
    import requests

    headers = {"Accept-Encoding": "identity"}  # so that the size is that of the file
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUTS) as response:
        response.raise_for_status()
        advance = progress(size) if progress else None
        content = bytearray()
        for piece in response.iter_content(_PIECE):
            content += piece
            if len(content) > size or ended.is_set():
                break
            if advance:
                advance(len(piece))
    if len(content) != size:
        raise ValueError
    return bytes(content)
