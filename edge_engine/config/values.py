"""Values: what a configuration's fields may hold, with the words for it in errors."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from edge_engine.yaml.struct import NUMBERS_TOO

_PORT = r"(\*|[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST = r"([^\s/:\[\]]+|\[[0-9a-fA-F:.]+(%[\w.-]+)?\])"
_ADDRESS = rf"^{_HOST}:{_PORT}\Z"
_ENDPOINT = rf"^(tcp://{_HOST}:{_PORT}|ipc://.+)\Z"
_ENDPOINTS = "tcp://HOST:PORT (0 to 65535, or *) or ipc://PATH"
_FRAMES = r"^(all|every:[1-9][0-9]{0,5}|none)\Z"
_MAVLINK = rf"^((udpout|udpin|tcp):{_HOST}:[0-9]{{1,5}}|/[^:]+)\Z"
_MAVLINKS = "udpout:HOST:PORT, udpin:HOST:PORT, tcp:HOST:PORT or a serial device such as /dev/ttyACM0"
_NAME = r"^[A-Za-z0-9_-]{1,64}\Z"
_NAMES = "name of up to 64 letters, digits, - or _"
_TOPIC = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z"
_TOPICS = "letters, digits, - or _, in levels with / between them"

Milliseconds = Annotated[int, Meta(ge=1, le=600_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Metres = Annotated[float, Meta(ge=0.01, le=1000)]
Pixels = Annotated[float, Meta(ge=1, le=100_000)]
Side = Annotated[int, Meta(ge=2, le=65_535)]
Deviation = Annotated[float, Meta(ge=0, le=90)]
ViewAngle = Annotated[float, Meta(ge=1, le=170)]
Core = Annotated[int, Meta(ge=0, le=4095)]
CoreList = Annotated[tuple[Core, ...], Meta(min_length=1, description="a list of cores such as [2, 3]")]

SourceText = Annotated[str, Meta(min_length=1, description="a source's URI", extra=NUMBERS_TOO)]
StreamName = Annotated[str, Meta(pattern=_NAME, description=f"a stream's {_NAMES}")]
PlaceName = Annotated[str, Meta(pattern=_NAME, description=f"a zone's or line's {_NAMES}")]
ModelName = Annotated[str, Meta(min_length=1, description="a zoo model's name or an ONNX file")]
FilePath = Annotated[str, Meta(min_length=1, description="a file's path")]
RecordedFrames = Annotated[str, Meta(pattern=_FRAMES, description="all, every:N or none")]
KeysFolder = Annotated[str, Meta(min_length=1, description="a folder of edge-engine keygen")]
Endpoint = Annotated[str, Meta(pattern=_ENDPOINT, description=_ENDPOINTS)]
Address = Annotated[str, Meta(pattern=_ADDRESS, description="HOST:PORT (0 to 65535, or *)")]
Origin = Annotated[
    str, Meta(pattern=r"^https?://[^/\s]+\Z", description="a web site such as http://robot.local")
]
TopicPrefix = Annotated[str, Meta(pattern=_TOPIC, description=_TOPICS)]
AutopilotConnection = Annotated[str, Meta(pattern=_MAVLINK, description=_MAVLINKS)]
