"""A real RTSP server: an H.264 camera whose every picture carries the moment at which it was taken.

    python -m tests.rigs.rtsp_server [--port P] [--fps R] [--size WxH] … [--user NAME:PASSWORD] [--bframes N]
                                      [--grain N]

Over TCP (interleaved) and UDP, with RTCP sender reports. The counter in the picture
(test_pattern.read_counter) is CLOCK_MONOTONIC in milliseconds, modulo 2**32, so that whoever receives it
knows its true age. With a sensor's grain of ± N a picture takes several packets, as a real camera's does;
without, one or two. Says `READY <port>` and then obeys lines on stdin: freeze, resume, hold, burst (what was
held goes out at once), res (the next --size), corrupt P, loss P (shares of pictures, of packets), bye (end
all sessions), quit.
"""

from __future__ import annotations

import argparse
import base64
import random
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np

from edge_engine.sources.test_pattern import COUNTER_BAND, COUNTER_BITS

_CLOCK = 90_000  # RTP's for video, ticks per second
_PAYLOAD = 1200  # bytes of H.264 in a packet
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
_SSRC = 0x0ED6E
_SDP = "\r\n".join(
    [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=camera",
        "t=0 0",
        "a=control:*",
        "m=video 0 RTP/AVP 96",
        "c=IN IP4 0.0.0.0",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}",
        "a=control:track",
        "",
    ]
)


@dataclass
class Faults:
    is_frozen: bool = False
    is_holding: bool = False
    corrupt: float = 0.0
    loss: float = 0.0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    held: list[tuple[list[bytes], int]] = field(default_factory=list)


def picture(size: tuple[int, int], count: int, grain: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A grey ramp that moves, under the counter's blocks."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    ramp = ((np.arange(width) + count // 8) % 256)[None, :, None]
    image[:] = ramp.astype(np.uint8)
    if grain:
        noise = np.random.default_rng(count).integers(-grain, grain + 1, (height, width, 1))
        image[:] = np.clip(ramp + noise, 0, 255)
    shifts = COUNTER_BITS - 1 - np.arange(width) * COUNTER_BITS // width
    image[: height // COUNTER_BAND] = np.where((count >> shifts) & 1, 255, 0).astype(np.uint8)[None, :, None]
    return image


class Encoder:
    """Pictures of one size → access units, without a frame's delay unless there are to be B-frames."""

    def __init__(self, size: tuple[int, int], fps: int, bframes: int = 0) -> None:
        self.size = size
        context: Any = av.CodecContext.create("libx264", "w")
        context.width, context.height = size
        context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, _CLOCK), Fraction(fps)
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": f"keyint={fps}:repeat-headers=1:slices=1:bframes={bframes}:b-adapt=0",
        }
        self._context = context

    def encode(self, image: np.ndarray[Any, np.dtype[np.uint8]], pts: int) -> list[tuple[list[bytes], int]]:
        """NAL units and pts of each picture that is ready."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = pts, Fraction(1, _CLOCK)
        return [(units(bytes(packet)), packet.pts) for packet in self._context.encode(frame)]

    def parameter_sets(self) -> str:
        """What an SDP tells of the stream, RFC 6184, 8.1: its sequence and picture parameter sets."""
        packets = self.encode(picture(self.size, 0), 0) + [
            (units(bytes(packet)), packet.pts) for packet in self._context.encode()
        ]
        sets = [nal for nal in packets[0][0] if nal[0] & 0x1F in (7, 8)]
        return ",".join(base64.b64encode(nal).decode() for nal in sets)


def units(annex_b: bytes) -> list[bytes]:
    """The NAL units between start codes, ITU-T H.264 annex B."""
    return [unit.rstrip(b"\0") for unit in re.split(rb"\x00\x00\x00?\x01", annex_b) if unit]


def packets(nals: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    """RFC 6184: single units, and fragments (FU-A) of long ones; and whether each is the picture's last."""
    for number, nal in enumerate(nals):
        is_last_nal = number == len(nals) - 1
        if len(nal) <= _PAYLOAD:
            yield nal, is_last_nal
            continue
        indicator, kind = (nal[0] & 0xE0) | 28, nal[0] & 0x1F
        for at in range(1, len(nal), _PAYLOAD):
            part = nal[at : at + _PAYLOAD]
            is_end = at + _PAYLOAD >= len(nal)
            flags = (0x80 if at == 1 else 0) | (0x40 if is_end else 0)
            yield bytes([indicator, flags | kind]) + part, is_end and is_last_nal


class Session:
    """One client: its control connection, and where its RTP goes."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lock = threading.Lock()
        self.is_playing = False
        self.udp: tuple[socket.socket, socket.socket, tuple[str, int], tuple[str, int]] | None = None
        self.sequence = random.randrange(65536)
        self.sent = 0
        self.bytes = 0

    def send(self, data: bytes, *, is_rtcp: bool = False) -> None:
        if self.udp is not None:
            rtp, rtcp, to_rtp, to_rtcp = self.udp
            (rtcp if is_rtcp else rtp).sendto(data, to_rtcp if is_rtcp else to_rtp)
            return
        with self.lock:
            self.connection.sendall(struct.pack("!cBH", b"$", int(is_rtcp), len(data)) + data)

    def close(self) -> None:
        self.is_playing = False
        self.connection.close()
        if self.udp is not None:
            self.udp[0].close()
            self.udp[1].close()


class Server:
    def __init__(
        self, port: int, fps: int, sizes: list[tuple[int, int]], user: str, bframes: int, grain: int
    ) -> None:
        self.fps = fps
        self.grain = grain
        self.bframes = bframes
        self.expected = f"Basic {base64.b64encode(user.encode()).decode()}" if user else ""
        self.faults = Faults(sizes=sizes)
        self.sessions: list[Session] = []
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port = self.listener.getsockname()[1]

    def start(self) -> None:
        for work in (self._accept, self._stream):
            threading.Thread(target=work, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(Session(connection),), daemon=True).start()

    def _serve(self, session: Session) -> None:
        """One client's requests, RFC 2326."""
        self.sessions.append(session)
        data = b""
        try:
            while chunk := session.connection.recv(4096):
                data += chunk
                while data:
                    if data[:1] == b"$":  # the client's own RTCP
                        if len(data) < 4 or len(data) < 4 + int.from_bytes(data[2:4], "big"):
                            break
                        data = data[4 + int.from_bytes(data[2:4], "big") :]
                        continue
                    head, mark, rest = data.partition(b"\r\n\r\n")
                    if not mark:
                        break
                    data = rest
                    self._answer(session, head.decode())
        except OSError:
            pass
        finally:
            self.sessions.remove(session)
            session.close()

    def _answer(self, session: Session, head: str) -> None:
        method, url = head.split(" ", 2)[:2]
        pairs = (line.partition(":") for line in head.split("\r\n")[1:])
        headers = {key.strip().lower(): value.strip() for key, _, value in pairs}
        more, body, status = ["Session: 1;timeout=60"], "", "200 OK"
        if method == "OPTIONS":
            more = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]
        elif self.expected and headers.get("authorization") != self.expected:
            status, more = "401 Unauthorized", ['WWW-Authenticate: Basic realm="camera"']
        elif method == "DESCRIBE" and not url.rstrip("/").endswith("/cam"):
            status = "404 Not Found"
        elif method == "DESCRIBE":
            body = _SDP.format(sets=self._encoder().parameter_sets())
            more = [f"Content-Base: {url}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            more.append(f"Transport: {self._set_up(session, headers['transport'])}")
        with session.lock:
            lines = [f"RTSP/1.0 {status}", f"CSeq: {headers['cseq']}", *more, "", body]
            session.connection.sendall("\r\n".join(lines).encode())
        if method == "PLAY":
            session.is_playing = True
        elif method == "TEARDOWN":
            session.is_playing = False

    @staticmethod
    def _set_up(session: Session, transport: str) -> str:
        ports = re.search(r"client_port=(\d+)-(\d+)", transport)
        if ports is None:
            return "RTP/AVP/TCP;unicast;interleaved=0-1"
        host = session.connection.getpeername()[0]
        rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        rtp.bind(("127.0.0.1", 0))
        rtcp.bind(("127.0.0.1", 0))
        session.udp = rtp, rtcp, (host, int(ports[1])), (host, int(ports[2]))
        server_ports = f"{rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
        return f"RTP/AVP;unicast;client_port={ports[1]}-{ports[2]};server_port={server_ports}"

    def _encoder(self) -> Encoder:
        return Encoder(self.faults.sizes[0], self.fps, self.bframes)

    def _stream(self) -> None:
        """A picture each period, encoded once for all."""
        due, encoder = time.monotonic(), self._encoder()
        while True:
            due += 1 / self.fps
            time.sleep(max(0.0, due - time.monotonic()))
            if self.faults.is_frozen or not any(session.is_playing for session in self.sessions):
                continue
            if encoder.size != self.faults.sizes[0]:
                encoder = self._encoder()
            now_ns = time.monotonic_ns()
            image = picture(encoder.size, now_ns // 1_000_000 & 0xFFFFFFFF, self.grain)
            for nals, ticks in encoder.encode(image, ticks_of(now_ns)):
                if random.random() < self.faults.corrupt:
                    nals[-1] = spoilt(nals[-1])
                self.faults.held.append((nals, ticks))
            if not self.faults.is_holding:
                self._flush()

    def _flush(self) -> None:
        held, self.faults.held = self.faults.held, []
        for session in [session for session in self.sessions if session.is_playing]:
            try:
                for nals, ticks in held:
                    self._send(session, nals, ticks)
            except OSError:
                session.is_playing = False

    def _send(self, session: Session, nals: list[bytes], ticks: int) -> None:
        if session.sent == 0:
            session.send(sender_report(session), is_rtcp=True)
        for payload, is_last in packets(nals):
            session.sequence = (session.sequence + 1) & 0xFFFF
            kind = 96 | (0x80 if is_last else 0)
            head = struct.pack("!BBHII", 0x80, kind, session.sequence, ticks & 0xFFFFFFFF, _SSRC)
            session.sent, session.bytes = session.sent + 1, session.bytes + len(payload)
            if random.random() >= self.faults.loss:
                session.send(head + payload)
        if session.sent % 50 == 0:
            session.send(sender_report(session), is_rtcp=True)

    def obey(self, line: str) -> bool:
        """Whether to go on."""
        word, *rest = line.split() or [""]
        faults = self.faults
        if word in ("freeze", "resume"):
            faults.is_frozen = word == "freeze"
        elif word in ("hold", "burst"):
            faults.is_holding = word == "hold"
        elif word == "res":
            faults.sizes = faults.sizes[1:] + faults.sizes[:1]
        elif word == "corrupt":
            faults.corrupt = float(rest[0])
        elif word == "loss":
            faults.loss = float(rest[0])
        elif word == "bye":
            for session in list(self.sessions):
                session.connection.shutdown(socket.SHUT_RDWR)
        return word != "quit"


def ticks_of(monotonic_ns: int) -> int:
    """RTP's clock."""
    return monotonic_ns * _CLOCK // 1_000_000_000


def sender_report(session: Session) -> bytes:
    """RTCP's tie between the wall clock and RTP's, RFC 3550, 6.4.1."""
    now, ticks = time.time() + _NTP_EPOCH, ticks_of(time.monotonic_ns())
    ntp = int(now), int(now % 1 * 2**32)
    numbers = (_SSRC, *ntp, ticks & 0xFFFFFFFF, session.sent, session.bytes & 0xFFFFFFFF)
    return struct.pack("!BBH6I", 0x80, 200, 6, *numbers)


def spoilt(nal: bytes) -> bytes:
    data = bytearray(nal)
    for _ in range(10):
        data[random.randrange(min(6, len(data) - 1), len(data))] = random.randrange(256)
    return bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--size", action="append", default=[])
    parser.add_argument("--user", default="")
    parser.add_argument("--bframes", type=int, default=0)
    parser.add_argument("--grain", type=int, default=0)
    arguments = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in arguments.size or ["640x480", "320x240"]]
    server = Server(arguments.port, arguments.fps, sizes, arguments.user, arguments.bframes, arguments.grain)
    server.start()
    print("READY", server.port, flush=True)  # noqa: T201
    for line in sys.stdin:
        if not server.obey(line):
            return


if __name__ == "__main__":
    main()
