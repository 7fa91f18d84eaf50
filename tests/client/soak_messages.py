"""python -m tests.client.soak_messages [--messages 100000] [--seconds 20]

What a client must hold, each with its measure; exit 1 on a miss. A publisher in a process of its own sends
what was written down beforehand: damaged, repeated, late, missing and foreign messages; others are timed,
on cores that go to sleep between messages and, as root, on cores that don't (`realtime: {awake: true}`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import statistics
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory

import msgspec
import zmq

from edge_engine.client import Subscriber
from edge_engine.clock import NS_PER_MS, monotonic_ns
from edge_engine.errors import ConfigError
from edge_engine.outputs.zeromq import ZeroMqOutput
from edge_engine.scheduling import keep_awake
from edge_engine.wire import encode
from tests.client.publisher import make_result
from tests.sources import soak_network
from tests.sources.soak_network import report

_PADDING = "x" * 1_700  # a message of 2 kB


def script(messages: int, seed: int) -> tuple[list[bytes], Counter[str]]:
    """What is sent, and how much of each kind there is in it."""
    chance, sent, told = random.Random(seed), list[bytes](), Counter[str]()
    old = msgspec.structs.replace(make_result(), session="before")
    sent.append(encode(old))
    told["received"] += 1
    number, late = 0, list[tuple[int, bytes]]()
    while len(sent) < messages:
        number += 1
        message = encode(make_result(number))
        kind = chance.choice(["good"] * 5 + ["damaged", "repeated", "late", "missing", "foreign"])
        if number == 1:
            kind = "good"
        if kind == "damaged":
            told["damaged"] += 1
            sent.append(damaged(message, chance))
            sent.append(message)
            told["received"] += 1
        elif kind == "missing":
            told["lost"] += 1
        elif kind == "late":
            late.append((number + chance.randint(1, 20), message))
        elif kind == "foreign":
            told["foreign"] += 1
            sent.append(foreign(number, chance))
            told["lost"] += 1
        else:
            told["received"] += 1
            sent += [message] * (2 if kind == "repeated" else 1)
            told["repeated"] += kind == "repeated"
            for due, each in [each for each in late if each[0] <= number]:
                late.remove((due, each))
                sent.append(each)
                told["late"] += 1
    told["lost"] += sum(due - 20 <= number for due, _ in late)
    number += 1
    sent.append(encode(make_result(number)))
    told["received"] += 1
    return sent, told


def damaged(message: bytes, chance: random.Random) -> bytes:
    """The topic's beginning stays, or ZeroMQ's filter would take it."""
    data, at = bytearray(message), chance.randrange(8, len(message))
    how = chance.randrange(3)
    if how == 0:
        data[at] ^= chance.randint(1, 255)
    elif how == 1:
        del data[at:]
    else:
        data[at:at] = chance.randbytes(chance.randint(1, 9))
    return bytes(data)


def foreign(number: int, chance: random.Random) -> bytes:
    """Whole, but of the run before, of a newer version, of no kind that is known, or with another's topic."""
    result = make_result(number)
    how = chance.randrange(3)
    if how == 0:
        return encode(msgspec.structs.replace(result, session="before"))
    if how == 1:
        return encode(msgspec.structs.replace(result, version=99))
    body = encode(result)[:-4].replace(b"result/front\0", b"result/rear\0")
    return body + zlib.crc32(body).to_bytes(4, "big")


def send_script(endpoint: str, messages: list[bytes], pipe: Connection) -> None:
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.bind(endpoint)
        for _ in range(3):
            socket.recv()
        for message in messages:
            socket.send(message)
        pipe.recv()


KINDS = ("received", "lost", "repeated", "late", "damaged", "foreign")


def told_apart(count: int, folder: str) -> tuple[dict[str, int], dict[str, int], list[int]]:
    """How many there were of each kind, how many were found, and the numbers of the results that were given
    out."""
    messages, told = script(count, seed=1)
    endpoint = f"ipc://{folder}/script"
    with Subscriber(endpoint) as subscriber:
        ours, theirs = multiprocessing.Pipe()
        sender = multiprocessing.Process(target=send_script, args=(endpoint, messages, theirs))
        sender.start()
        numbers = [
            result.counters.published for result in subscriber.results(timeout_s=5) if result.session == "a"
        ]
        stats = subscriber.stats
        ours.send("done")
        sender.join()
    return {kind: told[kind] for kind in KINDS}, {kind: getattr(stats, kind) for kind in KINDS}, numbers


def detection(count: int, folder: str) -> None:
    wanted, found, numbers = told_apart(count, folder)
    holds = found == wanted and numbers == sorted(set(numbers))
    report(f"{count} messages, told apart", str(wanted), str(found), holds=holds)


def percentile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000)[round(share * 1000) - 1]


def receive(endpoint: str, seconds: float, pipe: Connection) -> None:
    """How long each result was on its way, in ms; how many were given out beyond their time."""
    with Subscriber(endpoint) as subscriber:
        pipe.send("there")
        ages, over, until = list[float](), 0, time.monotonic() + seconds
        for result in subscriber.results(timeout_s=seconds):
            ages.append((monotonic_ns() - result.published_ns) / NS_PER_MS)
            newest = subscriber.latest()
            over += newest is not None and monotonic_ns() > newest.valid_until_ns + NS_PER_MS
            if time.monotonic() > until:
                break
        pipe.send((ages, over))


def looking(endpoint: str, seconds: float, pipe: Connection) -> None:
    """A control loop: the age of what it acted on, at most, and how much of that was over its time."""
    with Subscriber(endpoint) as subscriber:
        pipe.send("there")
        acted, over, until = 0, 0, time.monotonic() + seconds
        while time.monotonic() < until:
            newest = subscriber.latest()
            if newest is not None:
                acted += 1
                over += newest.captured_ns + 500 * NS_PER_MS < monotonic_ns() - 2 * NS_PER_MS
            time.sleep(0.005)
        pipe.send(([float(acted)], over))


class Sender:
    """The engine's own output, at 200 messages of 2 kB a second."""

    def __init__(self, endpoint: str) -> None:
        self.output = ZeroMqOutput(endpoint, {}, "a")
        self.number = 0
        self.took_ms: list[float] = []

    def send_for(self, seconds: float) -> None:
        began = time.monotonic()
        until, sent = began + seconds, 0
        while time.monotonic() < until:
            self.number += 1
            sent += 1
            now_ns = monotonic_ns()
            message = make_result(
                self.number, model=_PADDING, valid_until_ns=now_ns + 500 * NS_PER_MS, captured_ns=now_ns
            )
            started = time.perf_counter()
            self.output._send(message)
            self.took_ms.append((time.perf_counter() - started) * 1000)
            time.sleep(max(0.0, began + sent / 200 - time.monotonic()))


def start(
    target: Callable[[str, float, Connection], None], endpoint: str, seconds: float
) -> tuple[multiprocessing.Process, Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=target, args=(endpoint, seconds, theirs))
    process.start()
    ours.recv()
    return process, ours


@contextmanager
def awake() -> Iterator[bool]:
    """Whether the cores are kept from sleeping meanwhile, which the system may refuse."""
    try:
        file = keep_awake()
    except ConfigError:
        yield False
        return
    with file:
        yield True


def latency(endpoint: str, seconds: float, cores: str, *, is_asked: bool = True) -> None:
    sender = Sender(endpoint)
    process, pipe = start(receive, sender.output.endpoint, seconds)
    time.sleep(0.5)
    sender.send_for(seconds + 1)
    ages, _ = pipe.recv()
    process.join()
    sender.output.close()
    p99 = percentile(ages, 0.99)
    kind, n = endpoint.partition(":")[0], len(ages)
    asked = "p99 <= 0.5 ms" if is_asked else "for information"
    measured = f"p50 {statistics.median(ages):.3f} ms, p99 {p99:.3f} ms"
    what = f"one way over {kind}, {n} messages of 2 kB at 200 a second, {cores}"
    report(what, asked, measured, holds=p99 <= 0.5 or not is_asked)


def stopped(endpoint: str, seconds: float) -> None:
    """One of three subscribers is stopped for five seconds."""
    sender = Sender(endpoint)
    others = [start(receive, sender.output.endpoint, seconds + 7) for _ in range(2)]
    victim, victims = start(looking, sender.output.endpoint, seconds + 7)
    time.sleep(0.5)
    sender.send_for(seconds)
    sender.took_ms.clear()
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGSTOP)
    sender.send_for(5)
    during, sender.took_ms = sender.took_ms, []
    os.kill(victim.pid, signal.SIGCONT)
    sender.send_for(4)
    told = [pipe.recv() for _, pipe in others]
    (acted,), over = victims.recv()
    for process in (*(each for each, _ in others), victim):
        process.join()
    sender.output.close()
    kind = endpoint.partition(":")[0]
    p99 = percentile(during, 0.99)
    report(
        f"{kind}: send with one of three subscribers stopped",
        "p99 <= 0.2 ms",
        f"p99 {p99:.3f} ms",
        holds=p99 <= 0.2,
    )
    report(
        f"{kind}: results over their age that it acted on",
        "0",
        f"{over} of {acted:.0f}",
        holds=not over and acted > 0,
    )
    n = int(seconds * 200)
    ratios = [
        statistics.median(ages[n : n + 900]) / statistics.median(ages[100 : n - 50]) for ages, _ in told
    ]
    report(
        f"{kind}: the others' latency, while it was stopped ÷ before",
        "0.8 to 1.2",
        ", ".join(f"{ratio:.2f}" for ratio in ratios),
        holds=all(0.8 <= ratio <= 1.2 for ratio in ratios),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        detection(arguments.messages, folder)
        for endpoint in (f"ipc://{folder}/results", "tcp://127.0.0.1:*"):
            with awake() as are_awake:
                cores = "cores kept awake" if are_awake else "cores that may sleep"
                latency(endpoint, arguments.seconds, cores)
                stopped(endpoint, arguments.seconds)
            if are_awake:
                latency(endpoint, arguments.seconds, "cores that may sleep", is_asked=False)
    sys.exit(bool(soak_network.misses))


if __name__ == "__main__":
    main()
