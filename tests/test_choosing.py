"""Choosing: each stream publishes the classes that are asked of it, from their scores on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_engine.config import Config, StreamConfig, parse_config
from edge_engine.engine import Engine
from edge_engine.errors import ConfigError, ModelError
from edge_engine.pictures import known_pictures

PICTURES = known_pictures()["chelsea"].path.parent
"""A person among things, a cat that is a dog at second sight, a cup on a table."""


def config_of(streams: dict[str, dict[str, Any]], **engine: Any) -> Config:  # noqa: ANN401
    made = {
        name: StreamConfig(source=str(PICTURES), pace=False, max_age_ms=600_000, **stream)
        for name, stream in streams.items()
    }
    return Config(streams=made, policy="lossless", **engine)


def found(config: Config) -> dict[str, dict[str, float]]:
    """The lowest score of each label, by stream."""
    seen: dict[str, dict[str, float]] = {name: {} for name in config.streams}
    with Engine(config) as engine:
        for result in engine.results():
            for label, score in zip(result.names(), result.objects.scores.tolist(), strict=True):
                seen[result.stream][label] = min(score, seen[result.stream].get(label, 1.0))
    return seen


def test_each_stream_gets_its_own_classes_and_the_engines_else() -> None:
    streams = {"all": {}, "cats": {"classes": ("cat",)}, "by_number": {"classes": (15, 0)}}
    seen = found(config_of(streams, classes=("Person", "cat", "dog"), score_threshold=0.2))
    assert set(seen["all"]) == {"person", "cat", "dog"}
    assert set(seen["cats"]) == {"cat"}
    assert set(seen["by_number"]) == {"person", "cat"}


def test_thresholds_hold_by_label_and_what_is_said_of_a_stream_wins() -> None:
    streams: dict[str, dict[str, Any]] = {
        "engines": {},
        "both": {"label_thresholds": {"dog": 0.5}},
        "own": {"score_threshold": 0.1},
    }
    seen = found(config_of(streams, label_thresholds={"person": 0.5}, score_threshold=0.2))
    assert seen["engines"]["person"] >= 0.5
    assert 0.2 <= seen["engines"]["dog"] < 0.5
    assert seen["both"]["person"] >= 0.5
    assert "dog" not in seen["both"]
    assert 0.1 <= seen["own"]["person"] < 0.5, "what is said of the stream sets aside the engine's"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("classes: [person, cra]", "classes: 'cra' is none of its 80 labels; did you mean \"car\"?"),
        ("label_thresholds: {dgo: 0.5}", "label_thresholds: 'dgo' is none of its 80 labels"),
        ("labels: [a, b]", "2 labels were given; it has 80 classes"),
    ],
)
def test_a_name_that_is_wrong_is_one_line_before_any_source_opens(text: str, line: str) -> None:
    config = parse_config("streams: {front: {source: no-such-file.mp4}}\n" + text, "x.yaml")
    with pytest.raises((ConfigError, ModelError)) as caught:
        Engine(config)
    assert line in str(caught.value)
    assert "model nanodet-g" in str(caught.value) or "nanodet-g-416-int8.onnx" in str(caught.value)


def test_a_streams_wrong_name_is_told_with_the_stream() -> None:
    config = parse_config("streams: {front: {source: no-such-file.mp4, classes: [perso]}}", "x.yaml")
    with pytest.raises(ConfigError, match=r"stream front, model .*: classes: 'perso' .*did you mean"):
        Engine(config)


def test_labels_may_come_from_a_file_and_name_the_classes_anew(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("".join(f"thing {i}\n" for i in range(80)))
    config = config_of({"street": {"classes": ("thing 15",)}}, labels_file=str(names))
    assert set(found(config)["street"]) == {"thing 15"}


def test_labels_and_a_file_of_them_are_one_too_many() -> None:
    config = config_of({"street": {}}, labels=("a",), labels_file="names.txt")
    with pytest.raises(ConfigError, match="expected one of them"):
        Engine(config)
