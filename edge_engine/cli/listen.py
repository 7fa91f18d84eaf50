"""edge-engine listen: what a controller would receive, readably."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import zmq
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from edge_engine.cli.screen import in_percent, make_screen
from edge_engine.client import DEFAULT_ENDPOINT, Subscriber
from edge_engine.errors import SourceError, UsageError
from edge_engine.wire import EventRow, ResultMessage

_LOOK_S = 0.25
_MS_PER_S = 1000


def listen(
    endpoint: Annotated[str, typer.Argument(help="Where an engine publishes.")] = DEFAULT_ENDPOINT,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    server_key: Annotated[Path | None, typer.Option(help="An engine with keys: its server.key.")] = None,
    client_key: Annotated[Path | None, typer.Option(help="And this client's NAME.key_secret.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many results.")] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Give up after so many seconds without a result (exit 3).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    events: Annotated[
        bool,
        typer.Option("--events", help="With --json: also events of zones and lines, a line each."),
    ] = False,
) -> None:
    """Print live results as they arrive; Ctrl-C ends it."""
    screen, notes = make_screen(), make_screen(stderr=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with _connect(endpoint, stream, server_key, client_key) as subscriber:
        try:
            notes.print(escape(f"listening on {endpoint}; Ctrl-C ends"))
            _print_results(subscriber, screen, notes, count, timeout, as_json, events)
        except KeyboardInterrupt:
            count = None
        _print_stats(subscriber, notes)
        received = subscriber.stats.received
    if count is not None and received < count:
        raise SourceError(f"{endpoint}: {received} of {count} results came; is an engine publishing there?")


def _connect(
    endpoint: str, stream: str | None, server_key: Path | None, client_key: Path | None
) -> Subscriber:
    try:
        return Subscriber(endpoint, stream, server_key=server_key, client_key=client_key)
    except zmq.ZMQError as error:
        raise UsageError(
            f"can't connect to {endpoint!r}: {error.strerror}; expected something like {DEFAULT_ENDPOINT}"
        ) from None


def _print_results(
    subscriber: Subscriber,
    screen: Console,
    notes: Console,
    count: int | None,
    timeout_s: float | None,
    as_json: bool,
    with_events: bool,
) -> None:
    watch, heard_s, shown = _Watch(subscriber, notes), time.monotonic(), 0
    while True:
        left_s = _LOOK_S if timeout_s is None else heard_s + timeout_s - time.monotonic()
        for result in subscriber.results(max(0.0, min(left_s, _LOOK_S))):
            heard_s = time.monotonic()
            if as_json:
                typer.echo(msgspec.json.encode(result))
            else:
                screen.print(_line(result, subscriber.age_ms(result)))
            if with_events or not as_json:
                _print_events(subscriber, screen, as_json)
            shown += 1
            if shown == count:
                return
            watch.look()
        watch.look()
        if timeout_s is not None and time.monotonic() >= heard_s + timeout_s:
            return


def _print_events(subscriber: Subscriber, screen: Console, as_json: bool) -> None:
    for stream, event in subscriber.events():
        if as_json:
            typer.echo(msgspec.json.encode({"stream": stream, **msgspec.structs.asdict(event)}))
        else:
            screen.print(_event_line(stream, event))


class _Watch:
    """Says when a stream is not to be trusted any more, and when it is again."""

    def __init__(self, subscriber: Subscriber, notes: Console) -> None:
        self._subscriber = subscriber
        self._notes = notes
        self._was: dict[str, tuple[bool, ...]] = {}

    def look(self) -> None:
        for stream in self._subscriber.health:
            status = self._subscriber.status(stream)
            now = (status.alive, status.fresh, status.rate_ok, status.valid)
            if now != self._was.setdefault(stream, (True, True, True, True)):
                self._was[stream] = now
                self._notes.print(escape(f"{stream}: {status.reason or 'well again'}"))


def _line(result: ResultMessage, age_ms: float | None) -> Text:
    """street #812  age 9.1 ms  person 0.83 [12 40 88 210]  …

    Tags without a box, of a segmentation each label's share of the picture: tabby 0.83 or road 41 %, car 7 %.
    """
    age = "age unknown" if age_ms is None else f"age {age_ms:.1f} ms"
    line = Text.assemble((result.stream, "bold"), f" #{result.seq}", (f"  {age}", "dim"))
    if not result.valid:
        line.append(f"  not valid: {result.reason}", "red")
    if not (result.objects or result.tags or result.segmentation):
        line.append("  nothing seen", "dim")
    for row in result.objects:
        box = " ".join(f"{side:.0f}" for side in row.xyxy)
        line.append("  ")
        line.append(f"{row.label} {row.score:.2f}", "green")
        if row.track_id is not None:
            line.append(f" #{row.track_id}{'' if row.track_state == 'confirmed' else f' {row.track_state}'}")
        line.append(f" [{box}]", "dim")
    for tag in result.tags:
        line.append(f"  {tag.label} {tag.score:.2f}", "green")
    if result.segmentation is not None:
        line.append(f"  {in_percent(result.segmentation.shares)}", "green")
    for zone in result.zones:
        inside = ", ".join(f"{n} {label}" for label, n in zone.inside.items())
        line.append(f"  {zone.name}: {inside or 'empty'}", "yellow")
    return line


def _event_line(stream: str, event: EventRow) -> Text:
    """street: person #7 exited crossing after 3.2 s"""
    what = f"{event.kind.replace('_', ' ')} {event.place}"
    if event.direction is not None:
        what += f" {event.direction.replace('_', ' ')}"
    if event.dwell_ms is not None:
        what += f" after {event.dwell_ms / _MS_PER_S:.1f} s"
    return Text.assemble((stream, "bold"), f": {event.label} #{event.track_id} ", (what, "yellow"))


def _print_stats(subscriber: Subscriber, notes: Console) -> None:
    stats = subscriber.stats
    others = {
        "repeated": stats.repeated,
        "late": stats.late,
        "foreign": stats.foreign,
        "events missed": stats.missed_events,
    }
    told = "".join(f", {count} {kind}" for kind, count in others.items() if count)
    notes.print(f"{stats.received} results, {stats.lost} lost on the way, {stats.damaged} damaged{told}")
