"""Serve the page: an address, a token where it is needed, and connections that cannot block."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..data.collection import Collection
from ..errors import OutputError
from .api import make_app
from .guard import SECONDS, Rules
from .shelf import Shelf

PORT = 8028
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_GRACE = 2  # seconds for answers under way when the server stops


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    shelf: Shelf,
    collection: Collection,
    host: str = "127.0.0.1",
    port: int | None = None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve until Ctrl-C.

    host: an address of this machine; for one that others can reach, everybody needs a token, which
    is in the address that `ready` gets. port: PORT when None, or another one where that is taken;
    0 for any.
    ready: called with the page's address once requests are served.
    Raises OutputError when the address cannot be used.
    """
    listener = _listener(host, port)
    own = is_loopback(host)
    token = None if own else secrets.token_urlsafe(16)
    names = _LOOPBACK | {host.lower()} | (set() if own else {socket.gethostname().lower()})
    rules = Rules(names, any_address=not own, token=token)
    name = f"[{host}]" if ":" in host else host
    if name in ("0.0.0.0", "[::]"):  # noqa: S104  # all addresses of the machine: this is one
        name = _outward_address()
    address = f"http://{name}:{listener.getsockname()[1]}/" + (f"?token={token}" if token else "")
    config = uvicorn.Config(
        make_app(shelf, collection, rules),
        http=_Protocol,
        ws="none",
        log_config=None,
        log_level="error",  # whatever a client sends is no news
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # reports what we answer
    with listener:
        _Server(config, lambda: ready(address)).run([listener])


def _listener(host: str, port: int | None) -> socket.socket:
    """A listening socket at `host` and `port` (see `serve`)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for attempt in [PORT, 0] if port is None else [port]:
        try:
            return socket.create_server((host, attempt), family=family, backlog=1024)
        except OSError as error:
            if port is None and attempt and error.errno == errno.EADDRINUSE:
                continue
            # Python adds to the system's words where it was; that we say ourselves.
            reason = (error.strerror or str(error)).partition(" (")[0].lower()
            raise OutputError(
                f"cannot serve at {host} port {attempt}: {reason}",
                "Choose another --port" if error.errno == errno.EADDRINUSE
                else "Choose another --host or --port",
            ) from error  # fmt: skip
    raise AssertionError


def _outward_address() -> str:
    """The address by which others reach this machine, as far as it knows; nothing is sent."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
    ):
        probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
        return str(probe.getsockname()[0])
    return socket.gethostname()


class _Server(uvicorn.Server):
    """Tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


class _Protocol(HttpToolsProtocol):
    """Closes a connection on which the head of a request does not come, or comes by drips."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit = self.loop.call_later(SECONDS, transport.close)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._limit is None:  # not the first request of this connection
            self._limit = self.loop.call_later(SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        self._lift()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lift()
        super().connection_lost(exc)

    def _lift(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
