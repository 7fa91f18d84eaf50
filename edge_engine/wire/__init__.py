"""The message format: encode, decode, check.

A message is one ZeroMQ frame:

    topic  NUL  payload  crc32

`topic` is `result/<stream>`, `event/<stream>`, `health/<stream>` or `describe/<stream>`: first, so that
ZeroMQ's prefix filter works; of questions and answers it is `clock` or `control`. `payload` is MessagePack, a
map with named fields. `crc32` is zlib's CRC-32 of everything before it, 4 bytes, big-endian. One frame, not
several: CONFLATE would tear them apart. Fields are only ever added, with defaults, so that older clients go
on working.

`messages` is what an engine publishes, `control` what it may be told and asked, `summary` how it is doing.
"""

from edge_engine.wire.control import (
    LONGEST_REQUEST,
    BadCommandError,
    Command,
    ControlReply,
    ControlRequest,
    GetStatistics,
    Pause,
    Resume,
    SetClasses,
    SetThresholds,
    Snapshot,
    TakeSnapshot,
    UseModel,
    command_name,
    decode_reply,
    decode_request,
    encode_control,
)
from edge_engine.wire.messages import (
    HEARTBEAT_NS,
    WIRE_VERSION,
    ClockReply,
    ClockRequest,
    Counters,
    DescribeMessage,
    EventMessage,
    EventRow,
    GeometryRow,
    HealthMessage,
    LineRow,
    Mask,
    Message,
    ObjectRow,
    ResultMessage,
    SegmentationRows,
    TagRow,
    VisitsRow,
    ZoneRow,
    decode,
    decode_clock,
    encode,
    encode_clock,
    topic_of,
)
from edge_engine.wire.sealing import ForeignError, WireError
from edge_engine.wire.summary import LatencySummary, StageSummary, StreamSummary, Summary

__all__ = [
    "HEARTBEAT_NS",
    "LONGEST_REQUEST",
    "WIRE_VERSION",
    "BadCommandError",
    "ClockReply",
    "ClockRequest",
    "Command",
    "ControlReply",
    "ControlRequest",
    "Counters",
    "DescribeMessage",
    "EventMessage",
    "EventRow",
    "ForeignError",
    "GeometryRow",
    "GetStatistics",
    "HealthMessage",
    "LatencySummary",
    "LineRow",
    "Mask",
    "Message",
    "ObjectRow",
    "Pause",
    "ResultMessage",
    "Resume",
    "SegmentationRows",
    "SetClasses",
    "SetThresholds",
    "Snapshot",
    "StageSummary",
    "StreamSummary",
    "Summary",
    "TagRow",
    "TakeSnapshot",
    "UseModel",
    "VisitsRow",
    "WireError",
    "ZoneRow",
    "command_name",
    "decode",
    "decode_clock",
    "decode_reply",
    "decode_request",
    "encode",
    "encode_clock",
    "encode_control",
    "topic_of",
]
