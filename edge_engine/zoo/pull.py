"""Pull: fetches a model of the catalogue, or from an address, to where `find_model` finds it by its name."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec.structs import replace

from edge_engine.cache import write_atomically
from edge_engine.errors import ModelError, UsageError
from edge_engine.zoo import entries
from edge_engine.zoo.catalogue import Record, catalogue_records
from edge_engine.zoo.download import Show, Wanted, fetch
from edge_engine.zoo.pulled import NAME, pulled_path, pulled_record, record_path, sha256_of
from edge_engine.zoo.web import without_query

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SCHEMES = ("http", "https", "file")


def _is_address(name: str) -> bool:
    return "://" in name or name.startswith("file:")


def wanted(name_or_url: str, sha256: str | None, name: str | None) -> tuple[str, Record]:
    """What is to be pulled, and under which name. Raises UsageError or ModelError."""
    if sha256 is not None and not _SHA256.fullmatch(sha256.lower()):
        raise UsageError(f"--sha256 {sha256}: expected 64 hexadecimal digits, as sha256sum prints them")
    if _is_address(name_or_url):
        return _from_address(name_or_url, sha256, name)
    known = catalogue_records()
    if name_or_url not in known:
        has = "ships with the package" if name_or_url in entries() else "not in the catalogue"
        raise ModelError(f"model {name_or_url!r}: {has}; to pull there are {', '.join(known)}, or an address")
    record = known[name_or_url]
    if sha256 is not None and sha256.lower() != record.sha256:
        raise UsageError(f"--sha256 {sha256}: the catalogue has {record.sha256} for {name_or_url}")
    return _free(name_or_url if name is None else name, record), record


def _from_address(url: str, sha256: str | None, name: str | None) -> tuple[str, Record]:
    shown = without_query(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"{shown}: not an address: {error}") from None
    if parts.scheme not in _SCHEMES or (parts.scheme == "file") == bool(parts.netloc):
        raise UsageError(f"{shown}: expected http://HOST/PATH, https://HOST/PATH or file:///PATH")
    if "@" in parts.netloc:
        raise UsageError(f"{parts.scheme}://…: an address with a password in it isn't supported")
    if sha256 is None:
        raise UsageError(f"{shown}: --sha256 is missing; a file from elsewhere is taken by its checksum only")
    path = PurePosixPath(unquote(parts.path))
    record = Record(url, sha256.lower(), source=shown, description=path.name)
    return _free(path.stem.lower() if name is None else name, record), record


def _free(name: str, record: Record) -> str:
    """The name, if nothing else has it."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"model name {name!r}: expected letters a-z, digits, '.', '_', '-'; give one with --name"
        )
    others = {known: entry.sha256 for known, entry in entries().items()}
    others |= {known: entry.sha256 for known, entry in catalogue_records().items()}
    pulled = pulled_record(name)
    if pulled is not None and name not in catalogue_records():
        others[name] = pulled.sha256
    if others.get(name, record.sha256) != record.sha256:
        raise UsageError(f"model name {name!r}: is another model's already; give a name with --name")
    return name


def pull(name: str, record: Record, timeout_s: float, show: Show) -> tuple[Path, bool]:
    """The model's file, and whether it had to be fetched: not if the right one is there already.

    Raises SourceError when it can't be had, ModelError for wrong content, UsageError for a disk that won't.
    """
    path = pulled_path(name)
    is_here = path.is_file() and sha256_of(path) == record.sha256
    if not is_here:
        fetch(Wanted(record.url, record.sha256, record.bytes), path, timeout_s, show)
    kept = replace(record, url=without_query(record.url), bytes=path.stat().st_size)
    try:
        if record.sidecar_path is not None and not path.with_suffix(".yaml").exists():
            write_atomically(path.with_suffix(".yaml"), record.sidecar_path.read_bytes())
        write_atomically(record_path(name), msgspec.json.encode(kept))
    except OSError as error:
        raise UsageError(f"{path.parent}: can't be written: {error.strerror}") from None
    return path, not is_here
