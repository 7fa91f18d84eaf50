"""MultipartParser: the parts of a multipart/x-mixed-replace body, as MJPEG cameras send it (RFC 2046, 5.1).

Servers take the format lightly: a boundary is announced with or without its dashes and quotes, lines end in
LF alone, a part's length is told or not. All of that is read. What is too long to be a picture's is an error.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_PART = 64 * 2**20
LONGEST_HEADERS = 16 * 2**10
"""In bytes: a server that sends more without an end of it would fill the memory."""

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


class MultipartError(ValueError):
    """This is no such body, or an endless part of one."""


class Part(NamedTuple):
    """`began_ns`: when its body's first byte was fed; many servers send the delimiter long before that, with
    the part before it. Names of headers are in lower case."""

    headers: dict[str, str]
    body: bytes
    began_ns: int


class MultipartParser:
    def __init__(self, content_type: str) -> None:
        """Raises MultipartError where the header names no boundary."""
        found = re.search(r'boundary="?([^";\r\n]+)"?', content_type, re.IGNORECASE)
        name = found[1].strip().lstrip("-") if found else ""
        if not name:
            raise MultipartError(f"no boundary in {content_type[:100]!r}")
        self._delimiter = b"--" + name.encode("latin-1", "replace")
        self._data = bytearray()
        self._began_ns: int | None = None
        self._headers: dict[str, str] | None = None
        self._searched = 0  # where no delimiter begins before

    def feed(self, data: bytes, now_ns: int) -> list[Part]:
        """The parts that are whole with this. Raises MultipartError."""
        self._data += data
        parts: list[Part] = []
        while True:
            if self._headers is None and not self._read_headers():
                return parts
            if self._began_ns is None and self._data:
                self._began_ns = now_ns
            part = self._read_body(now_ns)
            if part is None:
                return parts
            parts.append(part)

    def _read_headers(self) -> bool:
        """Whether they are there; what stands before the delimiter is no part's."""
        at = self._data.find(self._delimiter)
        if at < 0:
            del self._data[: max(0, len(self._data) - len(self._delimiter))]
            return False
        del self._data[:at]
        first_line = self._data.find(b"\n")
        end = None if first_line < 0 else _END_OF_HEADERS.search(self._data, max(first_line - 1, 0))
        if end is None:
            if len(self._data) > LONGEST_HEADERS:
                raise MultipartError(f"the headers of a part are longer than {LONGEST_HEADERS} bytes")
            return False
        lines = bytes(self._data[first_line + 1 : end.start()]).decode("latin-1").splitlines()
        pairs = (line.partition(":") for line in lines if ":" in line)
        self._headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        del self._data[: end.end()]
        self._searched = 0
        return True

    def _read_body(self, now_ns: int) -> Part | None:
        """The part that is begun; None while some of it is missing."""
        assert self._headers is not None
        length = self._headers.get("content-length", "")
        end = int(length) if length.isdecimal() and len(length) < 12 else self._find_end()
        if max(end, len(self._data) if end < 0 else 0) > LONGEST_PART:
            raise MultipartError(f"a part is longer than {LONGEST_PART} bytes")
        if end < 0 or len(self._data) < end:
            return None
        part = Part(self._headers, bytes(self._data[:end]), self._began_ns or now_ns)
        del self._data[:end]
        self._headers = self._began_ns = None
        return part

    def _find_end(self) -> int:
        """Of a part that doesn't tell its length: the line end before the next delimiter; -1 for not yet."""
        at = self._data.find(self._delimiter, self._searched)
        if at < 0:
            self._searched = max(0, len(self._data) - len(self._delimiter))
            return -1
        return (
            at - 2
            if self._data[at - 2 : at] == b"\r\n"
            else at - 1
            if self._data[at - 1 : at] == b"\n"
            else at
        )
