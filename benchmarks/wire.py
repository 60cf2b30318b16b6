"""A million float64 in and their gradient out over HTTP, against servers that send back what they were sent.

The echoes run on the same server software and do the least that each format allows: nothing for bytes, and for JSON reading the lists
and writing them again by orjson.
"""

from __future__ import annotations

import http.client
import os
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import orjson

from gradwire_engine import attached
from gradwire_engine.safetensors import MEDIA_TYPE
from scripts.running import running_server

from .http import echo_server

_ELEMENTS = 1_000_000
_ROUNDS = 31
# The first two calls of a program run it node by node, the third compiles it.
_WARMING_UP = 4
_JSON = "application/json"
_ECHOES = """
import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def raw(request):
    return Response(await request.body(), media_type="application/octet-stream")

async def parsed(request):
    return Response(orjson.dumps(orjson.loads(await request.body())), media_type="application/json")

app = Starlette(routes=[Route("/raw", raw, methods=["POST"]), Route("/json", parsed, methods=["POST"])])
"""


def _bodies(x: np.ndarray) -> tuple[bytes, bytes]:
    """The same program in both formats: the sum of squares, and its gradient."""
    program = {
        "inputs": {"x": {"data": x, "dtype": "float64", "requires_grad": True}},
        "nodes": [{"name": "y", "op": "mul", "args": ["x", "x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
        "outputs": ["z"],
        "backward": "z",
    }
    as_json = orjson.dumps(program, option=orjson.OPT_SERIALIZE_NUMPY)
    return b"".join(attached.pack(program, attached.REQUEST, orjson.dumps)), as_json


def _caller(url: str, path: str, body: bytes, media: str) -> Callable[[], bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"))

    def call() -> bytes:
        connection.request("POST", path, body, {"Content-Type": media, "Accept": media})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {content[:500]!r}")
        return content

    return call


def _check(x: np.ndarray, binary: bytes, text: bytes) -> None:
    for document in (attached.unpack(binary, attached.RESPONSE), orjson.loads(text)):
        if not np.array_equal(document["grads"]["x"]["data"], 2 * x):
            raise RuntimeError("The gradient is not that of the sum of squares.")


def measure() -> str:
    """Runs both servers, checks the gradients, and gives the table."""
    x = np.random.default_rng(0).normal(size=_ELEMENTS)
    binary, text = _bodies(x)
    with echo_server(_ECHOES) as echo, running_server() as ours:
        calls = {
            "bytes echo": _caller(echo, "/raw", binary, "application/octet-stream"),
            "gradwire, safetensors": _caller(ours, "/v1/evaluate", binary, MEDIA_TYPE),
            "orjson echo": _caller(echo, "/json", text, _JSON),
            "gradwire, JSON": _caller(ours, "/v1/evaluate", text, _JSON),
        }
        _check(x, calls["gradwire, safetensors"](), calls["gradwire, JSON"]())
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(_WARMING_UP):
            for call in calls.values():
                call()
        order = list(calls)
        for _ in range(_ROUNDS):
            for name in order:
                start = time.perf_counter()
                calls[name]()
                times[name].append((time.perf_counter() - start) * 1e3)
            # Nobody always comes after the same one.
            order.reverse()
    lines = [f"{_ELEMENTS:,} float64 in and their gradient out over HTTP, medians of {_ROUNDS} rounds, and of the ratios within a round"]
    for name, reference in zip(times, ("bytes echo", "bytes echo", "orjson echo", "orjson echo"), strict=True):
        ratios = [ours / theirs for ours, theirs in zip(times[name], times[reference], strict=True)]
        low, middle, high = statistics.quantiles(ratios)
        spread = f"   (half of them from {low:.2f}x to {high:.2f}x)" if name != reference else ""
        lines.append(f"  {name:<22} {statistics.median(times[name]):8.1f} ms   {middle:5.2f}x{spread}")
    return "\n".join([*lines, _memory(binary, x)])


def _memory(body: bytes, x: np.ndarray) -> str:
    """How much more memory a server of its own has taken after some calls than after one with nothing in it."""
    small, _ = _bodies(x[:1])
    before, after = (_peak(calls) for calls in ([small], [small, *[body] * 5]))
    return f"  server memory with safetensors, over the {len(body) / 2**20:.1f} MiB of the body: {(after - before) / len(body):.1f}x"


def _peak(bodies: list[bytes]) -> int:
    """The most bytes that a server took that answered the bodies: of all children that have ended, the system only tells the largest."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with running_server() as url:
            for body in bodies:
                _caller(url, "/v1/evaluate", body, MEDIA_TYPE)()
        os.write(writer, str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as result:
        return int(result.read())


if __name__ == "__main__":
    print(measure())
