"""Batches to try on the documentation page, in this order in one session. The tests send them so to the server.

An answer has the name of its request, so that the page shows the two together.
"""

from __future__ import annotations

from typing import Any, Final

from .examples import Document, float32


def _gradient(data: Any, shape: list[int]) -> Document:
    return float32(data, shape, None)


REQUESTS: Final[dict[str, Document]] = {
    "1_create": {
        "summary": "1. Make a tensor",
        "description": "x stays in the session until it is deleted or the session ends. `seq` makes it safe to send the last batch again: "
        "the same number with the same instructions gets the same answer, and x is not made twice.",
        "value": {
            "seq": 1,
            "instructions": [
                {"do": "create", "name": "x", "tensor": {"data": [2.0, 3.0], "requires_grad": True}},
                {"do": "read", "name": "x"},
            ],
        },
    },
    "2_forward": {
        "summary": "2. Compute with it",
        "description": "y = x², z = y0 + y1. Every result has a name of your choice, so nothing needs to be waited for. The graph is "
        "recorded as you go.",
        "value": {
            "instructions": [
                {"do": "op", "name": "y", "op": "mul", "args": ["x", "x"]},
                {"do": "op", "name": "z", "op": "sum", "args": ["y"]},
                {"do": "read", "name": "z"},
            ]
        },
    },
    "3_backward": {
        "summary": "3. Backward, and keep the graph",
        "description": "The gradient of z is added to x. `retain_graph` keeps what the graph has saved, for the batches below: "
        "without it, a second backward would be refused.",
        "value": {"instructions": [{"do": "backward", "of": "z", "retain_graph": True}]},
    },
    "4_gradients": {
        "summary": "4. Read the gradient, walk again",
        "description": "2x, and after a second backward twice that: gradients add up.",
        "value": {
            "instructions": [
                {"do": "read", "name": "x", "what": ["grad"]},
                {"do": "backward", "of": "z", "retain_graph": True},
                {"do": "read", "name": "x", "what": ["value", "grad"]},
            ]
        },
    },
    "5_second_derivative": {
        "summary": "5. A derivative of a derivative",
        "description": "`create_graph` records the walk, so that g = 2x can itself be differentiated: the gradient of g0 + g1 is 2.",
        "value": {
            "instructions": [
                {"do": "set", "name": "x", "grad": None},
                {"do": "grad", "name": ["g"], "outputs": ["z"], "inputs": ["x"], "create_graph": True},
                {"do": "read", "name": "g"},
                {"do": "op", "name": "total", "op": "sum", "args": ["g"]},
                {"do": "backward", "of": "total"},
                {"do": "read", "name": "x", "what": ["grad"]},
            ]
        },
    },
    "6_in_place": {
        "summary": "6. A step downhill, in place",
        "description": "x -= 0.5 · x.grad, not recorded, and the gradient is set to zero: one step of training.",
        "value": {
            "instructions": [
                {"do": "op", "op": "sub_", "args": ["x", "x.grad"], "kwargs": {"alpha": 0.5}, "no_grad": True},
                {"do": "op", "op": "zero_", "args": ["x.grad"]},
                {"do": "read", "name": "x", "what": ["value", "grad"]},
            ]
        },
    },
    "7_hook": {
        "summary": "7. Backward waits for you",
        "description": "A hook on v. Backward stops where the gradient of v is known, and the answer says `suspended`: s1.0 is that "
        "gradient, an ordinary tensor. What stands behind the backward has not been done. The answer is waited for until `expires_at`, "
        "by default for a minute; after that, `unhook` h, `delete` v and w, and send this batch again.",
        "value": {
            "instructions": [
                {"do": "op", "name": "v", "op": "exp", "args": ["x"]},
                {"do": "op", "name": "w", "op": "sum", "args": ["v"]},
                {"do": "hook", "name": "h", "of": "v", "kind": "tensor"},
                {"do": "backward", "of": "w"},
                {"do": "read", "name": "x", "what": ["grad"]},
            ]
        },
    },
    "8_resume": {
        "summary": "8. The answer that it waits for",
        "description": "Ten times the gradient in place of it. `null` in place of the list would leave it as it is.",
        "value": {
            "instructions": [
                {"do": "op", "name": "tenfold", "op": "mul", "args": ["s1.0", 10]},
                {"do": "resume", "suspension": "s1", "grads": ["tenfold"]},
                {"do": "read", "name": "x", "what": ["grad"]},
            ]
        },
    },
    "9_error": {
        "summary": "9. An instruction that fails",
        "description": "The first instruction stands, the third was not carried out. `seq` in the answer says that the number was used up; "
        "the session goes on.",
        "value": {
            "instructions": [
                {"do": "read", "name": "total", "what": ["meta"]},
                {"do": "op", "name": "product", "op": "matmul", "args": ["x", {"data": [1.0, 2.0, 3.0], "dtype": "float32"}]},
                {"do": "delete", "names": ["x"]},
            ]
        },
    },
    "10_delete": {
        "summary": "10. Tidy up",
        "description": "What no other tensor and no graph needs is given back. `DELETE /v1/sessions/{id}` ends the session.",
        "value": {
            "instructions": [{"do": "unhook", "names": ["h"]}, {"do": "delete", "names": ["y", "z", "g", "total", "v", "w", "tenfold"]}]
        },
    },
}

EXPIRES_AT: Final = "2026-01-01T00:01:00.000Z"

_X: Final = {**float32([2.0, 3.0], [2], None), "requires_grad": True}

ANSWERS: Final[dict[str, Document]] = {
    "1_create": {"seq": 1, "results": [None, {"value": _X}]},
    "2_forward": {"seq": 2, "results": [None, None, {"value": float32(13.0, [], "SumBackward0")}]},
    "3_backward": {"seq": 3, "results": [None]},
    "4_gradients": {
        "seq": 4,
        "results": [{"grad": _gradient([4.0, 6.0], [2])}, None, {"value": _X, "grad": _gradient([8.0, 12.0], [2])}],
    },
    "5_second_derivative": {
        "seq": 5,
        "results": [
            None,
            {"names": ["g"]},
            {"value": float32([4.0, 6.0], [2], "AddBackward0")},
            None,
            None,
            {"grad": _gradient([2.0, 2.0], [2])},
        ],
    },
    "6_in_place": {
        "seq": 6,
        "results": [None, None, {"value": {**_X, "data": [1.0, 2.0]}, "grad": _gradient([0.0, 0.0], [2])}],
    },
    "7_hook": {
        "seq": 7,
        "results": [None, None, None],
        "suspended": {
            "id": "s1",
            "instruction": 3,
            "kind": "tensor",
            "hook": "h",
            "of": "v",
            "grads": ["s1.0"],
            "create_graph": False,
            "expires_at": EXPIRES_AT,
        },
    },
    "8_resume": {"seq": 8, "results": [None, None, {"grad": _gradient([27.18282, 73.89056], [2])}]},
    "9_error": {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "inconsistent tensor size, expected tensor [2] and src [3] to have the same number of elements, "
        "but got 2 and 3 elements respectively",
        "code": "shape_mismatch",
        "pointer": "/instructions/1",
        "exception": "RuntimeError",
        "seq": 9,
        "instruction": 1,
        "results": [{"meta": {"dtype": "float32", "shape": [], "requires_grad": True, "is_leaf": False, "grad_fn": "SumBackward0"}}],
    },
    "10_delete": {"seq": 10, "results": [None, None]},
}


def shown_requests() -> dict[str, Document]:
    """The requests as OpenAPI examples."""
    return REQUESTS


def shown_answers() -> dict[str, Document]:
    """The answers of status 200 as OpenAPI examples."""
    return {name: {"summary": REQUESTS[name]["summary"], "value": answer} for name, answer in ANSWERS.items() if "status" not in answer}


def shown_errors() -> dict[str, Document]:
    """The answers of status 422 as OpenAPI examples."""
    return {
        name: {"summary": REQUESTS[name]["summary"], "value": {**answer, "request_id": "9f0c1f5cbd8e4b1c8d1a6b0f6f0d7a52"}}
        for name, answer in ANSWERS.items()
        if "status" in answer
    }
