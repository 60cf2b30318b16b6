"""Servers of other projects that hand out values and derivatives over HTTP, each with Rosenbrock's function and derivatives in NumPy."""

from __future__ import annotations

import importlib.metadata
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BY_HAND = """
import numpy as np

def value(x):
    r, s = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    return 100 * r.dot(r) + s.dot(s)

def gradient(x):
    low = x[:-1]
    r = 200 * (x[1:] - low * low)
    g = np.zeros_like(x)
    g[1:] = r
    g[:-1] -= 2 * low * r + 2 * (1 - low)
    return g

def hessian_product(x, v):
    low = x[:-1]
    off = -400 * low
    h = np.zeros_like(x)
    h[:-1] = (1200 * low * low - 400 * x[1:] + 2) * v[:-1] + off * v[1:]
    h[1:] += 200 * v[1:] + off * v[:-1]
    return h
"""
_UM_BRIDGE = """
import sys
import numpy as np
import umbridge
from by_hand import gradient, hessian_product, value

class Rosenbrock(umbridge.Model):
    def __init__(self, n):
        super().__init__(f"rosenbrock{n}")
        self.n = n

    def get_input_sizes(self, config={}):
        return [self.n]

    def get_output_sizes(self, config={}):
        return [1]

    def __call__(self, parameters, config={}):
        return [[float(value(np.asarray(parameters[0])))]]

    def gradient(self, out_wrt, in_wrt, parameters, sens, config={}):
        return (sens[0] * gradient(np.asarray(parameters[0]))).tolist()

    def apply_hessian(self, out_wrt, in_wrt1, in_wrt2, parameters, sens, vec, config={}):
        return (sens[0] * hessian_product(np.asarray(parameters[0]), np.asarray(vec))).tolist()

    def supports_evaluate(self):
        return True

    def supports_gradient(self):
        return True

    def supports_apply_hessian(self):
        return True

umbridge.serve_models([Rosenbrock(n) for n in (10, 1_000, 1_000_000)], int(sys.argv[1]))
"""
_TESSERACT = """
from pydantic import BaseModel
from tesseract_core.runtime import Array, Differentiable, Float64
from by_hand import gradient, value

class InputSchema(BaseModel):
    x: Differentiable[Array[(None,), Float64]]

class OutputSchema(BaseModel):
    loss: Differentiable[Float64]

def apply(inputs: InputSchema) -> OutputSchema:
    return OutputSchema(loss=value(inputs.x))

def vector_jacobian_product(inputs, vjp_inputs, vjp_outputs, cotangent_vector):
    return {"x": cotangent_vector["loss"] * gradient(inputs.x)}
"""


@contextmanager
def um_bridge() -> Iterator[str]:
    """A server of UM-Bridge's Python package, with models ``rosenbrock10``, ``rosenbrock1000`` and ``rosenbrock1000000``."""
    with _serving({"model.py": _UM_BRIDGE}, "model.py", "{port}") as url:
        yield url


@contextmanager
def tesseract() -> Iterator[str]:
    """Tesseract's own server, as its containers start it."""
    sources = {"tesseract_api.py": _TESSERACT}
    with _serving(sources, "-c", "from tesseract_core.runtime.cli import main; main()", "serve", "--port", "{port}") as url:
        yield url


def version(package: str) -> str | None:
    """The version of a package that is installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@contextmanager
def _serving(sources: Mapping[str, str], *arguments: str) -> Iterator[str]:
    """Runs Python in a folder with these sources until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name, source in {"by_hand.py": BY_HAND, **sources}.items():
            Path(folder, name).write_text(source)
        environment = {**os.environ, "PYTHONPATH": folder, "TESSERACT_API_PATH": str(Path(folder, "tesseract_api.py"))}
        command = [sys.executable, *(argument.format(port=port) for argument in arguments)]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait(port, process, Path(folder, "log"))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), 0.2):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")
