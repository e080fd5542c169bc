"""Access control and limits for every request, and security headers for every response.

The page shows one person's pictures, on that person's machine. Other pages in the same browser must
neither read nor change anything; other machines need a token; no request can fill the memory or
take forever.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 10_000_000
"""Maximum size of a request's body, whether or not it is announced by a Content-Length."""

REQUEST_TIMEOUT = 20.0
"""Default seconds within which a request must arrive: a 10 MB photo at 4 Mbit/s."""

_COOKIE = "digits-token"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_PUBLIC_PATHS = ("/healthz",)  # need no token
_MAX_DRAINED_BYTES = 10 * MAX_BODY_BYTES
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class AccessRules:
    """Who may send requests.

    Attributes:
        hosts: Host names of this server, in lower case and without port. Requests for any other
            name are refused: its owner could have it resolve to this machine (DNS rebinding).
        any_address: Whether any numeric address is accepted too; these cannot be rebound.
        token: Required of every request, as `Authorization: Bearer` or in the cookie that
            `/?token=` sets; None if no token is needed.
    """

    hosts: frozenset[str]
    any_address: bool = False
    token: str | None = None


class SecurityMiddleware:
    """ASGI middleware that enforces access rules and limits, and sets security headers.

    Args:
        app: The application.
        rules: Who may send requests.
        timeout: Seconds within which the body of a request must arrive.
    """

    def __init__(self, app: ASGIApp, rules: AccessRules, timeout: float = REQUEST_TIMEOUT) -> None:
        self.app, self.rules, self.timeout = app, rules, timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application if the request is allowed, else send a refusal."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = _Body(receive, self.timeout)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                response = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    response.setdefault(name, value)
                if body.refused:
                    response["connection"] = "close"
            await send(message)

        try:
            self._check(scope, headers)
            if int(headers.get("content-length", "0")) > MAX_BODY_BYTES:
                await body.drain()
                raise _too_large()
            answer = self._login(scope) or self.app
        except HTTPException as refusal:
            answer = JSONResponse({"detail": refusal.detail}, refusal.status_code)
        await answer(scope, body.receive, send_with_headers)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raise HTTPException if the request is not allowed."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_own_host(_host_name(host)):
            raise HTTPException(
                421, "This is not a name of this server. Use the address that it printed."
            )
        if not headers.get("content-length", "0").isdecimal():
            raise HTTPException(400, "The Content-Length is not a number. Omit it.")
        if scope["method"] not in _SAFE_METHODS and not _is_same_origin(headers, host):
            raise HTTPException(
                403, "The request came from another page. Use the page of this server."
            )
        if scope["path"] not in _PUBLIC_PATHS and not self._has_token(scope, headers):
            raise HTTPException(
                401, "A token is required. Open the address that the server printed."
            )

    def _is_own_host(self, name: str) -> bool:
        if name and name in self.rules.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.rules.any_address

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        if self.rules.token is None:
            return True
        kind, _, token = headers.get("authorization", "").partition(" ")
        tokens = [token.strip()] if kind.lower() == "bearer" else []
        tokens += [cookie_parser(headers.get("cookie", "")).get(_COOKIE, ""), *_url_tokens(scope)]
        return any(hmac.compare_digest(t.encode(), self.rules.token.encode()) for t in tokens)

    def _login(self, scope: Scope) -> Response | None:
        """Replace a token in the URL, which stays in the browser's history, by a cookie."""
        if self.rules.token is None or not _url_tokens(scope):
            return None
        answer = RedirectResponse("/", 303)
        answer.set_cookie(_COOKIE, self.rules.token, httponly=True, samesite="strict")
        return answer


class _Body:
    """The body of one request, with a maximum size and a timeout."""

    def __init__(self, receive: Receive, timeout: float) -> None:
        self._receive = receive
        self._bytes = 0
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._ended = False
        self.refused = False

    async def receive(self) -> Message:
        """ASGI's `receive`. Raises HTTPException if the body is too large or too slow."""
        if self._ended:
            return await self._receive()  # waits until the client disconnects
        message = await self._next()
        if self._bytes > MAX_BODY_BYTES:
            await self.drain()
            raise _too_large()
        return message

    async def drain(self) -> None:
        """Read and discard the rest: few clients read a response before they have sent it all."""
        self.refused = True
        while not self._ended and self._bytes < _MAX_DRAINED_BYTES:
            await self._next()

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            self.refused = True
            raise HTTPException(
                408, f"The request did not arrive within {self._timeout:g} s. Send it again."
            ) from None
        self._bytes += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        return message


def _too_large() -> HTTPException:
    size = f"{MAX_BODY_BYTES / 1e6:.0f} MB"
    return HTTPException(
        413, f"The request is over {size}. Make the picture smaller, or send fewer at once."
    )


def _host_name(host: str) -> str:
    """The name in `name:port` or `[address]:port`; empty if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_same_origin(headers: Headers, host: str) -> bool:
    """Whether the request comes from our own page or, without these headers, from no page."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == host.lower()


def _url_tokens(scope: Scope) -> list[str]:
    """The tokens in the URL, which are accepted for the page itself only."""
    if scope["path"] != "/":
        return []
    query = parse_qsl(scope["query_string"].decode("latin-1"))
    return [value for name, value in query if name == "token"]
