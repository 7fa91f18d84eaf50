"""Web: opens an http or https address at an offset, and follows redirects to such addresses only."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from edge_engine.errors import SourceError

_WEB = ("http", "https")
_OK, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416


class Part(NamedTuple):
    """What follows from byte `start` on; `total`: bytes of the whole file, where it is known."""

    read: Callable[[int], bytes]
    close: Callable[[], object]
    start: int
    total: int | None


class _OnTheWeb(HTTPRedirectHandler):
    """Never to a file of this machine, and from https never to what anybody could have changed on the way."""

    def redirect_request(
        self, request: Request, file: IO[bytes], code: int, message: str, headers: HTTPMessage, new_url: str
    ) -> Request | None:
        scheme = urlsplit(new_url).scheme
        if scheme not in _WEB or (request.type == "https" and scheme != "https"):
            raise HTTPError(
                request.full_url, code, f"a redirect to {without_query(new_url)}, refused", headers, file
            )
        return super().redirect_request(request, file, code, message, headers, new_url)


def open_web(url: str, at: int, timeout_s: float) -> Part:
    """Raises SourceError. The part starts at `at`, or at 0 where the server doesn't know ranges."""
    headers = {"User-Agent": "edge-engine", "Accept-Encoding": "identity"}
    if at:
        headers["Range"] = f"bytes={at}-"
    try:
        response = _opener().open(Request(url, headers=headers), timeout=timeout_s)
    except HTTPError as error:
        with error:
            if error.code == _NO_SUCH_RANGE and at:
                return open_web(url, 0, timeout_s)
            raise SourceError(
                f"{without_query(url)}: the server answers {error.code} {reason_of(error)}"
            ) from None
    except (OSError, HTTPException, ValueError) as error:
        raise SourceError(f"{without_query(url)}: can't be reached: {reason_of(error)}") from None
    start, total = _range(response.status, response.headers)
    if response.status not in (_OK, _PARTIAL) or start not in (0, at):
        response.close()
        raise SourceError(f"{without_query(url)}: the server answers {response.status} with another part")
    return Part(response.read1, response.close, start, total)


def _opener() -> OpenerDirector:
    """Proxies as the environment has them."""
    return build_opener(_OnTheWeb)


def _range(status: int, headers: HTTPMessage) -> tuple[int, int | None]:
    """Where the answer starts, and how long the whole file is."""
    if status != _PARTIAL:
        length = headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    said = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
    if said is None:
        return -1, None
    return int(said[1]), None if said[2] == "*" else int(said[2])


def without_query(url: str) -> str:
    """For messages and records: a query may hold a secret."""
    return url.partition("?")[0].partition("#")[0]


def reason_of(error: BaseException) -> str:
    """In one line, without the numbers and names that urllib puts around it."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return " ".join(str(reason).split()) or type(error).__name__
