"""Connections: what is no HTTP, is too much of it, or is unusual."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from scripts.running import running_server
from tests.server.sockets import PROGRAM, connect, ends, exchange, get, post, read_answer


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_server("--max-header-bytes", "20000", "--request-seconds", "20") as url:
        yield url


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (b"GARBAGE\r\n\r\n", "Invalid method"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "Invalid method"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        (b"GET /healthz HTTP/9.9\r\n\r\n", "Invalid HTTP version"),
        (b"GET /healthz HTTP/1.1\r\nHo st: x\r\n\r\n", "Invalid header token"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", "header value"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n", "whitespace"),
        (b"GET /healthz HTTP/1.1\nHost: x\n\n", "CRLF"),
        (b"GET /v1/ops/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", "url path"),
        (b"GET /healthz HTTP/1.1\r\n\r\n", "it has 0 Host headers, expected one."),
        (get("/healthz", "Host: other"), "it has 2 Host headers, expected one."),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "its target has no path."),
        (b"GET http://example.com HTTP/1.1\r\nHost: x\r\n\r\n", "its target has no path."),
        # Two lengths, of which a proxy in front may believe the other.
        (post(chunks(PROGRAM), CHUNKED, "Content-Length: 4"), "Content-Length can't be present with Transfer-Encoding"),
        (post(PROGRAM, "Content-Length: 4"), "Duplicate Content-Length"),
        (post(PROGRAM, "Transfer-Encoding: xchunked"), "Transfer-Encoding"),
        (post(chunks(PROGRAM), "Transfer-Encoding: chunked, identity"), "Transfer-Encoding"),
        (post(chunks(PROGRAM), "Transfer-Encoding : chunked"), "header field"),
        (post(chunks(PROGRAM), "Transfer-Encoding: gzip, chunked"), "its Transfer-Encoding is 'gzip, chunked', of which only 'chunked'"),
        (post(PROGRAM).replace(b"Content-Length: ", b"Content-Length: +"), "Invalid character in Content-Length"),
        # Lengths of chunks that are none.
        (post(b"5\r\n" + PROGRAM + b"\r\n0\r\n\r\n", CHUNKED), "chunk data"),
        (post(b"0x5\r\n" + PROGRAM, CHUNKED), "chunk size"),
        (post(b"f" * 17 + b"\r\n" + PROGRAM, CHUNKED), "Chunk size overflow"),
        (post(b"1\nab", CHUNKED), "chunk size"),
    ],
)
def test_what_is_no_request_is_answered_as_every_error_is(url: str, sent: bytes, detail: str) -> None:
    answer = exchange(url, sent)
    assert answer.problem() == (400, "malformed_request")
    assert answer.json["detail"].startswith("The request is not valid HTTP/1.1: ")
    assert detail in answer.json["detail"]
    assert answer.headers["connection"] == "close"


def test_the_id_of_a_request_that_is_cut_off_is_the_callers(url: str) -> None:
    answer = exchange(url, post(b"zz\r\n", CHUNKED, "X-Request-ID: mine-1"))
    assert answer.problem() == (400, "malformed_request")
    assert answer.headers["x-request-id"] == "mine-1"


def test_requests_that_cannot_be_read_are_counted(url: str) -> None:
    exchange(url, b"GARBAGE\r\n\r\n")
    numbers = httpx.get(f"{url}/metrics").text
    assert 'gradwire_requests_total{method="other",route="unmatched",status="400"}' in numbers


@pytest.mark.parametrize(
    "sent",
    [
        get("/healthz", *["X: a"] * 5000),
        get("/healthz", "X: " + "a" * 20_000),
        get("/healthz", "X: " + "a" * 5_000_000),
        get("/" + "a" * 20_000),
        post(chunks(PROGRAM)[:-2] + b"X: " + b"a" * 300_000 + b"\r\n\r\n", CHUNKED),
        post(b"1;" + b"a" * 300_000 + b"\r\n{\r\n" + chunks(PROGRAM[1:]), CHUNKED),
    ],
    ids=["many", "one", "without end", "path", "behind the body", "of a chunk"],
)
def test_too_many_headers(url: str, sent: bytes) -> None:
    answer = exchange(url, sent)
    assert answer.problem() == (431, "headers_too_large")
    assert "at most 20000 bytes" in answer.json["detail"]


def test_headers_up_to_the_limit(url: str) -> None:
    assert exchange(url, get("/healthz", "Connection: close", "X: " + "a" * 19_900)).status == 200


def test_headers_behind_the_body_are_none(url: str) -> None:
    sent = post(chunks(PROGRAM)[:-2] + b"Accept: text/html\r\n\r\n", CHUNKED, "Connection: close")
    assert exchange(url, sent).status == 200


@pytest.mark.parametrize("cut", [1, 10, 60, len(PROGRAM) - 1])
def test_bodies_in_chunks(url: str, cut: int) -> None:
    with connect(url) as client:
        for piece in (post(b"", CHUNKED), chunks(PROGRAM[:cut])[:-5], chunks(PROGRAM[cut:])):
            client.sendall(piece)
            time.sleep(0.01)
        assert read_answer(client).json["outputs"]["s"]["data"] == 5.0


def test_requests_in_a_row_without_waiting(url: str) -> None:
    with connect(url) as client:
        client.sendall(post() + get() + get("/nowhere") + post(b"{") + post())
        assert [read_answer(client).status for _ in range(5)] == [200, 200, 404, 400, 200]


def test_one_that_cannot_be_read_behind_others_ends_the_connection(url: str) -> None:
    with connect(url) as client:
        client.sendall(post() + get() + b"GARBAGE\r\n\r\n" + get())
        assert [read_answer(client).status for _ in range(2)] == [200, 200]
        assert ends(client) < 10


@pytest.mark.parametrize(
    "sent",
    [
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"GET /healthz HTTP/1.0\r\n\r\n",
        get("http://example.com/healthz", "Connection: close"),
        b"\r\n\r\n" + get("/healthz", "Connection: close"),
    ],
    ids=["1.0", "1.0 without a host", "absolute", "empty lines"],
)
def test_unusual_requests_that_are_answered(url: str, sent: bytes) -> None:
    assert exchange(url, sent).status == 200


def test_a_body_on_request(url: str) -> None:
    with connect(url) as client:
        client.sendall(post(b"", "Expect: 100-continue", length=len(PROGRAM)))
        assert read_answer(client).status == 100
        client.sendall(PROGRAM)
        assert read_answer(client).status == 200
        client.sendall(get())
        assert read_answer(client).status == 200


def test_a_body_that_is_not_wanted_is_not_asked_for(url: str) -> None:
    with connect(url) as client:
        client.sendall(post(b"", "Expect: 100-continue", "Content-Encoding: br", length=len(PROGRAM)))
        assert read_answer(client).problem() == (415, "unsupported_media_type")
        # Whether the body comes all the same nobody knows, so that no other request can follow.
        assert ends(client) < 5


def test_an_offer_of_another_protocol_is_passed_over(url: str) -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    with connect(url) as client:
        client.sendall(post(PROGRAM, *upgrade))
        assert read_answer(client).json["outputs"]["s"]["data"] == 5.0
        client.sendall(get("/healthz", "Connection: Upgrade", "Upgrade: websocket") + post(PROGRAM, *upgrade) + get())
        assert [read_answer(client).status for _ in range(3)] == [200, 200, 200]
        client.sendall(post(b"", *upgrade, length=len(PROGRAM)))
        time.sleep(0.05)
        client.sendall(PROGRAM)
        assert read_answer(client).status == 200


def products(count: int) -> bytes:
    """A program that takes a while, and is not begun where others would wait for it."""
    first = b'{"name":"m0","op":"full","args":[[700,700],0.001]}'
    nodes = [first, *(b'{"name":"m%d","op":"matmul","args":["m%d","m0"]}' % (i, i - 1) for i in range(1, count))]
    return b'{"inputs":{"x":[%s]},"outputs":["x"],"nodes":[%s]}' % (b"1.5," * 5_000 + b"1.5", b",".join(nodes))


def test_whoever_closes_only_the_sending_side_is_answered(url: str) -> None:
    for sent in (post(), post(PROGRAM).replace(b"1.1", b"1.0", 1), get() + post()):
        with connect(url) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert read_answer(client).status == 200
            if sent.startswith(b"GET"):
                assert read_answer(client).status == 200
            assert ends(client) < 5


def test_also_after_a_while(url: str) -> None:
    with connect(url) as client:
        client.sendall(post(products(30)))
        client.shutdown(socket.SHUT_WR)
        answer = read_answer(client)
        while answer.status == 100:
            answer = read_answer(client)
        assert answer.status == 200


def test_whoever_closes_both_sides_is_not_worked_for(url: str) -> None:
    def requests(status: int) -> float:
        lines = httpx.get(f"{url}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("gradwire_requests_total") and f'status="{status}"' in line)

    before = requests(499)
    with connect(url) as client:
        client.sendall(post(products(300)))
        time.sleep(0.2)
    deadline = time.monotonic() + 5
    while requests(499) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [b"", b"GET /hea", post()[:-5]])
def test_half_a_request_and_no_more(url: str, sent: bytes) -> None:
    with connect(url) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert ends(client) < 5


@pytest.mark.parametrize(
    "path", ["/v1/ops?limit=1&limit=2", "/v1/evaluate?encoding=list&encoding=list", "/v1/info?x=1&x=1", "/v1/nowhere?x=1&x=1"]
)
def test_a_parameter_is_given_once(url: str, path: str) -> None:
    answer = httpx.get(url + path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert "is given more than once" in answer.json()["detail"]
