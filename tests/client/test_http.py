from __future__ import annotations

import asyncio
import contextlib
import gc
import http.server
import os
import socket
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradwire import conversations
from gradwire.conversations import Retries
from gradwire.drivers import arun, run
from gradwire.errors import ServiceError, Unauthorized, Unavailable
from gradwire.http import AsyncHttpTransport, HttpTransport
from gradwire.transport import AnswerTimeout, ConnectFailed, ConnectionLost, Request, Response, TransportError, UnreadableAnswer
from gradwire_engine.errors import TensorValueError
from scripts.running import running_server
from tests.client.support import SQUARE, plain_lists

ONCE = Retries(attempts=1)
INFO = Request("GET", "/v1/info")


@contextlib.contextmanager
def web_server(status: int, headers: dict[str, str], body: bytes, *, length: int | None = None) -> Iterator[str]:
    """A server that gives the same answer to everything, its length stated wrongly if need be."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if length != -1:
                self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def ask(url: str, request: Request = INFO, **options: Any) -> Response:
    transport = HttpTransport(url, **options)
    try:
        return transport.send(request)
    finally:
        transport.close()


def test_arrays_go_there_and_back(server_url: str) -> None:
    response = ask(server_url, Request("POST", "/v1/evaluate", body=SQUARE, tensors=True))
    assert response.status == 200
    assert plain_lists(response.document["grads"]["x"]["data"]) == [4.0, 6.0]
    assert response.document["outputs"]["y"]["data"].dtype == np.float64
    assert response.headers["content-type"] == "application/json"


def test_large_arrays_go_as_they_are(server_url: str) -> None:
    x = np.random.default_rng(0).normal(size=(200, 50))
    body = {**SQUARE, "inputs": {"x": {"data": x, "requires_grad": True}}}
    response = ask(server_url, Request("POST", "/v1/evaluate", body=body, tensors=True))
    assert response.headers["content-type"] == "application/x-safetensors"
    gradient = response.document["grads"]["x"]
    assert np.array_equal(gradient.pop("data"), 2 * x)
    assert gradient == {"dtype": "float64", "shape": [200, 50], "requires_grad": False, "is_leaf": True, "grad_fn": None}


def test_a_garbled_answer_of_tensors_is_no_answer() -> None:
    with (
        web_server(200, {"Content-Type": "application/x-safetensors"}, b"short") as url,
        pytest.raises(ConnectionLost, match="is cut short or garbled"),
    ):
        ask(url)


def test_connections_are_kept_and_not_left_behind(server_url: str) -> None:
    transport = HttpTransport(server_url)
    for _ in range(3):
        transport.send(INFO)
    assert len(transport._client._transport._pool.connections) == 1  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del transport
        gc.collect()


def test_a_transport_serves_several_threads(server_url: str) -> None:
    transport = HttpTransport(server_url)
    answers: list[int] = []

    def work() -> None:
        for _ in range(5):
            answers.append(transport.send(INFO).status)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    transport.close()
    assert answers == [200] * 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system cannot fork.")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(server_url: str) -> None:
    transport = HttpTransport(server_url)
    ops = transport.send(INFO).document["ops"]
    parents = transport._client
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Whatever happens, the child must not go on as a second test run.
        try:
            answers = [transport.send(INFO).document["ops"] for _ in range(20)]
            os.write(writing, b"good" if answers == [ops] * 20 and transport._client is not parents else b"bad")
            transport.close()
        finally:
            os._exit(0)
    os.close(writing)
    answers = [transport.send(INFO).document["ops"] for _ in range(20)]
    assert os.read(reading, 10) == b"good"
    os.close(reading)
    assert os.waitpid(child, 0) == (child, 0)
    assert answers == [ops] * 20
    assert transport.send(INFO).status == 200
    assert transport._client is parents
    transport.close()


def test_where_nobody_listens_there_is_no_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectFailed, match=f"There is no connection to {url}: .*refused") as caught:
            ask(url)
    assert isinstance(caught.value, ConnectionError)


def test_who_accepts_and_says_nothing_is_waited_for_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(AnswerTimeout, match=r"did not answer within 0\.1 seconds") as caught:
            ask(url, timeout=0.1)
    assert isinstance(caught.value, TimeoutError)


def test_an_answer_that_is_cut_short_is_none() -> None:
    for answer in [
        web_server(200, {"Content-Type": "application/json"}, b'{"a": 1', length=100),
        web_server(200, {"Content-Type": "application/json"}, b'{"a": 1', length=-1),
    ]:
        with answer as url, pytest.raises(ConnectionLost):
            ask(url)


def test_a_server_of_another_kind_is_recognised() -> None:
    with web_server(200, {"Content-Type": "text/html"}, b"<html>") as url, pytest.raises(UnreadableAnswer, match="answered with text/html"):
        ask(url)


def test_errors_of_a_gateway_become_exceptions() -> None:
    with web_server(502, {"Content-Type": "text/html"}, b"<h1>Bad</h1>") as url:
        transport = HttpTransport(url)
        with pytest.raises(Unavailable, match=r"The answer was 502 Bad Gateway, and not one of Gradwire's: '<h1>Bad</h1>'\.") as caught:
            run(conversations.info(retries=ONCE), transport)
        transport.close()
    assert (caught.value.status, caught.value.code) == (502, "http_502")


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "localhost", "ftp://example.org", "http://", "http://[::1", "http://h?x=1"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    for kind in (HttpTransport, AsyncHttpTransport):
        with pytest.raises(TensorValueError, match="is not the address of a server"):
            kind(url)


def test_a_path_in_the_address_comes_first() -> None:
    with web_server(200, {"Content-Type": "application/json"}, b"{}") as url:
        transport = HttpTransport(url + "/under/")
        assert transport.send(INFO).status == 200
        assert transport._exchange.call(INFO)["url"] == f"{url}/under/v1/info"
        transport.close()


def test_keys_are_sent() -> None:
    from gradwire_server.keys import hash_key

    with running_server("--api-keys", hash_key("secret")) as url:
        assert ask(url, api_key="secret").status == 200
        transport = HttpTransport(url, api_key="wrong")
        with pytest.raises(Unauthorized, match="The API key is not known") as caught:
            run(conversations.info(), transport)
        transport.close()
    assert caught.value.request_id


def test_a_program_may_ask_for_less_time(server_url: str) -> None:
    start = {"name": "a", "op": "zeros", "args": [[700, 700]]}
    slow = {"nodes": [start, *({"name": f"n{i}", "op": "matmul", "args": ["a", "a"]} for i in range(300))], "outputs": ["n299"]}
    transport = HttpTransport(server_url)
    with pytest.raises(ServiceError, match=r"within the 0\.2 seconds") as caught:
        run(conversations.evaluate(slow, seconds=0.2), transport)
    transport.close()
    assert caught.value.code == "deadline_exceeded"


def test_the_asynchronous_transport_does_the_same(server_url: str) -> None:
    async def main() -> list[Any]:
        transport = AsyncHttpTransport(server_url)
        answers = await asyncio.gather(*(arun(conversations.evaluate(SQUARE), transport) for _ in range(10)))
        await transport.close()
        return answers

    assert [plain_lists(answer["grads"]["x"]["data"]) for answer in asyncio.run(main())] == [[4.0, 6.0]] * 10


def test_the_asynchronous_transport_fails_likewise() -> None:
    async def main(url: str) -> TransportError:
        transport = AsyncHttpTransport(url)
        try:
            with pytest.raises(ConnectionLost) as caught:
                await transport.send(INFO)
            return caught.value
        finally:
            await transport.close()

    with web_server(200, {"Content-Type": "application/json"}, b'{"a": 1', length=100) as url:
        assert str(asyncio.run(main(url))).startswith(f"The connection to {url} broke before the answer was complete")
