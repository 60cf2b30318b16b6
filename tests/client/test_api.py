from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import numpy as np
import pytest

from gradwire.api import AsyncClient, AsyncSession, Client, Session, open_async_transport, open_transport
from gradwire.errors import NotFound, ServiceError, ServiceRuntimeError
from gradwire.http import AsyncHttpTransport, HttpTransport
from gradwire.local import AsyncLocalTransport, LocalTransport
from gradwire.transport import ConnectFailed, ConnectionLost, Response
from tests.client.support import SQUARE, Script, plain_lists, refusal

LINE: list[dict[str, Any]] = [
    {"do": "create", "name": "x", "tensor": {"data": np.array([1.0, 2.0]), "requires_grad": True}},
    {"do": "op", "name": "y", "op": "mul", "args": ["x", 3.0]},
    {"do": "op", "name": "z", "op": "sum", "args": ["y"]},
    {"do": "backward", "of": "z"},
    {"do": "read", "name": "x", "what": ["value", "grad"]},
]


def test_evaluate(client: Client) -> None:
    answer = client.evaluate(SQUARE)
    assert plain_lists(answer["outputs"]["y"]["data"]) == [4.0, 9.0]
    assert plain_lists(answer["grads"]["x"]["data"]) == [4.0, 6.0]
    answer["grads"]["x"]["data"] *= 2.0
    assert plain_lists(client.evaluate({**SQUARE, "include": ["graph"]})["graph"]["nodes"][0].keys() >= {"grad_fn"})


def test_the_catalogue(client: Client) -> None:
    ops = client.ops()
    assert len(ops) > 300
    (mul,) = [op for op in ops if op["name"] == "mul"]
    assert client.op("mul") == mul
    with pytest.raises(NotFound, match="Did you mean 'mul'") as caught:
        client.op("mull")
    assert (caught.value.status, caught.value.code) == (404, "unknown_op")
    info = client.info()
    assert info.keys() == {"version", "api", "ops", "limits"}
    assert info["limits"].keys() >= {"tensor_bytes", "program_bytes", "nodes", "session_bytes", "batch_instructions"}


def test_the_catalogue_is_the_same_here_and_there(server_url: str) -> None:
    with Client(server_url) as there, Client(transport=LocalTransport()) as here:
        assert there.ops() == here.ops()
        assert there.info()["ops"] == here.info()["ops"]


def test_a_session(client: Client) -> None:
    with client.session(ttl_seconds=60, default_dtype="float64", seed=0) as session:
        results = session.batch(LINE)
        assert results[:4] == [None] * 4
        assert plain_lists(results[4]["grad"]["data"]) == [3.0, 3.0]
        assert plain_lists(session.read("y")["data"]) == [3.0, 6.0]
        grad = session.grad("x")
        assert grad is not None
        assert plain_lists(grad["data"]) == [3.0, 3.0]
        assert session.grad("z") is None
        for look in (session.read, session.grad, session.graph):
            with pytest.raises(NotFound, match="'nothing'") as missing:
                look("nothing")
            assert (missing.value.status, missing.value.pointer) == (404, None)
        assert [node["grad_fn"] for node in session.graph("z")["nodes"]].count("SumBackward0") == 1
    with pytest.raises(NotFound, match="There is no such session"):
        session.read("y")


def test_a_session_goes_on_after_a_mistake(client: Client) -> None:
    with client.session(default_dtype="float64") as session:
        session.batch(LINE[:3])
        with pytest.raises(ServiceRuntimeError) as caught:
            session.batch([{"do": "delete", "names": ["y"]}, {"do": "op", "name": "w", "op": "mm", "args": ["x", "x"]}])
        assert (caught.value.instruction, len(caught.value.results or [])) == (1, 1)
        with pytest.raises(ServiceError):
            session.batch([{"do": "read", "name": "y"}])
        with pytest.raises(ServiceError):
            session.send("no list")  # type: ignore[arg-type]
        assert session.batch([{"do": "read", "name": "z"}])


def test_seeds_are_the_sessions(client: Client) -> None:
    drawn = []
    for _ in range(2):
        with client.session(seed=7) as session:
            drawn.append(
                plain_lists(session.batch([{"do": "op", "name": "r", "op": "rand", "args": [[3]]}, {"do": "read", "name": "r"}])[1])
            )
    assert drawn[0] == drawn[1]


def test_threads_share_a_session(client: Client) -> None:
    with client.session(default_dtype="float64") as session:
        session.batch([{"do": "create", "name": "x", "tensor": {"data": np.array(0.0)}}])

        def work() -> None:
            for _ in range(5):
                session.batch([{"do": "op", "name": "x", "op": "add_", "args": ["x", 1.0]}])

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert float(session.read("x")["data"]) == 20.0


@pytest.mark.parametrize("way", ["http", "local"])
def test_the_asynchronous_client(way: str, request: pytest.FixtureRequest) -> None:
    async def main() -> None:
        transport = AsyncHttpTransport(request.getfixturevalue("server_url")) if way == "http" else AsyncLocalTransport()
        async with AsyncClient(transport=transport) as client:
            answers = await asyncio.gather(*(client.evaluate(SQUARE) for _ in range(5)))
            assert [plain_lists(answer["grads"]["x"]["data"]) for answer in answers] == [[4.0, 6.0]] * 5
            assert (await client.op("mul"))["name"] == "mul"
            assert (await client.info())["api"] == "v1"
            assert len(await client.ops()) > 300
            async with await client.session(default_dtype="float64") as session:
                results = await session.batch(LINE)
                assert plain_lists(results[4]["grad"]["data"]) == [3.0, 3.0]
                add = {"do": "op", "name": "x", "op": "add_", "args": ["x", 1.0], "no_grad": True}
                await asyncio.gather(*(session.batch([add]) for _ in range(5)))
                assert plain_lists((await session.read("x"))["data"]) == [6.0, 7.0]
                grad = await session.grad("x")
                assert grad is not None
                assert plain_lists(grad["data"]) == [3.0, 3.0]
                with pytest.raises(ServiceRuntimeError):
                    await session.batch([{"do": "op", "name": "w", "op": "mm", "args": ["x", "x"]}])
            with pytest.raises(NotFound):
                await session.read("y")

    asyncio.run(main())


@pytest.mark.parametrize("way", ["http", "local"])
def test_a_session_goes_on_after_a_batch_that_nobody_waited_for(way: str, request: pytest.FixtureRequest) -> None:
    async def main() -> None:
        transport = AsyncHttpTransport(request.getfixturevalue("server_url")) if way == "http" else AsyncLocalTransport()
        async with AsyncClient(transport=transport) as client, await client.session() as session:
            await session.batch([{"do": "create", "name": "x", "tensor": {"data": np.zeros(1_000_000)}}])
            slow = [{"do": "op", "name": f"y{i}", "op": "exp", "args": ["x"]} for i in range(30)]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.batch(slow), 0.05)
            # It is carried out to its end, and then the next one is.
            await session.batch([{"do": "op", "name": "z", "op": "sum", "args": ["y29"]}])
            assert float((await session.read("z"))["data"]) == 1e6

    asyncio.run(main())


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADWIRE_URL", raising=False)
    assert isinstance(open_transport(), LocalTransport)
    assert isinstance(open_async_transport(), AsyncLocalTransport)
    monkeypatch.setenv("GRADWIRE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GRADWIRE_API_KEY", "secret")
    chosen = open_transport()
    assert isinstance(chosen, HttpTransport)
    assert (chosen._exchange.url, chosen._exchange.options()["headers"]["Authorization"]) == ("http://127.0.0.1:9", "Bearer secret")
    given = open_async_transport("https://example.org", api_key="other")
    assert isinstance(given, AsyncHttpTransport)
    assert (given._exchange.url, given._exchange.options()["headers"]["Authorization"]) == ("https://example.org", "Bearer other")


def test_the_number_of_retries_is_the_callers() -> None:
    script = Script([ConnectFailed("Refused."), ConnectFailed("Refused.")])
    with pytest.raises(ConnectFailed):
        Client(transport=script, retries=1).info()
    script.close()


def test_leaving_a_session_does_not_hide_what_went_wrong() -> None:
    opened = Response(201, {"id": "s", "seq": 0})
    for gone in (refusal(404, "unknown_session"), ConnectionLost("Cut.")):
        script = Script([opened, gone])
        with pytest.raises(ZeroDivisionError), Client(transport=script, retries=0).session():
            raise ZeroDivisionError
        script.close()
    with Client(transport=Script([opened, refusal(404, "unknown_session")])).session():
        pass
    with pytest.raises(ConnectionLost), Client(transport=Script([opened, ConnectionLost("Cut.")]), retries=0).session():
        pass


@pytest.mark.parametrize(("waiting", "awaiting"), [(Client, AsyncClient), (Session, AsyncSession)])
def test_the_two_clients_have_the_same_methods(waiting: type, awaiting: type) -> None:
    def public(kind: type) -> dict[str, Any]:
        return {name: value for name, value in vars(kind).items() if not name.startswith("_")}

    assert public(waiting).keys() == public(awaiting).keys()
    for name, method in public(waiting).items():
        assert inspect.getdoc(method)
        if not isinstance(method, property):
            there, here = inspect.signature(public(awaiting)[name]), inspect.signature(method)
            assert there.parameters == here.parameters
            assert inspect.iscoroutinefunction(public(awaiting)[name])
            assert "Conversation" not in str(here) + str(there)
