"""Download: a file from the network is seen under its name only whole and with the right SHA-256.

1. What has come so far lies in the target's folder as `.SHA256.part`, locked while somebody writes it.
2. A download that was cut off goes on from there, in the same run or in a later one; a server that doesn't
   know ranges (RFC 9110, 14) sends all of it anew.
3. Whole, it is hashed from the disk, flushed, and renamed: there is no moment with half a file.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from edge_engine.errors import ModelError, SourceError, UsageError
from edge_engine.zoo.pulled import sha256_of
from edge_engine.zoo.web import Part, open_web, reason_of, without_query

Show = Callable[[int, int | None], None]
"""Bytes so far, and bytes in all where that is known."""

_BLOCK = 64 * 1024
_TRIES = 5
# protobuf's own limit on a message, and so on an ONNX file.
_MOST_BYTES = 2**31


class Wanted(NamedTuple):
    """`url`: http, https or file. `sha256` in lower case. `bytes` where known."""

    url: str
    sha256: str
    bytes: int | None = None


class _CutOff(Exception):  # noqa: N818
    """The connection ended before the file did."""


def fetch(wanted: Wanted, target: Path, timeout_s: float, show: Show) -> None:
    """Puts it under `target`. `timeout_s`: give up when so long brings less than 64 kB.

    Raises SourceError when it can't be had, ModelError for wrong content, UsageError for a disk that won't.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.parent / f".{wanted.sha256}.part"
        with _locked(partial) as file:
            _complete_and_check(wanted, file, partial, timeout_s, show)
            os.fsync(file.fileno())
            partial.replace(target)
    except OSError as error:
        raise UsageError(f"{target}: can't be written: {error.strerror or error}") from None


@contextmanager
def _locked(partial: Path) -> Iterator[BinaryIO]:
    """The partial file, ours alone."""
    with partial.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_still_there = partial.exists() and os.path.samestat(os.fstat(file.fileno()), partial.stat())
        except BlockingIOError:
            is_still_there = False
        if not is_still_there:
            raise UsageError(f"{partial}: another download of this file is under way; wait for it to end")
        try:
            yield file
        finally:
            if partial.exists() and partial.stat().st_size == file.tell() == 0:
                partial.unlink()


def _complete_and_check(wanted: Wanted, file: BinaryIO, partial: Path, timeout_s: float, show: Show) -> None:
    was_begun = file.seek(0, os.SEEK_END) > 0
    if was_begun and sha256_of(partial) == wanted.sha256:
        return
    _complete(wanted, file, timeout_s, show)
    found = sha256_of(partial)
    if found != wanted.sha256 and was_begun:  # what was left from before may be what is wrong
        file.truncate(0)
        _complete(wanted, file, timeout_s, show)
        found = sha256_of(partial)
    if found != wanted.sha256:
        partial.unlink()
        raise ModelError(
            f"{without_query(wanted.url)}: expected SHA-256 {wanted.sha256}, found {found}; nothing was kept"
        )


def _complete(wanted: Wanted, file: BinaryIO, timeout_s: float, show: Show) -> None:
    """All of it, in several goes if need be, as long as each brings some; on the disk in the end."""
    for _ in range(_TRIES):
        at = file.seek(0, os.SEEK_END)
        try:
            _go_on(wanted, file, timeout_s, show)
            return file.flush()
        except _CutOff as cut:
            said = str(cut)
            if file.seek(0, os.SEEK_END) <= at:
                break
    raise SourceError(f"{without_query(wanted.url)}: {said}; the same command goes on from there")


def _go_on(wanted: Wanted, file: BinaryIO, timeout_s: float, show: Show) -> None:
    at = file.seek(0, os.SEEK_END)
    with closing(_open(wanted.url, at, timeout_s)) as part:
        total = wanted.bytes if wanted.bytes is not None else part.total
        if part.total not in (None, total):
            raise ModelError(f"{without_query(wanted.url)}: has {part.total} bytes, expected {total}")
        if part.start != at:
            file.truncate(part.start)
        _copy(part, file, without_query(wanted.url), total, timeout_s, show)
        done = file.seek(0, os.SEEK_END)
    if total is not None and done < total:
        raise _CutOff(f"ended after {done} of {total} bytes")


def _open(url: str, at: int, timeout_s: float) -> Part:
    if urlsplit(url).scheme != "file":
        return open_web(url, at, timeout_s)
    path = Path(url2pathname(urlsplit(url).path))
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {error.strerror}") from None
    return Part(file.read, file.close, 0, path.stat().st_size)


def _copy(part: Part, file: BinaryIO, shown: str, total: int | None, timeout_s: float, show: Show) -> None:
    most = _MOST_BYTES if total is None else total
    done = file.seek(0, os.SEEK_END)
    mark, since_s = done, time.monotonic()
    while True:
        try:
            block = part.read(_BLOCK)
        except TimeoutError:
            raise SourceError(f"{shown}: nothing came for {timeout_s:g} s, after {done} bytes") from None
        except (OSError, HTTPException) as error:
            raise _CutOff(f"{reason_of(error)} after {done} bytes") from None
        if not block:
            return
        done += len(block)
        if done > most:
            raise ModelError(f"{shown}: sends more than the {most} bytes that were expected")
        file.write(block)
        show(done, total)
        if done - mark >= _BLOCK:
            mark, since_s = done, time.monotonic()
        elif time.monotonic() - since_s > timeout_s:
            raise SourceError(f"{shown}: too slow: less than 64 kB in {timeout_s:g} s, after {done} bytes")
