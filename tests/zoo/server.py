"""A file server with faults, in a process of its own:  python -m tests.zoo.server FOLDER

Prints its port. The first part of a path names the fault, the rest the file. What was asked for is kept in
FOLDER/asked, a line each: the path and the range.
"""

from __future__ import annotations

import itertools
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
PIECE = 1000


class Faulty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with (FOLDER / "asked").open("a") as asked:
            asked.write(f"{self.path} {self.headers.get('Range', 'all')}\n")
        _, fault, name = self.path.partition("?")[0].split("/")
        getattr(self, f"do_{fault}")((FOLDER / name).read_bytes() if (FOLDER / name).exists() else b"")

    def log_message(self, *_: object) -> None:
        pass

    def begin(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def wanted(self, data: bytes) -> bytes:
        """As a good server answers: the range that is asked for, if one is."""
        said = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if said is None:
            self.begin(200, Content_Length=len(data))
            return data
        start = int(said[1])
        if start >= len(data):
            self.begin(416, Content_Range=f"bytes */{len(data)}")
            return b""
        self.begin(
            206,
            Content_Length=len(data) - start,
            Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}",
        )
        return data[start:]

    def do_good(self, data: bytes) -> None:
        self.wfile.write(self.wanted(data))

    def do_rangeless(self, data: bytes) -> None:
        self.begin(200, Content_Length=len(data))
        self.wfile.write(data)

    def do_cut(self, data: bytes) -> None:
        """Half of what is asked for, and the connection closes."""
        wanted = self.wanted(data)
        self.wfile.write(wanted[: (len(wanted) + 1) // 2])

    def do_once(self, data: bytes) -> None:
        """The first time half of it, then what is asked for."""
        if "Range" in self.headers:
            self.do_good(data)
        else:
            self.do_cut(data)

    def do_rangeless_cut(self, data: bytes) -> None:
        self.begin(200, Content_Length=len(data))
        self.wfile.write(data[: len(data) // 2])

    def do_stall(self, data: bytes) -> None:
        wanted = self.wanted(data)
        self.wfile.write(wanted[: len(wanted) // 2])
        self.wfile.flush()
        time.sleep(60)

    def do_drip(self, data: bytes) -> None:
        for byte in self.wanted(data):
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)

    def do_other_range(self, data: bytes) -> None:
        self.begin(206, Content_Length=1, Content_Range=f"bytes 7-7/{len(data)}")
        self.wfile.write(data[7:8])

    def do_endless(self, data: bytes) -> None:
        """No length, and ever more."""
        self.begin(200)
        for _ in itertools.count():
            self.wfile.write(data)

    def do_unmeasured(self, data: bytes) -> None:
        self.begin(200)
        self.wfile.write(data)

    def do_missing(self, _: bytes) -> None:
        self.send_error(404)

    def do_busy(self, _: bytes) -> None:
        self.send_error(503)

    def do_redirect(self, _: bytes) -> None:
        self.begin(302, Location=self.path.replace("/redirect/", "/good/"))

    def do_to_file(self, _: bytes) -> None:
        self.begin(302, Location=(FOLDER / "model.onnx").as_uri())

    def do_to_ftp(self, _: bytes) -> None:
        self.begin(302, Location="ftp://127.0.0.1/model.onnx")

    def do_round(self, _: bytes) -> None:
        self.begin(302, Location=self.path)

    def do_nonsense(self, _: bytes) -> None:
        self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that leave are what is being tested."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Faulty)
    print(server.server_address[1], flush=True)  # noqa: T201
    server.serve_forever()
