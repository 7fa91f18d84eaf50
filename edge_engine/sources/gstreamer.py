"""GStreamerSource: whatever a GStreamer pipeline gives, each picture stamped when it was captured."""

from __future__ import annotations

import re
import threading

from edge_engine.clock import NS_PER_MS, NS_PER_S, monotonic_ns, utc_ns
from edge_engine.errors import SourceError
from edge_engine.sources.gstreamer_binding import GObject, load_gstreamer
from edge_engine.sources.gstreamer_pixels import READABLE, SampleReader, unreadable
from edge_engine.sources.source import Grab
from edge_engine.sources.uri import Size, SourceUri, masked

MAX_AGE_NS = 10 * NS_PER_S
"""A picture that says it is older is stamped by another clock. Elements do hold pictures back: rtspsrc two
seconds, unless it is told otherwise by its `latency`."""

_POLL_NS = 100 * NS_PER_MS
"""So often a wait looks whether it was interrupted, and whether an element has failed."""

_LAST_WORDS_NS = NS_PER_S
"""An element that has failed says so in another thread, perhaps a moment later."""

_LONGEST_DETAIL = 160
_SINK = "edge_engine_sink"


class GStreamerSource:
    """A pipeline as for `gst-launch-1.0`. Without an appsink it gets one at its end, which keeps the newest
    two pictures; a live pipeline's are given at once, another's at their own times. An appsink that is
    written out keeps its own settings.

    A live pipeline that ends is lost, as a camera would be; one that isn't live, or has a `num-buffers`, has
    ended. Stamps are the buffers' own, on the pipeline's clock, set by the driver or on arrival.

    The reader's thread calls `open`, `read` and `close`, which alone touch GStreamer; elements run in threads
    of their own and tell of failures on the pipeline's bus. `interrupt` only sets an event.
    """

    is_live = True

    def __init__(self, uri: SourceUri, *, pace: bool, loop: bool) -> None:
        uri.expect_options()
        self._text = uri.target
        self._name = uri.text
        self._is_own_sink = "appsink" not in re.split(r"[\s!()]+", uri.target)
        self._is_finite = "num-buffers" in uri.target
        self._interrupted = threading.Event()
        self._pipeline: GObject = None
        self._sink: GObject = None
        self._first: GObject = None  # a sample that `open` has waited for
        self._last_ns = 0
        self._next_number: int | None = None
        self.missed = 0
        self.description = self._name

    def expected_size(self) -> Size | None:
        """None: only the running pipeline knows."""
        return None

    def open(self) -> None:
        """Ends with the first picture, which tells the format."""
        gstreamer = load_gstreamer(self._name)
        self._gst, self._error = gstreamer.gst, gstreamer.error
        self._reader = SampleReader(gstreamer, self._name)
        try:
            self._start()
        except SourceError:
            self.close()
            raise

    def _start(self) -> None:
        self._pipeline = self._parse()
        self._sink = self._find_sink()
        self._bus = self._pipeline.get_bus()
        is_live = self._pause()
        self._is_finite = self._is_finite or not is_live
        if self._is_own_sink:
            self._sink.set_property("sync", not is_live)
        self._set_state(self._gst.State.PLAYING)
        self._first = self._pull()
        if self._first is not None:
            self._reader.follow(self._first)
            self.description = f"{self._name}: {self._reader.description}"

    def _parse(self) -> GObject:
        text = f"{self._text} ! appsink name={_SINK}" if self._is_own_sink else self._text
        try:
            pipeline = self._gst.parse_launch(text)
        except self._error as error:
            raise SourceError(f"{self._name}: {_said(error)}{_how_to_get(error)}") from error
        if not isinstance(pipeline, self._gst.Pipeline):
            raise SourceError(f"{self._name}: an appsink alone is no pipeline; expected a source before it")
        return pipeline

    def _find_sink(self) -> GObject:
        sinks = [element for element in self._pipeline.children if _kind(element) == "appsink"]
        if len(sinks) != 1:
            raise SourceError(f"{self._name}: {len(sinks)} appsinks in it; expected one, which is read")
        if self._is_own_sink:
            sinks[0].set_property("caps", self._gst.Caps.from_string(READABLE))
            sinks[0].set_property("max-buffers", 2)
            sinks[0].set_property("drop", True)
        return sinks[0]

    def _pause(self) -> bool:
        """Whether the pipeline is live: such a one gives nothing while it is paused."""
        self._set_state(self._gst.State.PAUSED)
        change = self._gst.StateChangeReturn
        while not self._interrupted.is_set():
            result = self._pipeline.get_state(_POLL_NS)[0]
            self._heed_bus()
            if result == change.FAILURE:
                raise self._failure(self._bus.timed_pop_filtered(_LAST_WORDS_NS, self._gst.MessageType.ERROR))
            if result != change.ASYNC:
                return bool(result == change.NO_PREROLL)
        return False

    def _set_state(self, state: GObject) -> None:
        if self._pipeline.set_state(state) == self._gst.StateChangeReturn.FAILURE:
            raise self._failure(self._bus.timed_pop_filtered(_LAST_WORDS_NS, self._gst.MessageType.ERROR))

    def read(self) -> Grab | None:
        if self._pipeline is None:
            raise SourceError(f"{self._name}: read before it was opened")
        sample, self._first = self._first or self._pull(), None
        if sample is None or self._interrupted.is_set():
            return None
        now_ns, now_utc_ns = monotonic_ns(), utc_ns()
        captured_ns = self._stamp(sample, now_ns)
        self._count(sample.get_buffer())
        return Grab(self._reader.read(sample), captured_ns, now_utc_ns - (now_ns - captured_ns))

    def _pull(self) -> GObject:
        """The next sample; None when interrupted, or at a finite pipeline's end."""
        while not self._interrupted.is_set():
            sample = self._sink.try_pull_sample(_POLL_NS)
            self._heed_bus()
            if sample is not None:
                return sample
            if self._sink.is_eos():
                if self._is_finite:
                    return None
                raise SourceError(f"{self._name}: lost: its pictures have come to an end")
        return None

    def _stamp(self, sample: GObject, now_ns: int) -> int:
        """When the picture was captured. Stamps increase and are never in the future: one that can't be is of
        another clock, and the picture is stamped as it arrives.
        """
        age_ns = self._age_ns(sample, now_ns)
        stamp_ns = now_ns if age_ns is None or not 0 <= age_ns < MAX_AGE_NS else now_ns - age_ns
        if stamp_ns <= self._last_ns:
            stamp_ns = now_ns
        self._last_ns = stamp_ns
        return stamp_ns

    def _age_ns(self, sample: GObject, now_ns: int) -> int | None:
        clock, pts = self._pipeline.get_clock(), sample.get_buffer().pts
        if clock is None or pts == self._gst.CLOCK_TIME_NONE:
            return None
        running_ns = sample.get_segment().to_running_time(self._gst.Format.TIME, pts)
        if running_ns == self._gst.CLOCK_TIME_NONE:  # outside its segment
            return None
        # On any other clock, such as a sound card's, the time since is all that can be used.
        clock_now_ns = now_ns if self._is_monotonic(clock) else clock.get_time()
        return int(clock_now_ns - self._pipeline.get_base_time() - running_ns)

    def _is_monotonic(self, clock: GObject) -> bool:
        """Whether it is CLOCK_MONOTONIC, as a pipeline's clock is unless an element or somebody chose one."""
        if clock.__gtype__.name != "GstSystemClock":
            return False
        return bool(clock.get_property("clock-type") == self._gst.ClockType.MONOTONIC)

    def _count(self, buffer: GObject) -> None:
        """Cameras number their pictures; a file's parser counts bytes there, many at a time."""
        is_number = buffer.offset_end == buffer.offset + 1
        if is_number and self._next_number is not None:
            self.missed += max(0, buffer.offset - self._next_number)
        self._next_number = buffer.offset_end if is_number else None

    def _heed_bus(self) -> None:
        """Raises what an element has said has failed. What nobody takes would pile up on the bus."""
        kinds = self._gst.MessageType
        while message := self._bus.pop_filtered(kinds.ERROR | kinds.LATENCY | kinds.CLOCK_LOST):
            if message.type == kinds.ERROR:
                raise self._failure(message)
            if message.type == kinds.CLOCK_LOST:
                raise SourceError(f"{self._name}: lost: the element whose clock it went by is gone")
            self._pipeline.recalculate_latency()

    def _failure(self, message: GObject) -> SourceError:
        """`message`: what an element has said; None for nothing."""
        if message is None:
            return SourceError(f"{self._name}: an element of it can't start, and doesn't say why")
        return SourceError(f"{self._name}: {message.src.get_name()}: {self._complaint(message)}")

    def _complaint(self, message: GObject) -> str:
        """An element's own words: for people, then for developers, without the place in its code."""
        error, debug = message.parse_error()
        detail = masked(" ".join((debug or "").partition("\n")[2].split()))[:_LONGEST_DETAIL]
        said = f"{_said(error)} ({detail})" if detail else _said(error)
        if "negotiated" not in said and "caps" not in said:
            return said
        offered = self._sink.get_static_pad("sink").peer_query_caps(None)
        return unreadable(offered) or f"{said}; does ! videoconvert at its end help?"

    def close(self) -> None:
        """All but one descriptor of a v4l2src, which GStreamer 1.22 never closes, whoever reads it."""
        self._first = None
        if self._pipeline is not None:
            self._pipeline.set_state(self._gst.State.NULL)
        self._pipeline = self._sink = self._bus = None

    def interrupt(self) -> None:
        """A wait for a picture ends within a tenth of a second."""
        self._interrupted.set()


def _kind(element: GObject) -> str:
    factory = element.get_factory()
    return str(factory.get_name()) if factory is not None else ""


def _said(error: GObject) -> str:
    """A GLib.Error's message alone: shown whole, it would begin with its domain."""
    return masked(" ".join(error.message.split())).rstrip(".")


def _how_to_get(error: GObject) -> str:
    """For an element that isn't there, where to look for it."""
    if "no element" not in error.message:
        return ""
    if '"nv' in error.message:
        return "; NVIDIA's elements are there on its boards alone, in the package nvidia-l4t-gstreamer"
    return "; is its name right? Most are in gstreamer1.0-plugins-good, -bad and -ugly, or gstreamer1.0-libav"
