"""LiveSource and Reader against sources that hang, fail, flood and lie in every place there is."""

from __future__ import annotations

import gc
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from edge_engine.errors import ConfigError, CorruptFrameError, SourceError
from edge_engine.sources import live
from edge_engine.sources.live import LiveSource, Patience
from edge_engine.sources.reader import Ended, Opened, Reader
from edge_engine.sources.source import Grab
from edge_engine.state import StreamState, StreamStatus
from tests.rigs.peer import PATIENCE_S, open_descriptors, wait_until
from tests.sources.live import pictures
from tests.sources.staged import (
    Act,
    Camera,
    Connection,
    Fails,
    Hangs,
    Told,
    in_thread,
    joined,
    picture,
    readers,
)
from tests.test_state import Kept

NEVER_NS = 2**62


def gone() -> SourceError:
    """A new one each time: an error that is raised keeps whoever raised it in memory."""
    return SourceError("camera: gone")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    descriptors = open_descriptors()
    yield
    assert wait_until(lambda: not readers())
    assert wait_until(lambda: open_descriptors() <= descriptors)


def assert_well_treated(camera: Camera) -> None:
    """Each connection was used by one thread and closed once."""
    assert wait_until(lambda: all(connection.closes for connection in camera.connections))
    assert [connection.closes for connection in camera.connections] == [1] * len(camera.connections)
    assert [connection.wrongs for connection in camera.connections] == [[]] * len(camera.connections)


# Reader


def test_a_reader_gives_in_order_what_its_source_does_and_closes_it() -> None:
    grabs = [picture(), picture()]
    damage = CorruptFrameError("half a picture")
    camera = Camera(Told(grabs[0], damage, grabs[1], None))
    reader = Reader(camera.connect(), "test/reader")
    news = [reader.take(NEVER_NS) for _ in range(5)]
    assert news == [Opened("connection 0"), grabs[0], damage, grabs[1], Ended()]
    assert reader.join(PATIENCE_S)
    assert_well_treated(camera)


def test_a_reader_whom_nobody_reads_stops_a_few_pictures_ahead() -> None:
    told = Told(*(picture() for _ in range(20)))
    reader = Reader(Camera(told).connect(), "test/reader")
    assert wait_until(lambda: told.queue.qsize() <= 16)
    assert isinstance(reader.take(NEVER_NS), Opened)
    reader.abandon()
    assert reader.join(PATIENCE_S)
    assert told.queue.qsize() >= 14


def test_an_abandoned_reader_keeps_no_picture_and_gives_no_news() -> None:
    told = Told(*(picture() for _ in range(4)))
    kept = [weakref.ref(grab.pixels) for grab in list(told.queue.queue) if isinstance(grab, Grab)]
    reader = Reader(Camera(told).connect(), "test/reader")
    assert wait_until(told.queue.empty)
    reader.abandon()
    assert reader.take(NEVER_NS) is None
    assert reader.join(PATIENCE_S)
    reader.abandon()
    gc.collect()
    assert [reference() for reference in kept] == [None] * 4


def test_a_reader_that_hangs_is_left_at_once_and_closes_its_source_when_the_call_returns() -> None:
    hanging = Hangs("read")
    camera = Camera(hanging)
    reader = Reader(camera.connect(), "test/reader")
    assert isinstance(reader.take(NEVER_NS), Opened)
    assert hanging.hangs.wait(PATIENCE_S)
    reader.abandon()
    assert reader.take(NEVER_NS) is None
    assert reader.is_alive()
    assert not reader.join(0)
    hanging.let_go()
    assert reader.join(PATIENCE_S)
    assert_well_treated(camera)


def test_to_abandon_at_any_moment_loses_no_thread_and_no_connection() -> None:
    """Every interleaving that turns up: of opening, telling, a full queue, the end."""
    for number in range(300):
        camera = Camera(Told(*(picture() for _ in range(number % 7)), None))
        reader = Reader(camera.connect(), "test/reader")
        taking = in_thread(lambda reader=reader: [reader.take(NEVER_NS) for _ in range(3)])  # type: ignore[misc]
        leaving = [in_thread(reader.abandon) for _ in range(2)]
        assert all(map(joined, [taking, *leaving]))
        assert reader.join(PATIENCE_S)
        assert_well_treated(camera)


@pytest.mark.parametrize("error", [SourceError("camera: it\nbroke"), KeyError("wrong")])
def test_what_fails_in_a_close_is_told_in_one_line_and_ends_nothing(error: Exception) -> None:
    failing = Fails("close", error)
    camera = Camera(Told(picture(), gone()), failing)
    camera.acts[0].close = failing.close  # type: ignore[method-assign]
    with Kept() as kept:
        source, status = camera.live()
        pictures(source, 3)
        assert status.now.reconnects == 1
        source.close()
        assert wait_until(lambda: not readers())
    told = [line for line in kept.lines() if "closing failed" in line]
    assert len(told) == 2
    assert all(type(error).__name__ in line and "\n" not in line for line in told)


# Opening


def test_what_can_not_be_opened_at_the_start_fails_at_once() -> None:
    for reconnect in ("lost", "never"):
        camera = Camera(Fails("open", gone()))
        source, status = camera.live(Patience(reconnect=reconnect), is_open=False)  # type: ignore[arg-type]
        with pytest.raises(SourceError, match="gone"):
            source.open()
        source.close()
        assert (status.now.reconnects, len(camera.connections)) == (0, 1)
        assert_well_treated(camera)


def test_always_waits_for_a_camera_that_is_not_there_at_the_start() -> None:
    failing = Fails("open", gone())
    camera = Camera(failing, failing, failing, Act())
    source, status = camera.live(Patience(reconnect="always"))
    assert status.now.state is StreamState.RECONNECTING
    pictures(source, 2)
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 1)
    assert source.description == "connection 3"
    source.close()
    assert_well_treated(camera)


@pytest.mark.parametrize("where", ["open", "read"])
def test_one_that_hangs_before_its_first_picture_is_given_up_at_the_deadline(where: str) -> None:
    camera = Camera(Hangs(where))
    source, _ = camera.live(Patience(open_ms=100), is_open=False)

    def first() -> None:
        source.open()
        source.read()

    with pytest.raises(SourceError, match=r"camera: no picture within [0-9]+ ms"):
        first()
    camera.let_go()
    source.close()
    assert_well_treated(camera)


def test_nothing_but_damage_before_the_first_picture_is_no_picture() -> None:
    camera = Camera(Fails("read", CorruptFrameError("half a picture")))
    source, status = camera.live(Patience(open_ms=100))
    with pytest.raises(SourceError, match=r"only damaged pictures for [0-9]+ ms; the last: half"):
        read_over_damage(source)
    assert status.now.state is StreamState.OPENING
    source.close()


def test_a_camera_that_turns_to_nothing_but_damage_is_opened_anew() -> None:
    broken = Told(picture(), *(CorruptFrameError("half a picture") for _ in range(100_000)))
    source, status = Camera(broken, Act()).live(Patience(open_ms=200))
    assert read_over_damage(source) == 0
    assert read_over_damage(source) >= 1
    assert status.now.reconnects == 1
    source.close()


def test_a_camera_that_gives_only_damage_does_not_run() -> None:
    class Damages(Act):
        is_damaged = threading.Event()

        def read(self, connection: Connection) -> Grab | None:
            grab = super().read(connection)
            if self.is_damaged.is_set() and grab is not None:
                raise CorruptFrameError("half a picture")
            return grab

    damages = Damages()
    source, status = Camera(damages).live(Patience(30_000, frame_ms=30_000))
    pictures(source, 8)
    damages.is_damaged.set()
    while status.now.state is StreamState.RUNNING:
        read_over_damage(source, most=1)
    assert status.now.state is StreamState.STALLED
    assert status.now.reason.startswith("only damaged pictures for ")
    damages.is_damaged.clear()
    read_over_damage(source)
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 0)
    source.close()


class Undecodable:
    """A camera of whose pictures the engine alone finds that they can't be decoded, and tells it of each."""

    def __init__(self, source: LiveSource, status: StreamStatus) -> None:
        self._source, self._status = source, status

    def read(self, error: str) -> None:
        self._status.note_decoding(pictures(self._source, 1)[0].captured_ns, error)


def test_a_camera_whose_pictures_can_not_be_decoded_does_not_run() -> None:
    source, status = Camera(Act()).live(Patience(30_000, frame_ms=30_000))
    decoding = Undecodable(source, status)
    for _ in range(8):
        decoding.read("")
    while status.now.state is StreamState.RUNNING:
        decoding.read("half of it is missing")
    assert status.now.state is StreamState.STALLED
    assert status.now.reason.startswith("only damaged pictures for ")
    decoding.read("")
    pictures(source, 1)
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 0)
    source.close()


def test_a_few_that_can_not_be_decoded_are_no_reason_to_stall_however_slowly_they_are_looked_at() -> None:
    source, status = Camera(Act()).live()
    for _ in range(3):
        grab = pictures(source, 15)[-1]  # what was read meanwhile was overwritten
        status.note_decoding(grab.captured_ns, "half of it is missing")
        pictures(source, 15)
        assert status.now.state is StreamState.RUNNING
        status.note_decoding(grab.captured_ns + 1)
    source.close()


def test_a_camera_whose_pictures_can_not_be_decoded_for_long_is_opened_anew() -> None:
    camera = Camera(Act(), Act())
    source, status = camera.live(Patience(open_ms=300, frame_ms=300))
    decoding = Undecodable(source, status)
    with Kept() as kept:
        until = time.monotonic() + PATIENCE_S
        while not status.now.reconnects and time.monotonic() < until:
            decoding.read("half of it is missing")
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 1)
    lost = [line for line in kept.lines() if "state=reconnecting" in line]
    assert len(lost) == 1
    assert "only damaged pictures for" in lost[0]
    assert "the last: half of it is missing" in lost[0]
    pictures(source, 20)
    now = status.now
    assert (now.state, now.reconnects) == (StreamState.RUNNING, 1), "those of the old one are forgotten"
    source.close()
    assert_well_treated(camera)


def test_a_camera_that_hangs_before_its_rate_is_known_is_stalled_all_the_same() -> None:
    told = Told(picture())
    source, status = Camera(told).live()
    pictures(source, 1)
    reading = in_thread(lambda: pictures(source, 1))
    assert wait_until(lambda: status.now.state is StreamState.STALLED)
    told.queue.put(picture())
    assert joined(reading)
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 0)
    source.close()


def test_another_camera_in_the_place_of_the_one_that_was_there_is_a_lost_camera() -> None:
    """Although what was asked of the first can't be asked of it: the right one may be plugged in again."""
    wrong = Fails("open", ConfigError("camera: it has no control exposure"))
    camera = Camera(Told(picture(), gone()), wrong, Act())
    source, status = camera.live()
    pictures(source, 2)
    assert (len(camera.connections), status.now.reconnects) == (3, 1)
    source.close()
    source, _ = Camera(wrong).live(is_open=False)
    with pytest.raises(ConfigError, match="no control exposure"):
        source.open()
    source.close()


def read_over_damage(source: LiveSource, most: int = 10**9) -> int:
    """Until the next picture; how many damaged ones came before it, at most."""
    for damaged in range(most):
        try:
            assert source.read() is not None
            return damaged
        except CorruptFrameError:
            continue
    return most


def test_an_end_before_any_picture_is_no_camera_and_one_after_it_an_end() -> None:
    source, _ = Camera(Told(None)).live()
    with pytest.raises(SourceError, match="ended before it gave a picture"):
        source.read()
    source.close()
    source, status = Camera(Told(picture(), None)).live()
    assert source.read() is not None
    assert source.read() is None
    assert status.now.reconnects == 0
    source.close()


# Losing and finding again


def test_one_that_fails_n_times_is_tried_until_it_works_and_counts_as_lost_once() -> None:
    failing = Fails("open", gone())
    camera = Camera(Told(picture(), gone()), failing, failing, Told(gone()), Act())
    source, status = camera.live()
    pictures(source, 3)
    assert len(camera.connections) == 5
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 1)
    assert status.now.description == "connection 4"
    source.close()
    assert_well_treated(camera)


def test_never_ends_with_the_first_loss() -> None:
    camera = Camera(Told(picture(), gone()))
    source, status = camera.live(Patience(reconnect="never"))
    assert source.read() is not None
    with pytest.raises(SourceError, match="gone"):
        source.read()
    assert status.now.reconnects == 0
    source.close()


@pytest.mark.parametrize("where", ["open", "read"])
@pytest.mark.parametrize("reconnect", ["lost", "always"])
def test_a_programming_error_is_raised_as_it_is_and_never_tried_again(where: str, reconnect: str) -> None:
    wrong = ZeroDivisionError("a mistake")
    camera = Camera(Told(picture(), gone()), Fails(where, wrong))
    source, _ = camera.live(Patience(reconnect=reconnect))  # type: ignore[arg-type]
    assert source.read() is not None
    with pytest.raises(ZeroDivisionError) as caught:
        source.read()
    assert caught.value is wrong
    assert len(camera.connections) == 2
    source.close()


@pytest.mark.parametrize("where", ["open", "read", "close"])
def test_a_call_that_hangs_for_ever_is_left_behind_and_replaced(where: str) -> None:
    hanging = Hangs(where)
    acts: list[Act] = [Told(picture(), gone()), hanging, Act()]
    if where == "close":
        acts[0].close = hanging.close  # type: ignore[method-assign]
        acts[1:2] = []
    camera = Camera(*acts)
    source, status = camera.live(Patience(open_ms=300))
    pictures(source, 4)
    assert status.now.reconnects == 1
    assert hanging.hangs.is_set()
    source.close()
    hanging.let_go()
    assert_well_treated(camera)


def test_calls_that_never_return_are_not_piled_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_MOST_HANGING", 3)
    hanging = Hangs("read")
    camera = Camera(Told(picture(), gone()), hanging)
    source, status = camera.live(Patience(open_ms=20))
    reading = in_thread(lambda: [source.read() for _ in range(2)])
    assert wait_until(lambda: "calls into it never returned" in status.now.reason)
    assert len(camera.connections) <= 4
    assert status.now.state is StreamState.RECONNECTING
    camera.acts = [Act()]
    hanging.let_go()
    assert joined(reading)
    assert status.now.state is StreamState.RUNNING
    source.close()
    assert_well_treated(camera)


def test_connections_that_are_over_leave_nothing_in_memory() -> None:
    camera = Camera(*(Told(picture(), gone()) for _ in range(3)), Act())
    source, _ = camera.live()
    pictures(source, 5)
    over = [weakref.ref(connection) for connection in camera.connections[:3]]
    camera.connections = camera.connections[3:]
    wait_until(lambda: len(readers()) == 1)
    pictures(source, 1)
    gc.collect()
    assert [reference() for reference in over] == [None] * 3
    source.close()


def test_what_was_missed_adds_up_over_connections() -> None:
    camera = Camera(Told(picture(), gone()), Act())
    source, _ = camera.live()
    pictures(source, 1)
    camera.connections[0].missed = 3
    pictures(source, 1)
    camera.connections[1].missed = 4
    assert source.missed == 7
    source.close()
    assert source.missed == 7


# Patience


def test_a_camera_that_pauses_is_stalled_and_runs_again() -> None:
    told = Told()
    source, status = Camera(told).live(Patience(30_000, frame_ms=60_000))
    feed(told, source, [0.02] * 8)
    reading = in_thread(lambda: pictures(source, 1))
    assert wait_until(lambda: status.now.state is StreamState.STALLED)
    assert "no picture for" in status.now.reason
    told.queue.put(picture())
    assert joined(reading)
    assert (status.now.state, status.now.reconnects, status.now.reason) == (StreamState.RUNNING, 0, "")
    source.close()


def feed(told: Told, source: LiveSource, gaps_s: list[float]) -> None:
    for gap_s in gaps_s:
        time.sleep(gap_s)
        told.queue.put(picture())
        assert source.read() is not None


def test_a_camera_of_a_picture_in_two_seconds_is_no_lost_camera() -> None:
    """Nor one whose server first gives in a rush what it has kept."""
    told = Told()
    source, status = Camera(told).live()
    feed(told, source, [0, 0, 0, 1.3, 1.3])
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 0)
    source.close()


def test_a_camera_that_comes_back_slower_is_judged_by_its_new_rate() -> None:
    slow = Told()
    source, status = Camera(Told(*(picture() for _ in range(12)), gone()), slow).live()
    pictures(source, 12)
    feed(slow, source, [0, 1.5])
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 1)
    source.close()


def test_a_deadline_shorter_than_a_stall_is_kept() -> None:
    told = Told()
    source, status = Camera(told, Act()).live(Patience(30_000, frame_ms=60))
    with Kept() as kept:
        feed(told, source, [0] * 8)
        pictures(source, 1)
    assert status.now.reconnects == 1
    assert not any("state=stalled" in line for line in kept.lines())
    source.close()


def test_an_engine_that_was_held_up_itself_blames_no_camera() -> None:
    """As when the machine's other work, or a lossless engine's own, keeps the capture thread away."""
    told = Told()
    source, status = Camera(told).live(Patience(30_000, frame_ms=100))
    feed(told, source, [0] * 8)
    for _ in range(3):
        told.queue.put(picture())
        time.sleep(0.2)  # and the picture waits
        pictures(source, 1)
        time.sleep(0.2)  # and the reader is about to give it
        threading.Timer(0.05, told.queue.put, [picture()]).start()
        pictures(source, 1)
    assert (status.now.state, status.now.reconnects) == (StreamState.RUNNING, 0)
    source.close()


def test_a_flood_is_read_as_fast_as_it_is_wanted_and_no_faster() -> None:
    class Floods(Act):
        given = 0

        def read(self, connection: Connection) -> Grab | None:
            self.given += 1
            return picture()

    floods = Floods()
    source, _ = Camera(floods).live()
    grabs = pictures(source, 500)
    assert all(one.captured_ns < other.captured_ns for one, other in itertools.pairwise(grabs))
    assert floods.given <= 506
    source.close()


# Ending


def in_state(state: str) -> tuple[Camera, LiveSource]:
    """A camera whose reading thread will be kept in that state, and its source, not yet open."""
    acts: dict[str, Callable[[], list[Act]]] = {
        "opening": lambda: [Hangs("open")],
        "running": lambda: [Act()],
        "silent": lambda: [Told()],
        "reading": lambda: [Hangs("read", after=1)],
        "pausing": lambda: [Told(picture(), gone()), Fails("open", gone())],
        "hanging": lambda: [Told(picture(), gone()), Hangs("open")],
    }
    camera = Camera(*acts[state]())
    source, _ = camera.live(Patience(1000 if state == "hanging" else 30_000), is_open=False)
    return camera, source


@pytest.mark.parametrize("state", ["opening", "running", "silent", "reading", "pausing", "hanging"])
@pytest.mark.parametrize("after_s", [0, 0.1])
def test_an_interrupt_ends_the_reading_soon_whatever_it_does(state: str, after_s: float) -> None:
    camera, source = in_state(state)
    left: list[str] = []

    def read() -> None:
        source.open()
        while source.read() is not None:
            pass
        source.close()
        source.close()
        left.append("ended")

    reading = in_thread(read)
    time.sleep(after_s)
    source.interrupt()
    source.interrupt()
    assert joined(reading)
    assert left == ["ended"]
    camera.let_go()
    assert_well_treated(camera)


def test_an_interrupt_at_any_moment_of_connecting_is_heeded() -> None:
    camera = Camera(Told(picture(), gone()))
    for number in range(100):
        source, _ = camera.live(is_open=False)
        interrupting = threading.Timer(number / 50_000, source.interrupt)
        interrupting.start()
        source.open()
        while source.read() is not None:
            pass
        source.close()
        assert joined(interrupting)
    # What was made for a source that was interrupted before it opened was never connected.
    assert wait_until(lambda: not readers())


def test_close_is_safe_twice_and_before_open() -> None:
    camera = Camera(Act())
    source, _ = camera.live(is_open=False)
    source.close()
    source.close()
    assert [connection.closes for connection in camera.connections] == [0]
    source.open()
    assert source.read() is not None
    source.close()
    source.close()
    assert_well_treated(camera)
