"""The HTTP server of the page: its address, the token if one is needed, and uvicorn's options."""

from __future__ import annotations

import contextlib
import errno
import functools
import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn

from .._io.files import os_reason
from ..errors import OutputError
from ..ingest.collection import Collection
from .api import make_app
from .connections import ConnectionMiddleware, TimeoutProtocol
from .model_registry import ModelRegistry
from .security import REQUEST_TIMEOUT, AccessRules

DEFAULT_PORT = 8028
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHUTDOWN_TIMEOUT = 1  # seconds for requests in progress at Ctrl-C; less than `signals` allows
_BACKLOG = 1024  # connections that the system accepts before the server gets to them

# It warns of malformed forms. The client is told; to the user it would look like a fault of ours.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class WebServer:
    """The page and its HTTP API at one address. Use as a context; leaving it frees the address.

    Args:
        registry: Models to offer.
        collection: Data set that saved digits go to.
        host: Address of this machine to listen at. If other machines can reach it, a token is
            required.
        port: Port to listen at, 0 for any free one; if None, `DEFAULT_PORT`, or any if it is taken.
        timeout: Seconds for a request to arrive and for a client to read its response.
        on_startup: Called with the address when signals are handled and requests are answered.

    Attributes:
        address: URL of the page, with the token if one is required.

    Raises:
        OutputError: The address cannot be used.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        collection: Collection,
        host: str = "127.0.0.1",
        port: int | None = None,
        *,
        timeout: float = REQUEST_TIMEOUT,
        on_startup: Callable[[str], None] = lambda address: None,
    ) -> None:
        self._listener = _listen(host, port)
        local = is_loopback(host)
        token = None if local else secrets.token_urlsafe(16)
        hosts = _LOOPBACK | {host.lower()} | (set() if local else {socket.gethostname().lower()})
        rules = AccessRules(hosts, any_address=not local, token=token)
        name = _lan_address() if _is_unspecified(host) else f"[{host}]" if ":" in host else host
        query = f"?token={token}" if token else ""
        self.address = f"http://{name}:{self._listener.getsockname()[1]}/{query}"
        protocol: Any = functools.partial(TimeoutProtocol, timeout)  # typed as a class by uvicorn
        started = functools.partial(on_startup, self.address)
        app = make_app(registry, collection, rules, timeout, started)
        self._server = uvicorn.Server(
            uvicorn.Config(
                ConnectionMiddleware(app),
                http=protocol,
                ws="none",
                log_config=None,  # the logging of this process stays as it is
                log_level="critical",  # clients are told of their errors; we print our own
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT,
            )
        )

    def run(self) -> None:
        """Serve until SIGINT (raises KeyboardInterrupt), SIGTERM, or a call of `stop`."""
        self._server.run([self._listener])

    def stop(self) -> None:
        """Make `run` return; may be called in another thread."""
        self._server.should_exit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket (see `WebServer`)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    dual = ":" in host and _is_unspecified(host) and socket.has_dualstack_ipv6()
    for attempt in [DEFAULT_PORT, 0] if port is None else [port]:
        try:
            return socket.create_server(
                (host, attempt), family=family, backlog=_BACKLOG, dualstack_ipv6=dual
            )
        except OSError as error:
            taken = (errno.EADDRINUSE, errno.EACCES)  # the latter if Windows reserves the port
            if port is None and attempt and error.errno in taken:
                continue
            # Python appends the address to the system's reason.
            reason = os_reason(error).partition(" (")[0]
            options = "--port" if error.errno == errno.EADDRINUSE else "--host or --port"
            raise OutputError(
                f"cannot listen at {host} port {attempt}: {reason}", f"Choose another {options}"
            ) from error
    raise AssertionError


def _is_unspecified(host: str) -> bool:
    """Whether `host` stands for all addresses of this machine, as 0.0.0.0 does."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_unspecified
    return False


def _lan_address() -> str:
    """The address by which other machines reach this one, if it can be found out."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
    ):
        probe.connect(("192.0.2.1", 9))  # for documentation (RFC 5737); sends nothing
        return str(probe.getsockname()[0])
    return socket.gethostname()
