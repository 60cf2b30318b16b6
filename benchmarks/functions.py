"""Registered functions over HTTP: against a bare echo, UM-Bridge's Python server and Tesseract.

The function is Rosenbrock's, of which the peers have value and derivatives written by hand in NumPy. They run as they come, and so do
we, with logs and metrics. Requests are written out beforehand and answers are not decoded, which favours whoever talks JSON.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import orjson

from gradwire_engine import attached
from gradwire_engine.dtypes import Array
from gradwire_engine.safetensors import MEDIA_TYPE
from scripts.running import running_server

from . import peers
from .calls import JSON, Caller, Request, requests_per_second
from .http import echo_server
from .timing import by_turns, table

_PROGRAM = "a = x[1:] - x[:-1] ** 2\nb = 1 - x[:-1]\nloss = (100 * a * a + b * b).sum()"
_CALL = "/v1/functions/{}/{}"
_ECHOES = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

async def raw(request):
    return Response(await request.body(), media_type="application/json")

async def parsed(request):
    return JSONResponse(await request.json())

app = Starlette(routes=[Route("/raw", raw, methods=["POST"]), Route("/json", parsed, methods=["POST"])])
"""
_VECTORS = 50
_WRK_ROUNDS = 3
_WRK_SECONDS = 3
# What keeps a server of two processors busy for about three seconds.
_LONG = {
    "sines": "y = ones([250000], dtype=torch.float64) * x" + "\ny = y.sin()" * 500 + "\nloss = y.sum()",
    "matrix products": "y = ones([1200, 1200], dtype=torch.float64) * x" + "\ny = y @ y" * 50 + "\nloss = y.sum()",
}


def measure() -> str:
    """Starts all servers that are installed, checks that their gradients agree, and gives the tables."""
    with ExitStack() as stack:
        urls = {"echo": stack.enter_context(echo_server(_ECHOES)), "gradwire": stack.enter_context(running_server())}
        data = stack.enter_context(tempfile.TemporaryDirectory())
        urls["gradwire, 2 workers"] = stack.enter_context(running_server("--workers", "2", "--data-dir", data))
        told = []
        for name, start, package in (("UM-Bridge", peers.um_bridge, "umbridge"), ("Tesseract", peers.tesseract, "tesseract-core")):
            version = peers.version(package)
            if version is not None:
                urls[name] = stack.enter_context(start())
            told.append(f"{name} {version}" if version else f"{name} is not installed and left out")
        for name in ("gradwire", "gradwire, 2 workers"):
            _register(urls[name], "rosenbrock", {"x": {"dtype": "float64", "shape": ["n"]}}, _PROGRAM)
        parts = [_latency(urls), _throughput(urls), _large(urls), _products(urls), _probes(urls["gradwire"])]
    return "\n\n".join(["Registered functions over HTTP: " + "; ".join(told), *parts])


def _register(url: str, name: str, inputs: Mapping[str, Any], program: str) -> None:
    body = orjson.dumps({"inputs": inputs, "program": program, "outputs": ["loss"]})
    Caller(url, Request(f"/v1/functions/{name}", body, method="PUT"))()


def _start(n: int) -> Array:
    return np.random.default_rng(0).normal(size=n)


def _value_and_grad(x: Array) -> Request:
    return Request(_CALL.format("rosenbrock", "value_and_grad"), orjson.dumps({"inputs": {"x": x.tolist()}}))


def _um_bridge(call: str, x: Array, **fields: Any) -> Request:
    document = {"name": f"rosenbrock{len(x)}", "input": [x.tolist()], "config": {}, **fields}
    return Request(f"/{call}", orjson.dumps(document))


def _um_bridge_pair(x: Array) -> list[Request]:
    return [_um_bridge("Evaluate", x), _um_bridge("Gradient", x, outWrt=0, inWrt=0, sens=[1.0])]


def _tesseract_pair(x: Array, *, base64: bool = False) -> list[Request]:
    encoded: Any = x.tolist()
    headers = {"Content-Type": JSON, "Accept": JSON}
    if base64:
        data = {"buffer": b64encode(x.tobytes()).decode(), "encoding": "base64"}
        encoded = {"object_type": "array", "shape": list(x.shape), "dtype": "float64", "data": data}
        headers["Accept"] = "application/json+base64"
    inputs = {"inputs": {"x": encoded}}
    pull = {**inputs, "vjp_inputs": ["x"], "vjp_outputs": ["loss"], "cotangent_vector": {"loss": 1.0}}
    return [Request("/apply", orjson.dumps(inputs), headers), Request("/vector_jacobian_product", orjson.dumps(pull), headers)]


def _agree(expected: Array, given: Any, who: str) -> None:
    if not np.allclose(np.asarray(given), expected, rtol=1e-9, atol=1e-9):
        raise RuntimeError(f"{who} gives another derivative than gradwire.")


def _latency(urls: Mapping[str, str]) -> str:
    x = _start(10)
    ask = _value_and_grad(x)
    calls = {
        "Starlette, the bytes echoed": Caller(urls["echo"], Request("/raw", ask.body)),
        "Starlette, the JSON echoed": Caller(urls["echo"], Request("/json", ask.body)),
        "gradwire, value_and_grad": Caller(urls["gradwire"], ask),
    }
    gradient = json.loads(calls["gradwire, value_and_grad"]()[0])["grads"]["x"]["data"]
    if "UM-Bridge" in urls:
        calls["UM-Bridge, Evaluate and Gradient"] = Caller(urls["UM-Bridge"], *_um_bridge_pair(x))
        _agree(gradient, json.loads(calls["UM-Bridge, Evaluate and Gradient"]()[1])["output"], "UM-Bridge")
    if "Tesseract" in urls:
        calls["Tesseract, apply and vjp"] = Caller(urls["Tesseract"], *_tesseract_pair(x))
        _agree(gradient, json.loads(calls["Tesseract, apply and vjp"]()[1])["x"]["data"]["buffer"], "Tesseract")
    # Turns long enough for a server to have its own code in the caches of the processor again.
    seconds = by_turns(calls, rounds=60, repeats=25)
    results = {name: value * 1e6 for name, value in seconds.items()}
    return table("Value and gradient, n = 10, one connection", "us", results, "Starlette, the JSON echoed")


def _throughput(urls: Mapping[str, str]) -> str:
    """Requests a second; of the peers the better of value and gradient, and what is left when a caller needs both."""
    x = _start(10)
    ask = [_value_and_grad(x)]
    plans = {"gradwire, value_and_grad": ("gradwire", ask), "gradwire, value_and_grad, 2 workers": ("gradwire, 2 workers", ask)}
    for peer, pair, names in (
        ("UM-Bridge", _um_bridge_pair(x), ("Evaluate", "Gradient")),
        ("Tesseract", _tesseract_pair(x), ("apply", "vjp")),
    ):
        if peer in urls:
            plans |= {f"{peer}, {name}": (peer, [request]) for name, request in zip(names, pair, strict=True)}
            plans[f"{peer}, both by turns"] = (peer, pair)
    rates: dict[str, list[float]] = {name: [] for name in plans}
    for _ in range(_WRK_ROUNDS):
        for name, (server, requests) in plans.items():
            rate = requests_per_second(urls[server], requests, seconds=_WRK_SECONDS)
            if rate is None:
                return "Requests a second are left out: wrk is not installed."
            rates[name].append(rate)
    found = {name: statistics.median(each) for name, each in rates.items()}
    lines = ["Requests a second, n = 10, 16 connections (wrk), and how many values with their gradients those are"]
    base = found["gradwire, value_and_grad"]
    width = max(map(len, found))
    for name, rate in found.items():
        _, requests = plans[name]
        both = f"{rate / len(requests):8.0f}" if name.startswith("gradwire") or len(requests) > 1 else ""
        lines.append(f"  {name:<{width}}  {rate:8.0f}   {rate / base:5.2f}x   {both}".rstrip())
    return "\n".join(lines)


def _large(urls: Mapping[str, str]) -> str:
    x = _start(1_000_000)
    packed = b"".join(attached.pack({"inputs": {"x": {"data": x, "dtype": "float64"}}}, attached.REQUEST, orjson.dumps))
    binary = Request(_CALL.format("rosenbrock", "value_and_grad"), packed, {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE})
    calls = {
        "Starlette, the bytes echoed": Caller(urls["echo"], Request("/raw", packed)),
        "gradwire, safetensors": Caller(urls["gradwire"], binary),
        "gradwire, JSON": Caller(urls["gradwire"], _value_and_grad(x)),
    }
    gradient = attached.unpack(calls["gradwire, safetensors"]()[0], attached.RESPONSE)["grads"]["x"]["data"]
    if "UM-Bridge" in urls:
        calls["UM-Bridge, Gradient, JSON"] = Caller(urls["UM-Bridge"], _um_bridge_pair(x)[1])
        _agree(gradient, json.loads(calls["UM-Bridge, Gradient, JSON"]()[0])["output"], "UM-Bridge")
    if "Tesseract" in urls:
        calls["Tesseract, vjp, base64"] = Caller(urls["Tesseract"], _tesseract_pair(x, base64=True)[1])
        buffer = json.loads(calls["Tesseract, vjp, base64"]()[0])["x"]["data"]["buffer"]
        _agree(gradient, np.frombuffer(b64decode(buffer)), "Tesseract")
    seconds = by_turns(calls, rounds=7, repeats=1)
    results = {name: value * 1e3 for name, value in seconds.items()}
    return table("1,000,000 float64 in, their gradient out", "ms", results, "gradwire, safetensors")


def _products(urls: Mapping[str, str]) -> str:
    """Value, gradient and Hessian-vector products: one request of ours, of theirs one for each."""
    x = _start(1_000)
    vectors = np.random.default_rng(1).normal(size=(_VECTORS, 1_000))
    document: dict[str, Any] = {"want": ["value", "grads", "hvp"], "inputs": {"x": x}, "vectors": {"x": vectors}}
    as_json = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    document["inputs"], document["vectors"] = ({"x": {"data": array, "dtype": "float64"}} for array in (x, vectors))
    packed = b"".join(attached.pack(document, attached.REQUEST, orjson.dumps))
    path = _CALL.format("rosenbrock", "compute")
    calls: dict[str, Callable[[], list[bytes]]] = {
        "gradwire, safetensors": Caller(urls["gradwire"], Request(path, packed, {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE})),
        "gradwire, JSON": Caller(urls["gradwire"], Request(path, as_json)),
    }
    products = np.asarray(json.loads(calls["gradwire, JSON"]()[0])["hvps"]["x"]["data"])
    if "UM-Bridge" in urls:
        each = [_um_bridge("ApplyHessian", x, outWrt=0, inWrt1=0, inWrt2=0, sens=[1.0], vec=v.tolist()) for v in vectors]
        calls["UM-Bridge, 52 requests"] = Caller(urls["UM-Bridge"], *_um_bridge_pair(x), *each)
        _agree(products, [json.loads(answer)["output"] for answer in calls["UM-Bridge, 52 requests"]()[2:]], "UM-Bridge")
    seconds = by_turns(calls, rounds=20, repeats=1)
    results = {name: value * 1e3 for name, value in seconds.items()}
    return table(f"Value, gradient and {_VECTORS} Hessian-vector products, n = 1,000", "ms", results, "gradwire, safetensors")


def _probes(url: str) -> str:
    """How long ``/healthz`` takes while one call computes for some seconds."""
    lines = ["/healthz while one call computes"]
    for what, program in _LONG.items():
        name = what.replace(" ", "_")
        _register(url, name, {"x": {"dtype": "float64", "shape": []}}, program)
        found: list[float] = []
        seconds = _while_probing(Caller(url, Request(_CALL.format(name, "evaluate"), b'{"inputs": {"x": 1e-4}}')), url, found)
        found.sort()
        p50, p99 = statistics.median(found), found[int(len(found) * 0.99)]
        lines.append(
            f"  {what:<16}  {seconds:5.1f} s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   worst {found[-1]:6.2f} ms   {len(found)} probes"
        )
    return "\n".join(lines)


def _while_probing(job: Caller, url: str, found: list[float]) -> float:
    """The seconds that a job takes; ``found`` gets the milliseconds of the probes meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        start = time.perf_counter()
        running = pool.submit(job)
        probe = Caller(url, Request("/healthz", b"", method="GET"))
        while not running.done():
            begun = time.perf_counter()
            probe()
            found.append((time.perf_counter() - begun) * 1e3)
            time.sleep(0.005)
        running.result()
        return time.perf_counter() - start


if __name__ == "__main__":
    print(measure())
