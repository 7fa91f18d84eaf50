"""Zones and lines of a real street, through an engine in another process: what it counts is what the slow
reference counts from the boxes and ids that it published."""

from __future__ import annotations

import json
import signal
from collections import Counter as Tally
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_engine.client import Subscriber
from edge_engine.wire import ResultMessage
from tests import clip
from tests.cli.program import run_program, start_program
from tests.reference.zones import Reference, Seen

ZONES = {
    "left": [(0, 0), (240, 0), (240, 273), (0, 273)],
    "right": [(400, 0), (640, 0), (640, 273), (400, 273)],
    "corner": [(100, 272), (320, 100), (540, 272)],
}
LINES = {"middle": [(320, 0), (320, 280)], "bent": [(200, -10), (460, 140), (200, 280)]}
# Between the pictures' times, which are whole multiples of 40 ms.
SETTLE_MS, MAX_LOST_MS = 190, 1010


def configuration(folder: Path, *, is_paced: bool) -> Path:
    def places(shapes: dict[str, list[tuple[int, int]]]) -> dict[str, Any]:
        return {
            name: {"points": points, "unit": "pixels", "settle_ms": SETTLE_MS, "min_score": 0.0}
            for name, points in shapes.items()
        }

    stream = {
        "source": clip.URI,
        "pace": is_paced,
        "loop": is_paced,
        "max_age_ms": 600_000,
        "zones": places(ZONES),
        "lines": places(LINES),
    }
    config = {
        "streams": {"street": stream},
        "tracking": {"max_lost_ms": MAX_LOST_MS, "confirm_after": 2},
        "policy": "live" if is_paced else "lossless",
        "outputs": {
            "zeromq": {"endpoint": f"ipc://{folder}/results"},
            "jsonl": {"path": str(folder / "results.jsonl")},
        },
    }
    path = folder / "street.yaml"
    path.write_text(json.dumps(config))
    return path


def seen_in(result: ResultMessage) -> list[Seen]:
    return [
        Seen(
            row.track_id or 0, row.track_state == "confirmed", ((row.xyxy[0] + row.xyxy[2]) / 2, row.xyxy[3])
        )
        for row in result.objects
    ]


def written(folder: Path) -> list[ResultMessage]:
    lines = (folder / "results.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=ResultMessage) for line in lines]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[ResultMessage]:
    """Of the whole clip, every picture."""
    folder = tmp_path_factory.mktemp("street")
    done = run_program("run", str(configuration(folder, is_paced=False)))
    assert done.returncode == 0, done.stderr
    return written(folder)


def test_a_real_street_counts_as_the_slow_reference_counts_what_was_published(
    results: list[ResultMessage],
) -> None:
    assert len(results) == clip.FRAMES
    reference = Reference(dict(ZONES), dict(LINES), SETTLE_MS, MAX_LOST_MS)
    for result in results:
        told = reference.see(result.seq * 1000 / clip.FPS, seen_in(result))
        got = [(event.direction or event.kind, event.place, event.track_id) for event in result.events]
        assert Tally(got) == Tally((each.kind, each.place, each.track_id) for each in told), result.seq
        assert [sum(zone.inside.values()) for zone in result.zones] == [*map(reference.inside, ZONES)]
    kinds = {each.kind for each in reference.told}
    assert {"appeared", "exited", "lost_inside", "right_to_left"} <= kinds
    assert len(reference.told) >= 10


def test_totals_and_objects_inside_are_in_every_result(results: list[ResultMessage]) -> None:
    events = [event for result in results for event in result.events]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    crossed = Tally((e.place, e.direction, e.label) for e in events if e.kind == "crossed")
    for line in results[-1].lines:
        for direction, tally in (
            ("left_to_right", line.left_to_right),
            ("right_to_left", line.right_to_left),
        ):
            assert tally == {
                label: n for (p, d, label), n in crossed.items() if (p, d) == (line.name, direction)
            }
    for result in results:
        for zone in result.zones:
            assert zone.visits is not None
            assert all(0 <= row < len(result.objects) for row in zone.objects)
            assert zone.density_per_megapixel > 0 or not zone.inside


def test_a_subscriber_gets_each_event_of_a_live_stream_with_its_result(tmp_path: Path) -> None:
    config = configuration(tmp_path, is_paced=True)
    with Subscriber(f"ipc://{tmp_path}/results") as subscriber:
        engine = start_program("run", str(config))
        of_results, taken = [], []
        for result in subscriber.results(timeout_s=60):
            of_results += result.events
            taken += subscriber.events()
            if len(taken) >= 3:
                break
        engine.send_signal(signal.SIGINT)
        engine.communicate(timeout=60)
        assert engine.returncode == 0
    assert len(taken) >= 3
    assert [stream for stream, _ in taken] == ["street"] * len(taken)
    by_number = {event.number: event for result in written(tmp_path) for event in result.events}
    assert [event for _, event in taken] == [by_number[event.number] for _, event in taken]
    assert {event.number for event in of_results} >= {event.number for _, event in taken}
    assert subscriber.stats.missed_events == 0


def test_listen_shows_events_and_prints_them_as_json_when_asked(tmp_path: Path) -> None:
    engine = start_program("run", str(configuration(tmp_path, is_paced=True)))
    endpoint = f"ipc://{tmp_path}/results"
    readable = run_program("listen", endpoint, "--count", "80", "--timeout", "60").stdout
    as_json = run_program("listen", endpoint, "--json", "--events", "--count", "80", "--timeout", "60").stdout
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=60)
    assert any(line.startswith("street: ") and "middle" in line for line in readable.splitlines())
    assert "left: " in readable
    lines = [json.loads(line) for line in as_json.splitlines()]
    events = [line for line in lines if "kind" in line]
    assert all(line["stream"] == "street" for line in lines)
    assert len(events) >= 1
    assert all("objects" in line for line in lines if "kind" not in line)
