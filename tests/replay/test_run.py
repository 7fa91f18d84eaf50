"""Replays: the same frames, the same answers, and what differs is found where it is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader
from mcap.writer import Writer

from edge_engine.config import Config, StreamConfig
from edge_engine.errors import SourceError
from edge_engine.outputs.mcap import recordable
from edge_engine.recording.header import RECORDING, as_metadata
from edge_engine.recording.reading import RecordingReader
from edge_engine.replay.comparing import Tolerances
from edge_engine.replay.report import ReplayReport
from edge_engine.replay.run import replay
from edge_engine.replay.survey import config_of, survey
from edge_engine.wire import ResultMessage
from tests.recording.streets import record_street

DEFAULTS = Tolerances()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames, tracked."""
    return record_street(tmp_path_factory.mktemp("recordings") / "street.mcap")


def checked(file: Path, stream: str | None = None, tolerances: Tolerances = DEFAULTS) -> ReplayReport:
    found = survey(file, stream)
    return replay(config_of(found), found, tolerances, lambda: None).report


def test_replays_give_the_same_bytes_each_time(street: Path) -> None:
    reports = [checked(street) for _ in range(2)]
    assert [each.has_drifted for each in reports] == [False, False]
    assert [each.streams["street"].compared for each in reports] == [40, 40]
    assert len({each.streams["street"].answers_sha256 for each in reports}) == 1


@pytest.mark.parametrize("model", ["selfie", "efficientnet-lite0"])
def test_every_kind_of_answer_is_compared(tmp_path: Path, model: str) -> None:
    file = record_street(tmp_path / "a.mcap", frames=4, model=model)
    exact = Tolerances(iou=1.0, score=0.0, share=0.0, keypoint=0.0)
    assert checked(file, tolerances=exact).has_drifted is False
    found = survey(file)
    found.streams["street"].results[2] = msgspec.structs.replace(
        found.streams["street"].results[2], objects=[], tags=[], segmentation=None
    )
    report = replay(config_of(found), found, exact, lambda: None).report
    assert [each.seq for each in report.worst] == [2]


def changed(file: Path, out: Path, *, scores_of: int, drops: int) -> Path:
    """The recording with other scores in one frame's result, and another one's left out."""
    reader = RecordingReader(file)
    reader.close()
    names: dict[int, str] = {}
    with file.open("rb") as source, out.open("wb") as target:
        writer = Writer(target)
        writer.start()
        writer.add_metadata(RECORDING, as_metadata(reader.header))
        schemas: dict[int, Schema] = {}
        for record in StreamReader(source).records:
            if isinstance(record, Schema) and record.id not in schemas:
                schemas[record.id] = record
                writer.register_schema(record.name, record.encoding, record.data)
            elif isinstance(record, Channel) and record.id not in names:
                names[record.id] = schemas[record.schema_id].name
                writer.register_channel(record.topic, record.message_encoding, record.schema_id)
            elif isinstance(record, Message):
                data: bytes | None = record.data
                if names[record.channel_id] == "edge_engine.Result":
                    data = _changed_result(record.data, scores_of, drops)
                if data is not None:
                    writer.add_message(record.channel_id, record.log_time, data, record.publish_time)
        writer.finish()
    return out


def _changed_result(data: bytes, scores_of: int, drops: int) -> bytes | None:
    result = msgspec.json.decode(data, type=ResultMessage)
    if result.seq == drops:
        return None
    if result.seq != scores_of:
        return data
    rows = [msgspec.structs.replace(row, score=0.99) for row in result.objects]
    return msgspec.json.encode(msgspec.structs.replace(result, objects=rows))


def test_drift_that_was_put_in_is_found_in_its_frame(street: Path, tmp_path: Path) -> None:
    file = changed(street, tmp_path / "a.mcap", scores_of=33, drops=20)
    report = checked(file)
    assert report.has_drifted is True
    assert [(each.stream, each.seq) for each in report.worst] == [("street", 33)]
    assert set(report.streams["street"].kinds) == {"score"}
    assert report.streams["street"].unrecorded == 1
    assert checked(file, tolerances=Tolerances(score=0.9)).has_drifted is False


def test_a_recording_that_was_cut_off_is_replayed_up_to_there(street: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(street.read_bytes()[:4_300_000])
    report = checked(cut)
    assert 0 < report.streams["street"].frames < 40
    assert report.broken_at is not None
    assert report.has_drifted is False


def test_one_stream_of_several(tmp_path: Path) -> None:
    file = record_street(tmp_path / "a.mcap", "front", "rear", frames=8)
    assert list(checked(file).streams) == ["front", "rear"]
    assert list(checked(file, "rear").streams) == ["rear"]
    with pytest.raises(SourceError, match="no stream 'left'; those it has: front, rear"):
        survey(file, "left")


def test_a_recording_without_frames_can_be_replayed_by_nobody(tmp_path: Path) -> None:
    file = record_street(tmp_path / "a.mcap", frames=3, kept="none")
    with pytest.raises(SourceError, match="holds no frames of street; record with --frames all"):
        survey(file)


def test_fewer_frames_are_compared_without_their_tracks(tmp_path: Path) -> None:
    """Between two of them a tracker saw more than it does now."""
    report = checked(record_street(tmp_path / "a.mcap", kept="every:3"))
    assert (report.streams["street"].compared, report.has_drifted) == (14, False)


def test_credentials_are_not_recorded() -> None:
    config = Config(streams={"a": StreamConfig(source="rtsp://me:secret@camera/1")})
    assert b"secret" not in msgspec.json.encode(recordable(config))
