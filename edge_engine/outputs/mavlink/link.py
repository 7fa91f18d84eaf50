"""Link: bytes to and from an autopilot, over UDP, TCP or a serial port, by pymavlink's names for them.

pymavlink's own connections wait without a limit, and keep what goes wrong to themselves.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any, Protocol, TypeAlias

from edge_engine.errors import ConfigError

Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

_CONNECT_S = 5.0
_SEND_S = 1.0
_MOST_BYTES = 4096


class NobodyYetError(ConnectionError):
    """The link is well, but nobody has spoken whom one could answer."""


class Link(Protocol):
    def write(self, data: bytes) -> None:
        """Within a second; OSError."""
        ...

    def read(self) -> bytes:
        """What has come, if anything; OSError."""
        ...

    def close(self) -> None: ...


def open_link(connection: str, baud: int) -> Link:
    """`udpout:HOST:PORT`, `udpin:HOST:PORT`, `tcp:HOST:PORT`, or a serial device's path. Raises OSError."""
    kind, _, rest = connection.partition(":")
    if kind not in ("udpout", "udpin", "tcp"):
        return SerialLink(connection, baud)
    host, _, port = rest.rpartition(":")
    address = host.strip("[]"), int(port)
    if kind == "tcp":
        return TcpLink(socket.create_connection(address, _CONNECT_S))
    family, _, _, _, found = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    try:
        datagrams.setblocking(False)
        return UdpOut(datagrams, found) if kind == "udpout" else UdpIn(datagrams, found)
    except OSError:
        datagrams.close()
        raise


class UdpOut:
    """To one address. On this machine the system tells when nobody listens there."""

    def __init__(self, datagrams: socket.socket, address: Address) -> None:
        self._socket = datagrams
        self._socket.connect(address)

    def write(self, data: bytes) -> None:
        self._socket.send(data)

    def read(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return self._socket.recv(_MOST_BYTES)
        return b""

    def close(self) -> None:
        self._socket.close()


class UdpIn:
    """To whoever spoke last."""

    def __init__(self, datagrams: socket.socket, address: Address) -> None:
        self._socket = datagrams
        self._socket.bind(address)
        self._peer: Any = None

    def write(self, data: bytes) -> None:
        if self._peer is None:
            raise NobodyYetError("no autopilot has sent anything there yet")
        self._socket.sendto(data, self._peer)

    def read(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            data, self._peer = self._socket.recvfrom(_MOST_BYTES)
            return data
        return b""

    def close(self) -> None:
        self._socket.close()


class TcpLink:
    def __init__(self, stream: socket.socket) -> None:
        self._socket = stream
        self._socket.settimeout(_SEND_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self) -> bytes:
        self._socket.setblocking(False)  # with a time limit Python waits for it, whatever the flags say
        try:
            data = self._socket.recv(_MOST_BYTES)
        except BlockingIOError:
            return b""
        finally:
            self._socket.settimeout(_SEND_S)
        if not data:
            raise ConnectionError("the other side has closed the connection")
        return data

    def close(self) -> None:
        self._socket.close()


class SerialLink:
    def __init__(self, device: str, baud: int) -> None:
        """Raises ConfigError without pyserial."""
        try:
            import serial
        except ModuleNotFoundError:
            raise ConfigError(
                "outputs.mavlink: a serial port needs pyserial: pip install 'edge-engine[mavlink]'"
            ) from None
        self._port = serial.Serial(device, baud, timeout=0, write_timeout=_SEND_S)

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self) -> bytes:
        return bytes(self._port.read(_MOST_BYTES))

    def close(self) -> None:
        self._port.close()
