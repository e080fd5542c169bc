"""Timeouts for connections that uvicorn has no options for.

uvicorn closes a connection that stays idle after a response (`timeout_keep_alive`). But it waits
without limit for the first request, for the rest of a request's head, and for a client that does
not read its response: a few hundred of these would use up the server's sockets.

uvicorn's protocol is wrapped, not subclassed, and used through public interfaces alone: the option
`http`, which takes a protocol class, `asyncio.Protocol` and ASGI. Checked with uvicorn 0.30 to
0.54; tests/web/test_connections.py fails if a version behaves differently.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_current: ContextVar[TimeoutProtocol | None] = ContextVar("connection", default=None)


class TimeoutProtocol(asyncio.Protocol):
    """One connection, which is closed if it takes too long to send a head or to read.

    Args:
        timeout: Seconds for the head of a request, counted from the start of the connection or the
            end of the last response, and for the client to read what fills the write buffer.
        options: Passed on to uvicorn's protocol.
    """

    def __init__(self, timeout: float, **options: Any) -> None:
        self._protocol = HttpToolsProtocol(**options)
        self._timeout = timeout
        self._requests = 0  # in progress; a client that pipelines has several
        self.lost = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._head_timer = _Timer(self._timeout, transport.close)
        self._read_timer = _Timer(self._timeout, transport.abort)
        self._head_timer.start()
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        _current.set(self)  # inherited by the task that runs the application
        self._protocol.data_received(data)

    def eof_received(self) -> None:
        self._protocol.eof_received()

    def pause_writing(self) -> None:
        self._read_timer.start()
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._read_timer.stop()
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._head_timer.stop()
        self._read_timer.stop()
        self._protocol.connection_lost(exc)

    def request_started(self) -> None:
        """The head of a request is complete."""
        self._requests += 1
        self._head_timer.stop()

    def request_ended(self) -> None:
        """The application is done with a request."""
        self._requests -= 1
        if not self._requests and not self.lost:
            self._head_timer.start()


class _Timer:
    """Calls a function after some seconds, unless it is stopped before."""

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self._seconds, self._function = seconds, function
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._handle is None:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(self._seconds, self._function)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class ConnectionMiddleware:
    """ASGI middleware that links requests to their `TimeoutProtocol`, and prints tracebacks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        connection = _current.get()
        if scope["type"] != "http" or connection is None:
            await self.app(scope, receive, send)
            return

        async def send_if_connected(message: Message) -> None:
            # uvicorn takes care of this for the last of several pipelined requests only.
            if not connection.lost:
                try:
                    await send(message)
                except RuntimeError:  # of uvloop, if it was lost while the client did not read
                    if not connection.lost:
                        raise

        connection.request_started()
        try:
            await self.app(scope, receive, send_if_connected)
        except Exception:
            traceback.print_exc()  # uvicorn's log is off, see `WebServer`
            raise
        finally:
            connection.request_ended()
