"""client: what a controller imports. It needs neither the engine nor its libraries.

`subscriber` is all of it from outside; `sequence` finds what is lost, repeated or foreign, `clock_sync`
compares two machines' clocks, `status` says whether a stream is to be trusted.
"""

from edge_engine.client.status import Status
from edge_engine.client.subscriber import DEFAULT_ENDPOINT, Stats, Subscriber

__all__ = ["DEFAULT_ENDPOINT", "Stats", "Status", "Subscriber"]
