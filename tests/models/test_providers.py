"""Providers: one that was asked for and can't be had is an error with the reason, never another one."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from edge_engine.errors import ModelError, ProviderError
from edge_engine.models.model import Model
from edge_engine.models.providers import PROVIDERS, Setting, candidates, import_runtime, why_not
from edge_engine.models.session import open_session
from edge_engine.zoo import find_model

MODEL = find_model("nanodet-g")


def test_auto_is_the_best_that_is_there() -> None:
    there = set(onnxruntime.get_available_providers())
    first = next(name for name, provider in PROVIDERS.items() if provider.name in there)
    assert candidates(import_runtime(), "auto")[0] == first


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "cpu"])
def test_one_that_is_not_in_this_runtime_says_where_it_comes_from(name: str) -> None:
    if PROVIDERS[name].name in onnxruntime.get_available_providers():
        pytest.skip("this runtime has it")
    with pytest.raises(ProviderError, match=f"provider '{name}' is not in this build") as raised:
        open_session(MODEL, Setting(provider=name))
    assert PROVIDERS[name].package in str(raised.value)


def test_an_unknown_one_names_those_that_are_known() -> None:
    with pytest.raises(ProviderError, match=r"provider 'warp' is not known; expected one of auto, tensorrt"):
        open_session(MODEL, Setting(provider="warp"))


def test_a_library_that_cannot_be_loaded_gives_the_linkers_reason(tmp_path: Path) -> None:
    """As it is when CUDA is missing: the runtime has the provider, its library doesn't load."""
    capi = tmp_path / "capi"
    capi.mkdir()
    runtime = SimpleNamespace(__file__=str(tmp_path / "__init__.py"))
    library = capi / "libonnxruntime_providers_cuda.so"
    library.write_bytes(b"not a library")
    reason = why_not(runtime, "cuda")
    assert reason is not None
    assert library.name in reason
    shutil.copy(next((Path(onnxruntime.__file__).parent / "capi").glob("*.so")), library)
    assert why_not(runtime, "tensorrt") is None


@pytest.mark.parametrize("optimisation", ["basic", "extended", "all"])
@pytest.mark.parametrize("spinning", [False, True])
def test_every_setting_finds_the_same(optimisation: str, spinning: bool) -> None:
    plain = Model(MODEL)
    model = Model(MODEL, Setting(workers=2, threads=2, spinning=spinning, optimisation=optimisation))  # type: ignore[arg-type]
    tensor = plain.new_input()
    tensor[:] = np.random.default_rng(3).integers(0, 255, tensor.shape)
    found = []
    for each in (plain, model):
        outputs = each.new_outputs()
        each.run(each.bind(tensor, outputs))
        found.append(outputs)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3 if optimisation == "all" else 0.5)


def test_a_file_that_is_no_model_is_the_models_fault(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="not a model"):
        open_session(tmp_path / "x.onnx", Setting())
