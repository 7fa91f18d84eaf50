"""A real MJPEG camera: every picture carries the moment at which it was taken.

    python -m tests.rigs.mjpeg_server [--port P] [--fps R] [--user NAME:PASSWORD] [--digest MD5|SHA-256]
                                      [--tls FILE]

/cam is the stream, /still one picture, /jpg one under a type that isn't one, /page a page, /chunked the
stream in chunks without lengths, /stamped the stream with X-Timestamp, /early with each delimiter sent right
after the picture before it, /once a stream that ends with its first picture. The counter in the picture
(test_pattern.read_counter) is CLOCK_MONOTONIC in milliseconds, modulo 2**32. Says `READY <port>`, then obeys
lines on stdin: freeze, resume, hold, burst (what was held in one go), drip (one after the other), res,
corrupt, trunc, hollow (whole, but half of it is nonsense), whole, png, end (all connections), quit; `count`
says how many connections there were, `over` how many of them are over.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import random
import ssl
import sys
import threading
import time
import urllib.request
from base64 import b64encode

import cv2
import numpy as np

from tests.rigs.rtsp_server import picture

_BOUNDARY = "camera"


class Camera:
    fps = 25.0
    user = ""
    digest = "MD5"
    is_frozen = False
    is_holding = False
    is_dripping = False
    is_small = False
    fault = ""
    generation = 0
    connections = 0
    over = 0

    def shoot(self) -> bytes:
        size = (320, 240) if self.is_small else (640, 480)
        image = picture(size, time.monotonic_ns() // 1_000_000 & 0xFFFFFFFF)
        if self.fault == "png":
            return bytes(cv2.imencode(".png", image.astype(np.uint16) * 257)[1])
        data = bytearray(cv2.imencode(".jpg", image)[1].tobytes())
        if self.fault == "trunc":
            return bytes(data[: len(data) // 2])
        if self.fault == "hollow":
            data[len(data) // 2 : -2] = bytes(len(data) - len(data) // 2 - 2)
        if self.fault == "corrupt":
            for _ in range(20):
                data[random.randrange(700, len(data) - 2)] = random.randrange(256)
        return bytes(data)


camera = Camera()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:  # type: ignore[override]
        pass

    def do_GET(self) -> None:
        if camera.user and not self._is_known():
            self._answer(401, "text/plain", b"who?", {"WWW-Authenticate": self._challenge()})
        elif self.path == "/still":
            self._answer(200, "image/jpeg", camera.shoot(), {})
        elif self.path == "/jpg":
            self._answer(200, "image/jpg", camera.shoot(), {})
        elif self.path == "/page":
            self._answer(200, "text/html", b"<html>log in</html>", {})
        elif self.path in ("/cam", "/chunked", "/stamped", "/early", "/once"):
            self._stream()
        else:
            self._answer(404, "text/plain", b"what?", {})

    @staticmethod
    def _challenge() -> str:
        return f'Digest realm="camera", nonce="e0e0", qop="auth", algorithm={camera.digest}'

    def _is_known(self) -> bool:
        given = self.headers.get("Authorization", "")
        if given.startswith("Basic "):
            return given == f"Basic {b64encode(camera.user.encode()).decode()}"
        if not given.startswith("Digest "):
            return False
        fields = urllib.request.parse_keqv_list(urllib.request.parse_http_list(given[7:]))
        kind = hashlib.sha256 if camera.digest == "SHA-256" else hashlib.md5
        name, password = camera.user.split(":")
        first, second = (
            kind(text.encode()).hexdigest() for text in (f"{name}:camera:{password}", f"GET:{self.path}")
        )
        wanted = f"{first}:e0e0:{fields['nc']}:{fields['cnonce']}:auth:{second}"
        return bool(fields["response"] == kind(wanted.encode()).hexdigest())

    def _answer(self, code: int, kind: str, body: bytes, more: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        is_chunked = self.path == "/chunked"
        camera.connections += 1
        self.send_response(200)
        kind = f'multipart/x-mixed-replace; boundary="--{_BOUNDARY}"' if is_chunked else None
        self.send_header("Content-Type", kind or f"multipart/x-mixed-replace;boundary={_BOUNDARY}")
        self.send_header(
            "Transfer-Encoding" if is_chunked else "Connection", "chunked" if is_chunked else "close"
        )
        self.end_headers()
        self.close_connection = True
        held: list[bytes] = [b"--" + _BOUNDARY.encode() + b"\r\n"] if self.path == "/early" else []
        due, generation = time.monotonic(), camera.generation
        try:
            while generation == camera.generation:
                due += 1 / camera.fps
                time.sleep(max(0.0, due - time.monotonic()))
                if camera.is_frozen:
                    continue
                held.append(self._part(is_chunked))
                if not camera.is_holding:
                    self._send(held, is_chunked)
                    held = []
                    if self.path == "/once":
                        return
        except OSError:
            pass
        finally:
            camera.over += 1

    def _send(self, held: list[bytes], is_chunked: bool) -> None:
        for data in held if camera.is_dripping else [b"".join(held)]:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data)
            if camera.is_dripping and len(held) > 1:
                time.sleep(0.002)

    def _part(self, is_chunked: bool) -> bytes:
        now_ns, data = time.monotonic_ns(), camera.shoot()
        delimiter, head = f"--{_BOUNDARY}\r\n", "Content-Type: image/jpeg\r\n"
        if not is_chunked:
            head += f"Content-Length: {len(data)}\r\n"
        if self.path == "/stamped":
            head += f"X-Timestamp: {now_ns / 1e9 + 12345:.6f}\r\n"
        part = head.encode() + b"\r\n" + data + b"\r\n"
        return part + delimiter.encode() if self.path == "/early" else delimiter.encode() + part


def obey(line: str) -> bool:
    """Whether to go on."""
    if line in ("freeze", "resume"):
        camera.is_frozen = line == "freeze"
    elif line in ("hold", "burst", "drip"):
        camera.is_dripping = line == "drip"
        camera.is_holding = line == "hold"
    elif line == "res":
        camera.is_small = not camera.is_small
    elif line in ("corrupt", "trunc", "hollow", "png", "whole"):
        camera.fault = line
    elif line == "end":
        camera.generation += 1
    elif line == "count":
        print(camera.connections, flush=True)  # noqa: T201
    elif line == "over":
        print(camera.over, flush=True)  # noqa: T201
    return line != "quit"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--user", default="")
    parser.add_argument("--digest", default="MD5")
    parser.add_argument("--tls", default="")
    arguments = parser.parse_args()
    camera.fps, camera.user, camera.digest = arguments.fps, arguments.user, arguments.digest
    server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    server.daemon_threads = True
    if arguments.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("READY", server.server_address[1], flush=True)  # noqa: T201
    for line in sys.stdin:
        if not obey(line.strip()):
            return


if __name__ == "__main__":
    main()
