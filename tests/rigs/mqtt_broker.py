"""An MQTT broker: amqtt's, as a process of its own. `python -m tests.rigs.mqtt_broker [--port N] …`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
from dataclasses import dataclass

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session


class OneUser(BaseAuthPlugin):
    """Lets in who has the one name and password."""

    @dataclass
    class Config:
        username: str
        password: str

    async def authenticate(self, *, session: Session) -> bool:
        return session.username == self.config.username and session.password == self.config.password


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def serve(arguments: argparse.Namespace) -> None:
    port = arguments.port or free_port()
    listener: dict[str, object] = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    if arguments.cert:
        listener |= {"ssl": True, "certfile": arguments.cert, "keyfile": arguments.key}
    plugins: dict[str, dict[str, object]] = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}}
    if arguments.user:
        username, _, password = arguments.user.partition(":")
        plugins = {f"{__package__}.mqtt_broker.OneUser": {"username": username, "password": password}}
    broker = Broker({"listeners": {"default": listener}, "plugins": plugins})
    await broker.start()
    print(f"READY {port}", flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await broker.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", help="NAME:PASSWORD of the only one who may connect")
    parser.add_argument("--cert", help="serve TLS with it")
    parser.add_argument("--key")
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
