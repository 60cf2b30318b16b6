"""Registered functions in the OpenAPI document, each as calls of its own that can be tried as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_TAG: Final = {"name": "your functions", "description": "The functions that are registered on this server."}
_SIZE: Final = 3


def with_functions(document: Mapping[str, Any], functions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The document with calls of functions.

    Args:
        document: The document of the server.
        functions: The functions, as they are listed.

    Returns:
        A document that shares with the first what is the same in both.
    """
    paths = dict(document["paths"])
    for function in functions:
        differentiable = any(declared["dtype"].startswith(("float", "complex")) for declared in function["inputs"].values())
        scalars = [name for name, output in function["outputs"].items() if output["dtype"].startswith("float") and output["shape"] == []]
        call: dict[str, Any] = {"inputs": {name: _example(declared) for name, declared in function["inputs"].items()}}
        paths |= _path(function, "evaluate", call, paths)
        if differentiable and scalars:
            chosen = call if len(function["outputs"]) == 1 else {**call, "output": scalars[-1]}
            paths |= _path(function, "value_and_grad", chosen, paths)
    added = len(paths) > len(document["paths"])
    return {**document, "paths": paths, "tags": [*document["tags"], _TAG] if added else document["tags"]}


def _path(function: Mapping[str, Any], form: str, call: Mapping[str, Any], paths: Mapping[str, Any]) -> dict[str, Any]:
    general = paths[f"/v1/functions/{{name}}/{form}"]["post"]
    schema = general["requestBody"]["content"]["application/json"]["schema"]
    described = f"{function['description']}\n\n" if function["description"] else ""
    operation = {
        **{name: part for name, part in general.items() if name != "examples"},
        "tags": [_TAG["name"]],
        "operationId": f"{form}_of_{function['name']}",
        "summary": function["signature"],
        "description": f"{described}`{form}` of the version `{function['hash'][:12]}`.",
        "parameters": [parameter for parameter in general["parameters"] if parameter["in"] != "path"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": call}}},
        "responses": {status: _without_examples(answer) for status, answer in general["responses"].items()},
    }
    return {f"/v1/functions/{function['name']}/{form}": {"post": operation}}


def _without_examples(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without the examples of other functions."""
    content = answer.get("content", {})
    bare = {media: {key: part for key, part in body.items() if key != "examples"} for media, body in content.items()}
    return {**answer, "content": bare}


def _example(declared: Mapping[str, Any]) -> Any:
    """A tensor for an input: its default, or ones."""
    if "default" in declared:
        return declared["default"]["data"]
    dtype = declared["dtype"]
    value: Any = True if dtype == "bool" else [1.0, 0.0] if dtype.startswith("complex") else 1.0 if dtype.startswith("float") else 1
    if 0 in declared["shape"]:
        return {"data": [], "dtype": dtype, "shape": [_SIZE if isinstance(size, str) else size for size in declared["shape"]]}
    for size in reversed(declared["shape"]):
        value = [value] * (_SIZE if isinstance(size, str) else min(size, 100))
    return {"data": value, "dtype": dtype} if dtype.startswith("complex") else value
