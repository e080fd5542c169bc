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


def _is_all(host: str) -> bool:
    """Whether `host` stands for all addresses of the machine."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_unspecified
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
    name = _outward_address() if _is_all(host) else f"[{host}]" if ":" in host else host
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
    # What clients do wrong, they are told; here it would only look like our fault.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    with listener:
        _Server(config, lambda: ready(address)).run([listener])


def _is_news(record: logging.LogRecord) -> bool:
    """Not that we write to a client that has gone: uvicorn knows of one request at a time only."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, RuntimeError) and "closed" in str(error))


def _listener(host: str, port: int | None) -> socket.socket:
    """A listening socket at `host` and `port` (see `serve`)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = ":" in host and _is_all(host) and socket.has_dualstack_ipv6()
    for attempt in [PORT, 0] if port is None else [port]:
        try:
            return socket.create_server(
                (host, attempt), family=family, backlog=1024, dualstack_ipv6=both
            )
        except OSError as error:
            taken = (errno.EADDRINUSE, errno.EACCES)  # the latter where Windows reserves it
            if port is None and attempt and error.errno in taken:
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
    """Tells when it is ready, and not what it cuts off when it ends."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


class _Protocol(HttpToolsProtocol):
    """Closes a connection that says nothing, or half of something, or does not listen."""

    _silent: asyncio.TimerHandle | None = None
    _deaf: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._expect_request()

    def on_headers_complete(self) -> None:
        _cancel(self._silent)
        self._silent = None
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._deaf = self._deaf or self.loop.call_later(SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        _cancel(self._deaf)
        self._deaf = None
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._silent)
        _cancel(self._deaf)
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        """A whole head, that is; more drips do not extend the time."""
        self._silent = self._silent or self.loop.call_later(SECONDS, self.transport.close)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
