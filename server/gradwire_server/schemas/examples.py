"""Requests to try on the documentation page, each with its answer. The tests send every one of them to the server.

An answer has the name of its request, so that the page shows the two together.
"""

from __future__ import annotations

from typing import Any, Final

Document = dict[str, Any]


def float32(data: Any, shape: list[int], grad_fn: str | None) -> Document:
    """A float32 tensor as it is answered."""
    recorded = grad_fn is not None
    return {"data": data, "dtype": "float32", "shape": shape, "requires_grad": recorded, "is_leaf": not recorded, "grad_fn": grad_fn}


REQUESTS: Final[dict[str, Document]] = {
    "gradient": {
        "summary": "A first gradient",
        "description": "z = x0² + x1², so the gradient is 2x. `requires_grad` marks what gradients are wanted for, `backward` names "
        "where they start. Try other numbers.",
        "value": {
            "inputs": {"x": {"data": [2.0, 3.0], "requires_grad": True}},
            "nodes": [{"name": "y", "op": "mul", "args": ["x", "x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
            "outputs": ["z"],
            "backward": "z",
        },
    },
    "text": {
        "summary": "A program as text",
        "description": "The same kind of program in PyTorch's own words: `program` in place of `nodes`, read and never executed. Outputs, "
        "`backward` and `wrt` name variables. Try a mistake: the answer shows the line, with a caret below it.",
        "value": {
            "inputs": {"x": {"data": [-1.0, 2.0], "requires_grad": True}},
            "program": "# Rosenbrock's function\na, b = x\nloss = (1 - a) ** 2 + 100 * (b - a**2) ** 2\n",
            "outputs": ["loss"],
            "backward": "loss",
        },
    },
    "chain": {
        "summary": "The chain rule, and the gradient of a step in between",
        "description": "y = exp(s), s = sin(x). The gradient of y with respect to s is exp(s), and to x it is exp(s) · cos(x): "
        "what arrived at s, times the derivative of sin. `wrt` asks for both.",
        "value": {
            "inputs": {"x": {"data": 0.5, "requires_grad": True}},
            "nodes": [{"name": "s", "op": "sin", "args": ["x"]}, {"name": "y", "op": "exp", "args": ["s"]}],
            "outputs": ["y"],
            "backward": "y",
            "wrt": ["x", "s"],
        },
    },
    "mean": {
        "summary": "A mean over a matrix",
        "description": "m = mean(3x²) over four elements: each gradient is 6x / 4. A gradient has the shape of what it belongs to.",
        "value": {
            "inputs": {"x": {"data": [[1.0, 2.0], [3.0, 4.0]], "requires_grad": True}},
            "nodes": [
                {"name": "square", "op": "pow", "args": ["x", 2]},
                {"name": "scaled", "op": "mul", "args": [3, "square"]},
                {"name": "m", "op": "mean", "args": ["scaled"]},
            ],
            "outputs": ["m"],
            "backward": "m",
        },
    },
    "loss": {
        "summary": "The loss of a linear model",
        "description": "prediction = X · w + b, compared with what was measured. Only w and b require gradients: they are what training "
        "changes, by a small step against the gradient. The data X are "
        "constants; their dtype is given, since whole numbers would be int64.",
        "value": {
            "inputs": {
                "X": {"data": [[1.0, 2.0], [3.0, 4.0]], "dtype": "float32"},
                "measured": {"data": [0.0, 1.0], "dtype": "float32"},
                "w": {"data": [0.5, -0.25], "requires_grad": True},
                "b": {"data": 1.0, "requires_grad": True},
            },
            "nodes": [
                {"name": "product", "op": "matmul", "args": ["X", "w"]},
                {"name": "prediction", "op": "add", "args": ["product", "b"]},
                {"name": "loss", "op": "nn.functional.mse_loss", "args": ["prediction", "measured"]},
            ],
            "outputs": ["prediction", "loss"],
            "backward": "loss",
        },
    },
    "no_grad_and_detach": {
        "summary": "Parts that gradients do not pass: detach and no_grad",
        "description": "`frozen` has the value of a = x², but gradients stop there; `offset` is computed without being recorded. So the "
        "gradient of y = a · frozen + offset is 2x · frozen = 54, where x⁴ + 10x would give 118. Remove `no_grad`, or use `a` twice.",
        "value": {
            "inputs": {"x": {"data": 3.0, "requires_grad": True}},
            "nodes": [
                {"name": "a", "op": "mul", "args": ["x", "x"]},
                {"name": "frozen", "op": "detach", "args": ["a"]},
                {"name": "offset", "op": "mul", "args": ["x", 10], "no_grad": True},
                {"name": "product", "op": "mul", "args": ["a", "frozen"]},
                {"name": "y", "op": "add", "args": ["product", "offset"]},
            ],
            "outputs": ["y", "frozen", "offset"],
            "backward": "y",
        },
    },
    "custom_function": {
        "summary": "A function with a gradient of its own",
        "description": "Like torch.autograd.Function: `forward` computes, `save` says what `backward` needs of it, and `backward` turns "
        "the gradient that arrives (`grad_y`) into the one that leaves. The grad_fn bears the function's name.",
        "value": {
            "inputs": {"x": {"data": [0.0, 1.0], "requires_grad": True}},
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
            "nodes": [{"name": "e", "op": "functions.my_exp", "args": ["x"]}, {"name": "total", "op": "sum", "args": ["e"]}],
            "outputs": ["e", "total"],
            "backward": "total",
        },
    },
    "custom_function_as_text": {
        "summary": "The same as text",
        "description": "The bodies of a function are programs, and so is what calls it: each may be nodes or a text. What goes wrong in "
        "one is shown in its lines.",
        "value": {
            "inputs": {"x": {"data": [0.0, 1.0], "requires_grad": True}},
            "functions": {
                "my_exp": {
                    "forward": {"inputs": ["x"], "program": "y = torch.exp(x)", "outputs": ["y"]},
                    "save": ["y"],
                    "backward": {"inputs": ["grad_y", "y"], "program": "gx = grad_y * y", "outputs": {"x": "gx"}},
                }
            },
            "program": "e = functions.my_exp(x)\ntotal = e.sum()",
            "outputs": ["e", "total"],
            "backward": "total",
        },
    },
    "matrix": {
        "summary": "Matrices, and a gradient to start from",
        "description": "C = A · B is no scalar, so `backward` says which gradient G arrives at it (a vector-Jacobian product). Here G "
        "picks out the upper left element of C. Then A gets G · Bᵀ and B gets Aᵀ · G.",
        "value": {
            "inputs": {
                "A": {"data": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "requires_grad": True},
                "B": {"data": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], "requires_grad": True},
            },
            "nodes": [{"name": "C", "op": "matmul", "args": ["A", "B"]}],
            "outputs": ["C"],
            "backward": {"C": [[1.0, 0.0], [0.0, 0.0]]},
        },
    },
    "graph": {
        "summary": "The graph that was recorded",
        "description": "`include` adds the graph that the gradients walk: its nodes are grad_fns, from the output down to one "
        "`AccumulateGrad` for each input, and its edges lead from the step that "
        "made a value to the step that uses it; gradients take them backwards.",
        "value": {
            "inputs": {"x": {"data": [2.0, 3.0], "requires_grad": True}, "y": {"data": [4.0, 5.0], "requires_grad": True}},
            "nodes": [
                {"name": "product", "op": "mul", "args": ["x", "y"]},
                {"name": "shifted", "op": "add", "args": ["product", "x"]},
                {"name": "z", "op": "sum", "args": ["shifted"]},
            ],
            "outputs": ["z"],
            "backward": "z",
            "include": ["graph"],
        },
    },
    "error": {
        "summary": "An error",
        "description": "A 2x3 matrix cannot be multiplied by another: the answer has status 422, PyTorch's sentence, and a pointer to the "
        "node. Make one of them 3x2.",
        "value": {
            "inputs": {"A": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "B": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]},
            "nodes": [{"name": "C", "op": "matmul", "args": ["A", "B"]}],
            "outputs": ["C"],
        },
    },
}

ANSWERS: Final[dict[str, Document]] = {
    "gradient": {"outputs": {"z": float32(13.0, [], "SumBackward0")}, "grads": {"x": float32([4.0, 6.0], [2], None)}},
    "text": {"outputs": {"loss": float32(104.0, [], "AddBackward0")}, "grads": {"x": float32([396.0, 200.0], [2], None)}},
    "chain": {
        "outputs": {"y": float32(1.6151463, [], "ExpBackward0")},
        "grads": {"x": float32(1.4174242, [], None), "s": float32(1.6151463, [], None)},
    },
    "mean": {"outputs": {"m": float32(22.5, [], "MeanBackward0")}, "grads": {"x": float32([[1.5, 3.0], [4.5, 6.0]], [2, 2], None)}},
    "loss": {
        "outputs": {"prediction": float32([1.0, 1.5], [2], "AddBackward0"), "loss": float32(0.625, [], "MseLossBackward0")},
        "grads": {"w": float32([2.5, 4.0], [2], None), "b": float32(1.5, [], None)},
    },
    "no_grad_and_detach": {
        "outputs": {"y": float32(111.0, [], "AddBackward0"), "frozen": float32(9.0, [], None), "offset": float32(30.0, [], None)},
        "grads": {"x": float32(54.0, [], None)},
    },
    "custom_function": {
        "outputs": {"e": float32([1.0, 2.7182817], [2], "my_expBackward"), "total": float32(3.7182817, [], "SumBackward0")},
        "grads": {"x": float32([1.0, 2.7182817], [2], None)},
    },
    "custom_function_as_text": {
        "outputs": {"e": float32([1.0, 2.7182817], [2], "my_expBackward"), "total": float32(3.7182817, [], "SumBackward0")},
        "grads": {"x": float32([1.0, 2.7182817], [2], None)},
    },
    "matrix": {
        "outputs": {"C": float32([[4.0, 5.0], [10.0, 11.0]], [2, 2], "MmBackward0")},
        "grads": {
            "A": float32([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]], [2, 3], None),
            "B": float32([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]], [3, 2], None),
        },
    },
    "graph": {
        "outputs": {"z": float32(28.0, [], "SumBackward0")},
        "grads": {"x": float32([5.0, 6.0], [2], None), "y": float32([2.0, 3.0], [2], None)},
    },
    "error": {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
        "code": "shape_mismatch",
        "pointer": "/nodes/0",
        "exception": "RuntimeError",
    },
}

# The rest of the graph's answer is as long as it is plain; the tests compare these names.
GRAPH_GRAD_FNS: Final = ["AccumulateGrad", "AccumulateGrad", "AddBackward0", "MulBackward0", "SumBackward0"]


def shown_requests() -> dict[str, Document]:
    """The requests as OpenAPI examples."""
    return REQUESTS


def shown_answers() -> dict[str, Document]:
    """The answers of status 200 as OpenAPI examples."""
    return {name: {"summary": REQUESTS[name]["summary"], "value": ANSWERS[name]} for name in ANSWERS if name not in ("error", "graph")}


def shown_error() -> Document:
    """The error as an OpenAPI example."""
    return {"summary": REQUESTS["error"]["summary"], "value": {**ANSWERS["error"], "request_id": "9f0c1f5cbd8e4b1c8d1a6b0f6f0d7a52"}}
