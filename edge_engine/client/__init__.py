"""client: what a robot's program imports. It needs neither the engine nor its libraries.

`subscriber` and `controller` are all of it from outside. A subscriber's `connection` brings messages; `inbox`
keeps what they say, and finds by `sequence` what is lost, repeated or foreign; `clocks` tells their age, by
`clock_sync` another machine's; `status` says whether a stream is to be trusted; `credentials` are its keys.
"""

from edge_engine.client.controller import DEFAULT_CONTROL_ENDPOINT, Controller
from edge_engine.client.events import StreamEvent
from edge_engine.client.inbox import Stats
from edge_engine.client.status import Status
from edge_engine.client.subscriber import DEFAULT_ENDPOINT, Subscriber

__all__ = [
    "DEFAULT_CONTROL_ENDPOINT",
    "DEFAULT_ENDPOINT",
    "Controller",
    "Stats",
    "Status",
    "StreamEvent",
    "Subscriber",
]
