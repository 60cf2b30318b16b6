"""Starts a server, sends it a few programs, prints what comes back, and stops it."""

from __future__ import annotations

import json
from typing import Any

import httpx

from scripts.running import running_server

Document = dict[str, Any]

PROGRAMS: dict[str, Document] = {
    "y = x², z = mean(y): the gradient is 2x / n": {
        "inputs": {"x": {"data": [1.0, 2.0, 3.0], "requires_grad": True}},
        "nodes": [{"name": "y", "op": "pow", "args": ["x", 2]}, {"name": "z", "op": "mean", "args": ["y"]}],
        "outputs": ["y", "z"],
        "backward": "z",
    },
    "A linear layer and a squared error, with gradients of weight and bias": {
        "inputs": {
            "features": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
            "target": [[1.0], [2.0], [3.0]],
            "weight": {"data": [[0.5, -0.5]], "requires_grad": True},
            "bias": {"data": [0.0], "requires_grad": True},
        },
        "nodes": [
            {"name": "guess", "op": "nn.functional.linear", "args": ["features", "weight", "bias"]},
            {"name": "loss", "op": "nn.functional.mse_loss", "args": ["guess", "target"]},
        ],
        "outputs": ["guess", "loss"],
        "backward": "loss",
    },
    "A function with its own backward: e to the x, of which the result is saved": {
        "functions": {
            "my_exp": {
                "forward": {"inputs": ["x"], "nodes": [{"name": "y", "op": "exp", "args": ["x"]}], "outputs": ["y"]},
                "save": ["y"],
                "backward": {
                    "inputs": ["grad_y", "y"],
                    "nodes": [{"name": "gx", "op": "mul", "args": ["grad_y", "y"]}],
                    "outputs": {"x": "gx"},
                },
            }
        },
        "inputs": {"x": {"data": [0.0, 1.0], "dtype": "float64", "requires_grad": True}},
        "nodes": [{"name": "y", "op": "functions.my_exp", "args": ["x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
        "outputs": ["y", "z"],
        "backward": "z",
    },
}
MISTAKE: Document = {"inputs": {"x": [1.0, 2.0]}, "nodes": [{"name": "y", "op": "sine", "args": ["x"]}], "outputs": ["y"]}


def show(kind: str, name: str, tensor: Document) -> None:
    """Prints one tensor on one line."""
    grad_fn = f"  <{tensor['grad_fn']}>" if tensor.get("grad_fn") else ""
    print(f"  {kind:<8} {name:<8} {json.dumps(tensor['data'])}  {tensor['dtype']}{grad_fn}")


def main() -> None:
    """Runs the demonstration; any failure ends it with a status other than 0."""
    with running_server() as url, httpx.Client(base_url=url) as http:
        print(f"A server runs at {url}.")
        for title, program in PROGRAMS.items():
            answer = http.post("/v1/evaluate", json=program).raise_for_status().json()
            print(f"\n{title}")
            for name, tensor in answer["outputs"].items():
                show("value", name, tensor)
            for name, tensor in answer["grads"].items():
                show("gradient", name, tensor)
        problem = http.post("/v1/evaluate", json=MISTAKE).json()
        print(
            f"\nA mistake is answered with its place\n  {problem['status']} {problem['code']} at {problem['pointer']}: {problem['detail']}"
        )
    print("\nThe server has stopped.")


if __name__ == "__main__":
    main()
