"""What every request passes before it reaches the application, and its answer on the way out.

The page works on the pictures of one person, on that person's machine. Other pages, which the same
browser has open, must neither read them nor write; neighbours on the network come in with a token
only; nobody can fill the memory or hold the door.
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

MOST_BYTES = 10_000_000
"""Of the body of a request, whether or not it says beforehand how long it is."""

SECONDS = 20
"""In which the body of a request must have come."""

_COOKIE = "digits-token"
_READING = ("GET", "HEAD", "OPTIONS")
_OPEN = ("/healthz",)  # needs no token
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
class Rules:
    """Who may ask.

    hosts: names by which this server may be called, in lower case and without port; the owner of
    another name can let it point here (DNS rebinding). any_address: or by any numeric address,
    which nobody can rebind. token: what everybody must show, as `Authorization: Bearer` or in the
    cookie that `/?token=` sets; none is needed when None.
    """

    hosts: frozenset[str]
    any_address: bool = False
    token: str | None = None


class Guard:
    """ASGI middleware that holds requests to the `rules`, and answers to a strict browser."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As of any ASGI application."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = _Body(receive)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
                if body.refused:
                    answer["connection"] = "close"
            await send(message)

        try:
            self._check(scope, headers)
            if int(headers.get("content-length", "0")) > MOST_BYTES:
                await body.pour_away()
                raise _too_large()
            answer = self._entry(scope) or self.app
        except HTTPException as refusal:
            answer = JSONResponse({"detail": refusal.detail}, refusal.status_code)
        await answer(scope, body.receive, send_guarded)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raise HTTPException where the request is not let in."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_ours(_name_of(host)):
            raise HTTPException(421, "This server is not called so. Use the address it printed.")
        if not headers.get("content-length", "0").isdecimal():
            raise HTTPException(400, "The Content-Length is no number. Leave it to the client.")
        if scope["method"] not in _READING and not _same_origin(headers, host):
            raise HTTPException(403, "Another page asked. Use the page of this server itself.")
        if scope["path"] not in _OPEN and not self._is_known(scope, headers):
            raise HTTPException(401, "A token is needed. Open the address that the server printed.")

    def _is_ours(self, name: str) -> bool:
        if name and name in self.rules.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.rules.any_address

    def _is_known(self, scope: Scope, headers: Headers) -> bool:
        if self.rules.token is None:
            return True
        kind, _, shown = headers.get("authorization", "").partition(" ")
        tokens = [shown.strip()] if kind.lower() == "bearer" else []
        tokens += [cookie_parser(headers.get("cookie", "")).get(_COOKIE, ""), *_entry_tokens(scope)]
        return any(hmac.compare_digest(t.encode(), self.rules.token.encode()) for t in tokens)

    def _entry(self, scope: Scope) -> Response | None:
        """Trades a token in the address, which stays in histories, for a cookie."""
        if self.rules.token is None or not _entry_tokens(scope):
            return None
        answer = RedirectResponse("/", 303)
        answer.set_cookie(_COOKIE, self.rules.token, httponly=True, samesite="strict")
        return answer


class _Body:
    """The body of one request: counted, and not waited for without end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._deadline = time.monotonic() + SECONDS
        self._ended = False
        self.refused = False

    async def receive(self) -> Message:
        """The next message; raises HTTPException where it would be too much or comes too late."""
        if self._ended:  # what comes now is that the client goes, whenever
            return await self._receive()
        message = await self._next()
        if self._bytes > MOST_BYTES:
            await self.pour_away()
            raise _too_large()
        return message

    async def pour_away(self) -> None:
        """Receive the rest, up to ten times as much: few clients listen before they have sent."""
        self.refused = True
        while not self._ended and self._bytes < 10 * MOST_BYTES:
            await self._next()

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            self.refused = True
            raise HTTPException(
                408, f"The request took more than {SECONDS} s to come. Send it again."
            ) from None
        self._bytes += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        return message


def _too_large() -> HTTPException:
    size = f"{MOST_BYTES / 1e6:.0f} MB"
    return HTTPException(413, f"This is more than {size}. Make the picture smaller, or send fewer.")


def _name_of(host: str) -> str:
    """The name in `name:port`, `[address]:port`; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same_origin(headers: Headers, host: str) -> bool:
    """Whether the page that asks is ours, or it is no page: other programs say neither."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == host.lower()


def _entry_tokens(scope: Scope) -> list[str]:
    """The tokens in the address, which count at the entry alone."""
    if scope["path"] != "/":
        return []
    query = parse_qsl(scope["query_string"].decode("latin-1"))
    return [value for name, value in query if name == "token"]
