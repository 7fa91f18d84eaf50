"""MultipartParser: what servers make of multipart/x-mixed-replace, cut anywhere on its way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_engine.sources.multipart import LONGEST_HEADERS, MultipartError, MultipartParser

BODIES = st.lists(
    st.binary(min_size=1, max_size=300).filter(lambda body: b"--camera" not in body), max_size=6
)


def body_of(bodies: list[bytes], line_end: bytes, *, has_length: bool, dashes: bytes = b"--") -> bytes:
    text = b"a preamble" + line_end
    for body in bodies:
        length = b"Content-Length: %d" % len(body) + line_end if has_length else b""
        text += dashes + b"camera" + line_end + b"Content-Type: image/jpeg" + line_end + length + line_end
        text += body + line_end
    return text + dashes + b"camera--" + line_end


def fed(parser: MultipartParser, data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({cut % (len(data) + 1) for cut in cuts} | {len(data)})
    found, start = [], 0
    for end in ends:
        found += [part.body for part in parser.feed(data[start:end], start)]
        start = end
    return found


@settings(deadline=None)
@given(
    BODIES,
    st.lists(st.integers(0, 10_000), max_size=20),
    st.sampled_from([b"\r\n", b"\n"]),
    st.sampled_from(["camera", '"camera"', "--camera", '"--camera"', "camera; charset=utf-8"]),
)
def test_parts_with_a_length_come_out_as_they_were_however_they_are_cut(
    bodies: list[bytes], cuts: list[int], line_end: bytes, name: str
) -> None:
    parser = MultipartParser(f"multipart/x-mixed-replace; boundary={name}")
    assert fed(parser, body_of(bodies, line_end, has_length=True), cuts) == bodies


@settings(deadline=None)
@given(
    st.lists(
        st.binary(min_size=1, max_size=100).map(lambda data: b"\xff\xd8" + data.hex().encode() + b"\xff\xd9")
    ),
    st.lists(st.integers(0, 10_000), max_size=20),
    st.sampled_from([b"\r\n", b"\n"]),
)
def test_parts_without_a_length_end_where_the_next_begins(
    bodies: list[bytes], cuts: list[int], line_end: bytes
) -> None:
    parser = MultipartParser("multipart/x-mixed-replace;boundary=camera")
    assert fed(parser, body_of(bodies, line_end, has_length=False), cuts) == bodies


def test_headers_are_told_and_when_a_part_began() -> None:
    parser = MultipartParser("multipart/x-mixed-replace; boundary=b")
    assert parser.feed(b"--b\r\nX-Timestamp: 12.5\r\nCONTENT-length:3\r\n\r\nab", 5) == []
    (part,) = parser.feed(b"c", 9)
    assert part == ({"x-timestamp": "12.5", "content-length": "3"}, b"abc", 5)


def test_a_part_begins_with_its_first_byte_not_with_what_was_sent_ahead_of_it() -> None:
    parser = MultipartParser("multipart/x-mixed-replace; boundary=b")
    head = b"Content-Length: 3\r\n\r\n"
    (first,) = parser.feed(b"--b\r\n" + head + b"abc\r\n--b\r\n", 5)
    assert parser.feed(head, 6) == []
    (second,) = parser.feed(b"def", 90)
    assert (first.began_ns, second.began_ns) == (5, 90)


def test_what_has_no_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(MultipartError, match="no boundary"):
        MultipartParser("multipart/x-mixed-replace")
    endless = MultipartParser("multipart/x-mixed-replace; boundary=b")
    with pytest.raises(MultipartError, match="headers of a part are longer"):
        endless.feed(b"--b\r\n" + b"x" * (LONGEST_HEADERS + 1), 0)
    huge = MultipartParser("multipart/x-mixed-replace; boundary=b")
    with pytest.raises(MultipartError, match="a part is longer"):
        huge.feed(b"--b\r\nContent-Length: 99999999999\r\n\r\n", 0)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_noise_is_no_part_and_no_crash(pieces: list[bytes]) -> None:
    parser = MultipartParser("multipart/x-mixed-replace; boundary=b")
    for piece in pieces:
        parser.feed(piece, 0)
