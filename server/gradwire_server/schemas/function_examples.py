"""Calls to try on the documentation page, in the order of their numbers. The tests send them so to the server.

An answer has the name of its request, so that the page shows the two together.
"""

from __future__ import annotations

from typing import Any, Final

Document = dict[str, Any]


def _float64(data: Any, shape: list[int]) -> Document:
    return {"data": data, "dtype": "float64", "shape": shape, "requires_grad": False, "is_leaf": True, "grad_fn": None}


_ROSENBROCK: Final[Document] = {
    "description": "Rosenbrock's banana: the sum of a (x1 - x0²)² + (1 - x0)² over neighbours.",
    "inputs": {"x": {"dtype": "float64", "shape": ["n"]}, "a": {"dtype": "float64", "shape": [], "default": 100.0}},
    "program": "left, right = x[:-1], x[1:]\nterms = a * (right - left**2) ** 2 + (1 - left) ** 2\nf = terms.sum()",
    "outputs": ["terms", "f"],
}

REQUESTS: Final[dict[str, tuple[str, Document]]] = {
    "1_register": (
        "put_function",
        {
            "summary": "1. Register a function",
            "description": "Put it as `rosenbrock`. x has any number n of elements, and a is 100 unless a call says otherwise.",
            "value": _ROSENBROCK,
        },
    ),
    "2_evaluate": (
        "evaluate_function",
        {
            "summary": "2. Call it",
            "description": "With its inputs alone. Lists take the declared dtype.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}, "outputs": ["f"]},
        },
    ),
    "3_value_and_grad": (
        "value_and_grad",
        {
            "summary": "3. Value and gradient",
            "description": "What an optimiser asks for, again and again. There are two outputs, so `output` names the one.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}, "wrt": ["x"], "output": "f"},
        },
    ),
    "4_default": (
        "value_and_grad",
        {
            "summary": "4. By another input",
            "description": "The gradient by a, which is given now: the sum of (x1 - x0²)².",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0], "a": 1.0}, "wrt": ["a"], "output": "f"},
        },
    ),
    "5_vjp": (
        "vjp",
        {
            "summary": "5. Gradients of one term",
            "description": "`grad_outputs` picks the second term of two: its gradient by x.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}, "grad_outputs": {"terms": [0.0, 1.0]}, "outputs": ["terms"], "wrt": ["x"]},
        },
    ),
    "6_gradcheck": (
        "gradcheck",
        {
            "summary": "6. Check the gradients",
            "description": "Against central differences at this point.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}},
        },
    ),
    "7_nan_check": (
        "nan_check",
        {
            "summary": "7. Where does a NaN come from?",
            "description": "The values are infinite for numbers as large as these, but none is NaN: "
            "that comes with the gradient of x, from infinity times 0.",
            "value": {"inputs": {"x": [1e200, 1e300, 0.0]}, "output": "f", "wrt": ["x"]},
        },
    ),
    "8_jvp": (
        "jvp",
        {
            "summary": "8. Along a tangent",
            "description": "How fast f grows when x[0] does.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}, "tangents": {"x": [1.0, 0.0, 0.0]}, "outputs": ["f"]},
        },
    ),
    "9_jacobian": (
        "jacobian",
        {
            "summary": "9. All derivatives of the terms",
            "description": "A row for each term, a column for each element of x.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}, "outputs": ["terms"], "wrt": ["x"]},
        },
    ),
    "10_hessian": (
        "hessian",
        {
            "summary": "10. Second derivatives",
            "description": "The Hessian of f by x, for Newton's method.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}, "output": "f", "wrt": ["x"]},
        },
    ),
    "11_hvp": (
        "hvp",
        {
            "summary": "11. The Hessian times two vectors",
            "description": "Without the Hessian, which would be large for a large x.",
            "value": {"inputs": {"x": [1.0, 2.0, 3.0]}, "vectors": {"x": [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]}, "output": "f", "wrt": ["x"]},
        },
    ),
    "12_compute": (
        "compute",
        {
            "summary": "12. Several at once, for a batch",
            "description": "The value, the gradients and a derivative along a tangent, at two points in one request.",
            "value": {
                "inputs": {"x": [[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]},
                "batch": ["x"],
                "want": ["value", "grads", "jvp"],
                "output": "f",
                "outputs": ["f"],
                "wrt": ["x"],
                "tangents": {"x": [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]},
            },
        },
    ),
    "13_minimize": (
        "minimize",
        {
            "summary": "13. Minimise it",
            "description": "By Newton's method in a trust region, with exact gradients and exact products of the Hessian and vectors. The "
            "minimum is where all elements are 1. With `Accept: text/event-stream` the iterations are shown as they come.",
            "value": {"inputs": {"x": [-1.2, 1.0]}, "wrt": ["x"], "output": "f", "method": "trust-ncg", "options": {"gtol": 1e-9}},
        },
    ),
    "14_bounds": (
        "minimize",
        {
            "summary": "14. Within bounds",
            "description": "By L-BFGS-B, where no element of x may be above 0.5.",
            "value": {"inputs": {"x": [0.0, 0.0]}, "wrt": ["x"], "output": "f", "bounds": {"x": [None, 0.5]}, "options": {"gtol": 1e-9}},
        },
    ),
}

ANSWERS: Final[dict[str, Document]] = {
    "2_evaluate": {"outputs": {"f": _float64(201.0, [])}},
    "3_value_and_grad": {"value": _float64(201.0, []), "grads": {"x": _float64([-400.0, 1002.0, -200.0], [3])}},
    "4_default": {"value": _float64(3.0, []), "grads": {"a": _float64(2.0, [])}},
    "5_vjp": {"outputs": {"terms": _float64([100.0, 101.0], [2])}, "grads": {"x": _float64([0.0, 802.0, -200.0], [3])}},
    "6_gradcheck": {"ok": True, "detail": None},
    "7_nan_check": {
        "ok": False,
        "found": {"where": "gradient", "name": "x", "op": None, "pointer": "/inputs/x", "shape": [3], "count": 1},
    },
    "8_jvp": {"outputs": {"f": _float64(201.0, [])}, "tangents": {"f": _float64(-400.0, [])}},
    "9_jacobian": {
        "outputs": {"terms": _float64([100.0, 101.0], [2])},
        "jacobian": {"terms": {"x": _float64([[-400.0, 200.0, -0.0], [0.0, 802.0, -200.0]], [2, 3])}},
    },
    "10_hessian": {
        "value": _float64(201.0, []),
        "grads": {"x": _float64([-400.0, 1002.0, -200.0], [3])},
        "hessian": {"x": {"x": _float64([[402.0, -400.0, 0.0], [-400.0, 3802.0, -800.0], [0.0, -800.0, 200.0]], [3, 3])}},
    },
    "11_hvp": {
        "value": _float64(201.0, []),
        "grads": {"x": _float64([-400.0, 1002.0, -200.0], [3])},
        "hvps": {"x": _float64([[402.0, -400.0, 0.0], [0.0, -800.0, 200.0]], [2, 3])},
    },
    "12_compute": {
        "value": _float64([201.0, 0.0], [2]),
        "grads": {"x": _float64([[-400.0, 1002.0, -200.0], [0.0, 0.0, 0.0]], [2, 3])},
        "outputs": {"f": _float64([201.0, 0.0], [2])},
        "tangents": {"f": _float64([-400.0, 0.0], [2])},
    },
    "14_bounds": {
        "inputs": {"x": _float64([0.5, 0.25], [2])},
        "value": _float64(0.25, []),
        "grads": {"x": _float64([-1.0, 0.0], [2])},
        "success": True,
        "message": "CONVERGENCE: NORM OF PROJECTED GRADIENT <= PGTOL",
        "iterations": 6,
        "evaluations": 10,
    },
}


def shown_requests(operation: str) -> dict[str, Document]:
    """The requests of a call as OpenAPI examples."""
    return {name: example for name, (where, example) in REQUESTS.items() if where == operation}


def shown_answers(operation: str) -> dict[int, dict[str, Document]]:
    """The answers of a call as OpenAPI examples, by status."""
    shown = {
        name: {"summary": example["summary"], "value": ANSWERS[name]}
        for name, example in shown_requests(operation).items()
        if name in ANSWERS
    }
    return {200: shown} if shown else {}
