"""ModelForms: which form of a model a stream's pictures go through, and when it is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_engine.errors import ModelError
from edge_engine.models.forms import Aspect, ModelForms, aspect_of
from edge_engine.models.model import Model
from tests.models.test_narrow import baked

WIDE, TALL, SQUARE = (1280, 720), (720, 1280), (480, 480)


class Loader:
    """Loads the real model, and notes what it was asked for; forms wait for `go`."""

    def __init__(self, path: Path) -> None:
        self.asked: list[Aspect | None] = []
        self.go = threading.Event()
        self.go.set()
        self._path = path

    def __call__(self, aspect: Aspect | None) -> Model:
        self.asked.append(aspect)
        if aspect is not None:
            assert self.go.wait(20)
        return Model(self._path, aspect=aspect)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return baked(tmp_path_factory.mktemp("forms") / "baked.onnx")


def forms_of(loader: Loader, expected: list[Any], **terms: Any) -> ModelForms:  # noqa: ANN401
    given = {"trims": True, "waits": False, "is_known": lambda _: False, "prepare": lambda _: None} | terms
    return ModelForms(loader, expected=expected, **given)


def height(model: Model) -> int:
    return model.spec.input.height


def becomes(read: Callable[[], int], expected: int) -> bool:
    """Whether a value shows up within 20 s."""
    step = threading.Event()
    return any(read() == expected or step.wait(0.02) for _ in range(1000)) and read() == expected


def test_one_that_may_wait_has_its_forms_before_it_starts_and_no_whole_model(path: Path) -> None:
    loader = Loader(path)
    forms = forms_of(loader, [WIDE, (640, 360)], waits=True)
    assert loader.asked == [(16, 9)], "one form for both, as they have one shape"
    assert height(forms.first) == 96
    assert forms.of(WIDE) is forms.of((640, 360)) is forms.first


def test_a_live_one_runs_the_whole_model_until_the_form_is_there(path: Path) -> None:
    loader = Loader(path)
    loader.go.clear()
    forms = forms_of(loader, [None])
    assert loader.asked == [None]
    for _ in range(5):
        assert forms.of(WIDE) is forms.whole
    loader.go.set()
    assert becomes(lambda: height(forms.of(WIDE)), 96)
    assert loader.asked == [None, (16, 9)]


def test_a_form_that_is_known_is_taken_at_once(path: Path) -> None:
    loader = Loader(path)
    assert height(forms_of(loader, [WIDE], is_known=lambda aspect: aspect == (16, 9)).first) == 96
    assert loader.asked == [(16, 9)]


def test_a_shape_that_nothing_can_be_spared_for_keeps_the_whole_model_and_says_why(path: Path) -> None:
    forms = forms_of(Loader(path), [SQUARE], waits=True)
    assert forms.of(SQUARE) is forms.whole is forms.first
    assert "pictures of 1x1 leave none" in forms.kept[1, 1]


def test_without_trimming_all_go_through_the_whole_model(path: Path) -> None:
    loader = Loader(path)
    forms = forms_of(loader, [WIDE, None], trims=False)
    assert forms.of(WIDE) is forms.of(TALL) is forms.first
    assert loader.asked == [None]


def test_a_change_of_shape_in_mid_stream_goes_through_a_form_of_its_own(path: Path) -> None:
    forms = forms_of(Loader(path), [WIDE], is_known=lambda _: True)
    assert height(forms.of(TALL)) == 128
    assert becomes(lambda: forms.of(TALL).spec.input.width, 96)
    assert height(forms.of(WIDE)) == 96


def test_many_shapes_get_no_more_than_four_forms(path: Path) -> None:
    prepared: list[Aspect] = []
    forms = forms_of(Loader(path), [None], prepare=prepared.append)
    forms.close()
    for width in range(100, 110):
        assert forms.of((width, 50)) is forms.whole
    assert becomes(lambda: len(prepared), 4)


@pytest.mark.parametrize(("expected", "shared"), [([WIDE, WIDE], 96), ([WIDE, TALL], 128), ([None], 128)])
def test_pictures_that_share_a_batch_share_a_form(path: Path, expected: list[Any], shared: int) -> None:
    forms = forms_of(Loader(path), expected, is_shared=True)
    assert {height(forms.of(size)) for size in (WIDE, TALL, SQUARE)} == {shared}


def test_nothing_is_loaded_after_the_end(path: Path) -> None:
    loader, prepared, go = Loader(path), threading.Event(), threading.Event()

    def prepare(_: Aspect) -> None:
        assert go.wait(20)
        prepared.set()

    forms = forms_of(loader, [None], prepare=prepare)
    forms.of(WIDE)
    forms.close()
    go.set()
    assert prepared.wait(20)
    for thread in threading.enumerate():
        if thread.name == "trim":
            thread.join(20)
    assert loader.asked == [None]


def test_why_a_form_can_not_be_made_is_kept(path: Path) -> None:
    def prepare(aspect: Aspect) -> None:
        raise ModelError(f"no form for {aspect}")

    forms = forms_of(Loader(path), [None], prepare=prepare)
    forms.of(WIDE)
    assert becomes(lambda: len(forms.kept), 1)
    assert forms.kept == {(16, 9): "no form for (16, 9)"}
    assert forms.of(WIDE) is forms.whole


def test_a_model_that_can_not_be_loaded_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model file"):
        forms_of(Loader(tmp_path / "none.onnx"), [None])


def test_pictures_of_one_shape_have_one_aspect_ratio() -> None:
    assert aspect_of((1280, 720)) == aspect_of((1920, 1080)) == (16, 9)
    assert aspect_of((641, 480)) == (641, 480)
