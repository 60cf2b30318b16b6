"""What the tests of functions share."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
from starlette.types import ASGIApp

from gradwire_engine.limits import Limits
from gradwire_server.app import create_app
from gradwire_server.services.functions.condition import ALWAYS, Condition
from gradwire_server.services.functions.limits import FunctionLimits
from gradwire_server.services.functions.service import EngineFunctions
from gradwire_server.settings import Settings
from gradwire_server.store.functions import FunctionStore
from tests.server.sessions import plain
from tests.server.support import call

Document = dict[str, Any]


def node(name: Any, op: str, *args: Any, **more: Any) -> Document:
    """One node of a program."""
    return {"name": name, "op": op, "args": list(args), **more}


def declared(*shape: Any, dtype: Any = "float64", **more: Any) -> Document:
    """The declaration of an input."""
    return {"dtype": dtype, "shape": list(shape), **more}


def function(inputs: Any, *nodes: Document, outputs: Any = None, **more: Any) -> Document:
    """A function, whose last node is its output unless it is said."""
    return {"inputs": inputs, "nodes": list(nodes), "outputs": [nodes[-1]["name"]] if outputs is None else outputs, **more}


# The sum of the squares, so that the gradient is 2x.
SQUARES = function({"x": declared("n")}, node("y", "mul", "x", "x"), node("z", "sum", "y"))
LINEAR = function(
    {"X": declared("n", "k"), "w": declared("k"), "b": declared(default=0.5)},
    node("p", "matmul", "X", "w"),
    node("y", "add", "p", "b"),
    outputs=["y", "p"],
)


class Functions:
    """The service and a caller of it."""

    def __init__(self, store: FunctionStore | None = None, *, owner: str | None = None, **limits: Any) -> None:
        self.service = EngineFunctions(FunctionLimits(**limits), store, itertools.count(1_000_000).__next__)
        self.owner = owner

    def put(self, name: str, document: Any, condition: Condition = ALWAYS) -> tuple[Document, bool]:
        """Registers a function."""
        prepared = self.service.prepare(document, check=lambda: None)
        return self.service.put(name, prepared, owner=self.owner, condition=condition)

    def call(self, name: str, form: str = "evaluate", *, limits: Limits | None = None, **document: Any) -> Any:
        """The answer of a call, tensors being the lists of their elements."""
        answer = self.service.call(name, form, document, owner=self.owner, limits=limits or Limits(), check=lambda: None)
        return values(plain(answer))

    def one(self, document: Any, form: str = "evaluate", **call: Any) -> Any:
        """The answer of a call of a function that is registered for it."""
        self.put("f", document)
        return self.call("f", form, **call)


def values(answer: Any) -> Any:
    """A document with the elements of tensors in place of them."""
    if isinstance(answer, dict):
        return answer["data"] if "is_leaf" in answer else {name: values(item) for name, item in answer.items()}
    return answer


class Http:
    """An application and a caller of its functions."""

    def __init__(self, application: ASGIApp | None = None, *, key: str | None = None, **settings: Any) -> None:
        self.application = application or create_app(Settings(**settings))
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to one request."""
        headers = self._headers | request.pop("headers", {})
        return call(self.application, method, path, headers=headers, **request)

    def put(self, name: str, document: Any = SQUARES, **headers: str) -> httpx.Response:
        """Registers a function; ``if_match`` is the header If-Match."""
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        return self.request("PUT", f"/v1/functions/{name}", json=document, headers=named)

    def call(self, name: str, form: str = "evaluate", query: str = "", **document: Any) -> httpx.Response:
        """Calls a function."""
        return self.request("POST", f"/v1/functions/{name}/{form}{query}", json=document)
