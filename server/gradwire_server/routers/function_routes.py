"""What the documentation says about functions, by the operation ids of the calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..negotiation import EVENTS
from ..schemas import function_examples as examples
from ..schemas.functions import (
    CallAnswer,
    ComputeAnswer,
    ComputeCall,
    EvaluateCall,
    FunctionDescription,
    FunctionPage,
    FunctionRequest,
    FunctionWithDocument,
    GradcheckAnswer,
    GradcheckCall,
    HessianAnswer,
    HessianCall,
    HvpAnswer,
    HvpCall,
    JacobianAnswer,
    JacobianCall,
    JvpAnswer,
    JvpCall,
    MinimizeAnswer,
    MinimizeCall,
    NanCheckAnswer,
    NanCheckCall,
    ValueAndGradAnswer,
    ValueAndGradCall,
    VjpAnswer,
    VjpCall,
)
from ..schemas.parameters import DRY_RUN, ENCODING, REQUEST_TIMEOUT
from ..schemas.problem import problems
from ..schemas.tensor import BINARY

_PUT: Final = """\
Register a program once, under a name, and call it with its inputs alone. The inputs are declared by dtype and shape, where a size is a \
number or a name such as `n`: it is bound by the first input that has it, and must be the same wherever it stands. The function is \
checked at once. Its hash is its version: putting the same again changes nothing, and putting another one makes that the current version, \
while the old one can still be called as `name@hash`.

Execute the examples of the calls below in order, from number 1 here to the last."""

_CALL: Final = (
    " `name` is the function's, or `name@hash` for one of its versions. With `?dry_run=true` nothing is computed: the answer says what the "
    "call would give and take, and whether that is within the limits."
)

_MINIMIZE: Final = """\
Varies the inputs in `wrt` so that a scalar output becomes as small as it can, by one of SciPy's methods. Gradients are exact, and so are \
the products of the Hessian and vectors, or the Hessian itself, that the Newton and trust region methods use. The inputs of the call are \
where the search starts.

A search that ends without a minimum is an answer like any other, with `success` false, the reason in `message`, and the best point that \
was found: after as many iterations as the options allow, when the time of the request is nearly over, or where a value is NaN.

With `Accept: text/event-stream` the answer is a stream of events: `iteration` for the start and for each iteration, though not more than \
about 20 a second, with `iteration`, `value`, `gradient_norm`, `step` (how far the point moved) and `evaluations`, then one `result` with \
the document described here, or one `error` with a problem. The search ends when the caller hangs up.

With `?dry_run=true` nothing is computed: the answer says what one evaluation would give and take, its second derivatives if the method \
uses any, and whether the search is within the limits."""

_EVENTS: Final = {
    EVENTS: {"schema": {"type": "string", "description": "Server-sent events: `iteration`, and in the end `result` or `error`."}}
}

CALLS: Final = (
    "evaluate_function",
    "value_and_grad",
    "vjp",
    "jvp",
    "jacobian",
    "hessian",
    "hvp",
    "compute",
    "minimize",
    "gradcheck",
    "nan_check",
)
"""The operation ids of the calls."""


def _parameter(where: str, name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "description": description, "schema": {"type": "string", **schema}}


_NAME: Final = _parameter("path", "name", "The function's name, or `name@hash` for one of its versions.", example="rosenbrock")
_NEW_NAME: Final = _parameter("path", "name", "The function's name.", example="rosenbrock")
_IF_MATCH: Final = _parameter("header", "If-Match", "Change it only if its current version is this one, an ETag in quotes; `*` is any.")
_IF_NONE_MATCH: Final = _parameter("header", "If-None-Match", "`*` makes a new function only, and never changes one.")


def _body(model: type[Any], name: str, beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}, "examples": examples.shown_requests(name)}
    return {"required": True, "content": {"application/json": content, **(beside or {})}}


def documented() -> dict[str, dict[str, Any]]:
    """What ``AsgiRoute`` takes beside the endpoint, by operation id."""
    call = (400, 401, 404, 406, 408, 413, 415, 422, 429, 431, 500, 503, 504)
    facts: dict[str, dict[str, Any]] = {
        "put_function": dict(
            path="/v1/functions/{name}",
            methods=["PUT"],
            request_model=FunctionRequest,
            response_model=FunctionDescription,
            response_description="There was such a function; this is its current version now.",
            responses={
                201: {"model": FunctionDescription, "description": "There was no such function."},
                **problems(400, 401, 406, 408, 412, 413, 415, 422, 429, 431, 500, 501, 503, 504, 507),
            },
            summary="Register a function",
            description=_PUT,
            openapi_extra={
                "parameters": [_NEW_NAME, _IF_MATCH, _IF_NONE_MATCH, REQUEST_TIMEOUT],
                "requestBody": _body(FunctionRequest, "put_function"),
            },
        ),
        "list_functions": dict(
            path="/v1/functions",
            methods=["GET"],
            response_model=FunctionPage,
            responses=problems(401, 406, 422, 429, 431, 500, 503),
            summary="List your functions",
            description="The functions that were registered with the same API key, in the order of their names. On a server "
            "without keys these are all.",
            openapi_extra={
                "parameters": [
                    _parameter(
                        "query", "limit", "Number of functions in the answer.", type="integer", minimum=1, maximum=1000, default=100
                    ),
                    _parameter("query", "cursor", "Where to go on: `next` of the page before.", default=""),
                ]
            },
        ),
        "get_function": dict(
            path="/v1/functions/{name}",
            methods=["GET"],
            response_model=FunctionWithDocument,
            responses=problems(401, 404, 406, 422, 429, 431, 500, 503),
            summary="Look at a function",
            description="Its signature, what it was registered as, and its versions.",
            openapi_extra={"parameters": [_NAME]},
        ),
        "delete_function": dict(
            path="/v1/functions/{name}",
            methods=["DELETE"],
            status_code=204,
            responses=problems(401, 404, 409, 412, 422, 429, 431, 500, 503),
            summary="Delete a function",
            description="With all its versions; with `name@hash` only that one, which cannot be the current one. Calls under way still get "
            "their answers.",
            openapi_extra={"parameters": [_NAME, _IF_MATCH]},
        ),
        "evaluate_function": dict(
            request_model=EvaluateCall,
            response_model=CallAnswer,
            summary="Call a function",
            description="Its outputs for these inputs." + _CALL,
        ),
        "value_and_grad": dict(
            request_model=ValueAndGradCall,
            response_model=ValueAndGradAnswer,
            summary="Value and gradients",
            description="The value of a scalar output, and its gradient by every input in `wrt`, by default all floating point ones. What "
            "the output does not depend on has the gradient 0." + _CALL,
        ),
        "vjp": dict(
            request_model=VjpCall,
            response_model=VjpAnswer,
            summary="Vector-Jacobian product",
            description="The outputs, and the gradients of the inputs for given gradients of outputs: how `backward` goes on from there."
            + _CALL,
        ),
        "jvp": dict(
            request_model=JvpCall,
            response_model=JvpAnswer,
            summary="Jacobian-vector product",
            description="The outputs, and their derivatives along tangents of the inputs: forward mode." + _CALL,
        ),
        "jacobian": dict(
            request_model=JacobianCall,
            response_model=JacobianAnswer,
            summary="Jacobians",
            description="The derivative of every output by every input, many rows at once." + _CALL,
        ),
        "hessian": dict(
            request_model=HessianCall,
            response_model=HessianAnswer,
            summary="Hessian",
            description="The value of a scalar output, its gradients, and its second derivatives by all pairs of inputs." + _CALL,
        ),
        "hvp": dict(
            request_model=HvpCall,
            response_model=HvpAnswer,
            summary="Hessian-vector products",
            description="The value of a scalar output, its gradients, and its Hessian times a vector, or times each of a stack of them."
            + _CALL,
        ),
        "compute": dict(
            request_model=ComputeCall,
            response_model=ComputeAnswer,
            summary="Several of these at once",
            description="What `want` lists, with one pass forward that all of it shares." + _CALL,
        ),
        "minimize": dict(
            request_model=MinimizeCall,
            response_model=MinimizeAnswer,
            summary="Minimise a function",
            description=_MINIMIZE,
        ),
        "gradcheck": dict(
            request_model=GradcheckCall,
            response_model=GradcheckAnswer,
            summary="Compare gradients with differences",
            description="Compares the gradients with central differences at these inputs, as `torch.autograd.gradcheck` does. The function "
            "runs two times for every number in `wrt`.",
        ),
        "nan_check": dict(
            request_model=NanCheckCall,
            response_model=NanCheckAnswer,
            summary="Find the first NaN",
            description="Runs the function node by node and says which one gives a NaN first. If `output` names a scalar output, its "
            "gradients are looked at too.",
        ),
    }
    for name in CALLS:
        can_be_tried = name not in ("gradcheck", "nan_check")
        facts[name] |= {
            "path": f"/v1/functions/{{name}}/{name.removesuffix('_function')}",
            "methods": ["POST"],
            "responses": {200: {"content": {**BINARY, **(_EVENTS if name == "minimize" else {})}}, **problems(*call)},
            "openapi_extra": {
                "parameters": [_NAME, ENCODING, *([DRY_RUN] if can_be_tried else []), REQUEST_TIMEOUT],
                "requestBody": _body(facts[name]["request_model"], name, BINARY),
            },
        }
    for name, each in facts.items():
        each["tags"] = ["functions"]
        if shown := examples.shown_answers(name):
            each["examples"] = shown
    return facts
