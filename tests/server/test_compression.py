"""Compressed bodies: what they hold is what counts, and they grow no further than bodies may."""

from __future__ import annotations

import gzip
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from gradwire_server import compression, negotiation
from gradwire_server.app import create_app
from gradwire_server.compression import GZIP, ZSTD, compress, decompress
from gradwire_server.errors import BodyTooLarge, MalformedCompression
from gradwire_server.settings import Settings
from tests.server.support import call, problem

needs_zstd = pytest.mark.skipif(ZSTD not in compression.CODINGS, reason="zstd comes with Python 3.14, or with backports.zstd")
every_coding = pytest.mark.parametrize("coding", [GZIP, pytest.param(ZSTD, marks=needs_zstd)])

PROGRAM = json.dumps({"inputs": {"x": 2.0}, "nodes": [], "outputs": ["x"]}).encode()


def unchecked() -> None:
    pass


def member(coding: str, *parts: bytes) -> bytes:
    return b"".join(compress(parts, coding, unchecked))


def post(body: bytes, coding: str, **settings: Any) -> httpx.Response:
    headers = {"content-type": "application/json", "content-encoding": coding}
    return call(create_app(Settings(**settings)), "POST", "/v1/evaluate", content=body, headers=headers)


def test_members_are_those_of_others() -> None:
    assert gzip.decompress(member(GZIP, b"ab", b"c")) == b"abc"
    assert decompress(gzip.compress(b"abc"), GZIP, 3, unchecked) == b"abc"


@needs_zstd
def test_frames_are_those_of_others() -> None:
    zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    assert zstd.decompress(member(ZSTD, b"ab", b"c")) == b"abc"
    skipped = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"more"
    assert decompress(skipped + zstd.compress(b"abc"), ZSTD, 3, unchecked) == b"abc"
    # To go back this far, its reader would have to keep 128 MiB.
    wide = zstd.compress(bytes(2**24) + b"a", options={zstd.CompressionParameter.window_log: 27})
    with pytest.raises(MalformedCompression, match="too much memory"):
        decompress(wide, ZSTD, 2**25, unchecked)


@every_coding
def test_a_bomb_goes_no_further_than_bodies_may(coding: str) -> None:
    # Sixteen megabytes in sixteen kilobytes.
    bomb = member(coding, *[bytes(2**20)] * 16)
    assert len(bomb) < 2**17
    answer = post(bomb, coding, max_body_bytes=2**20)
    assert problem(answer) == (413, "body_too_large")
    assert "at most 1048576 bytes, but this one is larger than that, decompressed" in answer.json()["detail"]


@every_coding
@pytest.mark.parametrize(
    "broken",
    [
        lambda member: b"{}",
        lambda member: member(b"{}")[:-1],
        lambda member: member(b'{"inputs":{}}' * 9000)[:20],
        lambda member: member(b"{}")[:5],
        lambda member: member(b"{}") + b"more",
        lambda member: member(PROGRAM) + member(b" ")[:-2],
    ],
)
def test_compression_that_is_broken(coding: str, broken: Callable[[Callable[[bytes], bytes]], bytes]) -> None:
    answer = post(broken(lambda data: member(coding, data)), coding)
    assert problem(answer) == (400, "malformed_compression")
    assert f"The body is not valid {coding}: " in answer.json()["detail"]


def test_what_was_changed_on_the_way_is_noticed() -> None:
    with pytest.raises(MalformedCompression, match="incorrect data check"):
        decompress(gzip.compress(b"{}")[:-8] + bytes(8), GZIP, 10, unchecked)


@every_coding
def test_large_bodies_are_decompressed_in_pieces(coding: str) -> None:
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1

    for data in (np.random.default_rng(0).bytes(3_000_001), bytes(3_000_001), b"ab" * 2**17, bytes(2**16), b""):
        body = member(coding, data)
        assert decompress(body + body, coding, 2 * len(data), check) == data + data
        if data:
            with pytest.raises(BodyTooLarge):
                decompress(body + body, coding, 2 * len(data) - 1, check)
            with pytest.raises(MalformedCompression, match="cut off"):
                decompress(body + body[:-9], coding, 2 * len(data), check)
    assert checks > 300


@every_coding
def test_several_members_are_one_body(coding: str) -> None:
    body = member(coding, PROGRAM[:10]) + member(coding) + member(coding, PROGRAM[10:])
    assert post(body, coding).json()["outputs"]["x"]["data"] == 2


@every_coding
def test_members_are_not_read_without_end(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MOST_MEMBERS", 100)
    rest = member(coding) * 99
    assert post(rest + member(coding, PROGRAM), coding).status_code == 200
    answer = post(rest + member(coding, PROGRAM) + member(coding), coding)
    assert problem(answer) == (400, "malformed_compression")
    assert answer.json()["detail"] == f"The body has more than the 100 members of {coding} that are read."


def test_programs_that_compress_in_parallel_are_understood() -> None:
    # 64 MiB, the most that a body may have, in parts of 64 KiB.
    assert compression.MOST_MEMBERS > 64 * 2**20 / (64 * 2**10)


Know = Callable[[tuple[str, ...]], None]


@pytest.fixture
def know(monkeypatch: pytest.MonkeyPatch) -> Iterator[Know]:
    """Has the server know these codings and no others; what it remembers of headers that it read before is forgotten."""

    def set_codings(codings: tuple[str, ...]) -> None:
        monkeypatch.setattr(negotiation, "CODINGS", codings)
        negotiation._call_options.cache_clear()

    yield set_codings
    monkeypatch.undo()
    negotiation._call_options.cache_clear()


@pytest.mark.parametrize(
    ("accepted", "codings", "chosen"),
    [
        ("gzip", (ZSTD, GZIP), GZIP),
        ("gzip, deflate, br, zstd", (ZSTD, GZIP), ZSTD),
        ("gzip, deflate, br, zstd", (GZIP,), GZIP),
        ("zstd", (GZIP,), None),
        ("zstd;q=0.5, gzip;q=0.8", (ZSTD, GZIP), GZIP),
        ("zstd;q=0.5, gzip;q=0", (ZSTD, GZIP), ZSTD),
        ("gzip;q=0", (GZIP,), None),
        ("gzip;q=0.5, identity", (GZIP,), None),
        ("gzip, identity", (GZIP,), GZIP),
        ("gzip;q=0.2, identity;q=0.1", (GZIP,), GZIP),
        ("gzip;q=nan", (GZIP,), None),
        ("br", (ZSTD, GZIP), None),
        ("*", (ZSTD, GZIP), None),
        ("", (ZSTD, GZIP), None),
    ],
)
def test_the_most_welcome_coding(accepted: str, codings: tuple[str, ...], chosen: str | None, know: Know) -> None:
    if chosen == ZSTD and ZSTD not in compression.CODINGS:
        pytest.skip("zstd comes with Python 3.14, or with backports.zstd")
    know(codings)
    program = json.dumps({"inputs": {}, "nodes": [{"name": "x", "op": "ones", "args": [[10_000]]}], "outputs": ["x"]}).encode()
    headers = {"content-type": "application/json", "accept-encoding": accepted}
    answer = call(create_app(Settings()), "POST", "/v1/evaluate", content=program, headers=headers)
    assert answer.headers.get("content-encoding") == chosen
    # The client takes gzip off by itself.
    content = decompress(answer.content, ZSTD, 2**20, unchecked) if chosen == ZSTD else answer.content
    assert json.loads(bytes(content))["outputs"]["x"]["data"] == [1.0] * 10_000


def test_without_zstd_it_is_not_known(know: Know) -> None:
    know((GZIP,))
    answer = post(b"{}", ZSTD)
    assert problem(answer) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "gzip, identity"
    assert "compress it by gzip or not at all" in answer.json()["detail"]
