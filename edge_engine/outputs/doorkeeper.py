"""Doorkeeper: which web sites' pages may read what the WebSocket output sends, and the page it serves."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from edge_engine.languages import FOLDER

_PAGES = {"/": "live.html"} | {
    f"/{name}": name for name in ("edge_engine.js", "freshness.js", "messages.js", "wire.js")
}
_TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8"}


class Doorkeeper:
    """A browser lets any page that somebody has open connect to any address, also this machine's own, and
    says only whose page it is (RFC 6454's Origin). Programs don't send one, and may."""

    def __init__(self, origins: Collection[str]) -> None:
        """`origins`: those that may beside the engine's own page."""
        self._origins = frozenset(origins)
        self._files = {path: (FOLDER / "js" / name).read_bytes() for path, name in _PAGES.items()}

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """None for a WebSocket that may be opened."""
        if "websocket" in request.headers.get("Upgrade", "").lower():
            if self.lets_in(request.headers.get("Origin"), request.headers.get("Host", "")):
                return None
            return connection.respond(HTTPStatus.FORBIDDEN, "this page's origin isn't in `origins`\n")
        return self._page(connection, urlsplit(request.path).path)

    def lets_in(self, origin: str | None, host: str) -> bool:
        """The engine's own page comes from the host that it asks. A host by name may be anybody's, who has it
        point here, so it must be listed."""
        if origin is None or origin in self._origins:
            return True
        return origin == f"http://{host}" and _is_address(host)

    def _page(self, connection: ServerConnection, path: str) -> Response:
        if path not in self._files:
            return connection.respond(HTTPStatus.NOT_FOUND, "there is / and ws://\n")
        response = connection.respond(HTTPStatus.OK, "")
        for name in ("Content-Type", "Content-Length"):
            del response.headers[name]
        response.body = self._files[path]
        response.headers["Content-Type"] = _TYPES[_PAGES[path].rpartition(".")[2]]
        response.headers["Content-Length"] = str(len(response.body))
        return response


def _is_address(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False
