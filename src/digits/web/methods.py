"""HEAD and OPTIONS, which FastAPI answers for no route by itself."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.types import Message, Receive, Scope, Send


class MethodsMiddleware:
    """ASGI middleware that answers HEAD as GET without the body, and OPTIONS with what is allowed.

    Args:
        app: The application.
    """

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, or answer in its place."""
        method = scope.get("method")
        if method == "OPTIONS" and (allowed := self._allowed(scope)):
            allow = ", ".join(sorted(allowed))
            await Response(status_code=204, headers={"Allow": allow})(scope, receive, send)
        elif method == "HEAD":

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.body":
                    message = {**message, "body": b""}
                await send(message)

            await self.app({**scope, "method": "GET"}, receive, send_head)
        else:
            await self.app(scope, receive, send)

    def _allowed(self, scope: Scope) -> set[str]:
        """The methods of the path; none if there is no such path."""
        found: set[str] = set()
        for route in self.app.routes:
            if route.matches(scope)[0] is not Match.NONE:
                found |= {"GET"} if isinstance(route, Mount) else getattr(route, "methods", set())
        if "GET" in found:
            found.add("HEAD")
        return found | {"OPTIONS"} if found else found
