from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from gradwire import errors
from gradwire.api import Client
from gradwire.errors import ServiceError, error_of
from gradwire.http import HttpTransport
from gradwire.local import LocalTransport
from gradwire.transport import Request, Response, Transport
from gradwire_engine import errors as engine
from gradwire_server.problems import Problem
from tests.client.support import refusal

ENGINE = [kind for kind in vars(engine).values() if isinstance(kind, type) and issubclass(kind, engine.GradwireError)]
# A program is answered by the builtin that it is, Cancelled by nobody, and the rest are bases.
EXACT = [
    kind for kind in ENGINE if kind not in (engine.GradwireError, engine.Stopped, engine.Cancelled, engine.ProgramError, engine.ValueNeeded)
]

MATRIX = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
# What is called, on which tensors, and what torch raises.
MISTAKES: list[tuple[str, list[Any], dict[str, Any], type[Exception], str]] = [
    ("mm", [MATRIX, MATRIX], {}, RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
    ("sum", [MATRIX], {"dim": 5}, IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 5)"),
    ("sum", [MATRIX], {"dims": 5}, TypeError, "sum() received an invalid combination of arguments - got (Tensor, dims=int)"),
    ("linalg.inv", [[[0.0, 0.0], [0.0, 0.0]]], {}, engine.LinAlgError, "linalg.inv: The diagonal element 1 is zero"),
    ("nn.functional.nll_loss", [MATRIX, [0, 1]], {"reduction": "some"}, ValueError, "some is not a valid value for reduction"),
    ("bitwise_and", [MATRIX, MATRIX], {}, NotImplementedError, "\"bitwise_and_cpu\" not implemented for 'Float'"),
    ("mull", [MATRIX, 2], {}, ValueError, "There is no operation 'mull'. Did you mean 'mul'?"),
    ("expand", [[[1.0]], [100_000, 100_000]], {}, engine.LimitError, ""),
]


def program(op: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"nodes": [{"name": "y", "op": op, "args": args, "kwargs": kwargs}], "outputs": ["y"]}


def raised(transport: Transport, document: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        Client(transport=transport).evaluate(document)
    return caught.value


@pytest.mark.parametrize(("op", "args", "kwargs", "kind", "text"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_raises_what_torch_raises(
    transport: Transport, op: str, args: list[Any], kwargs: dict[str, Any], kind: type[Exception], text: str
) -> None:
    error = raised(transport, program(op, args, kwargs))
    assert isinstance(error, kind)
    assert text in str(error)
    assert str(error) == error.detail
    assert error.status == 422
    assert error.pointer is not None


@pytest.mark.parametrize(
    "document", [program(*mistake[:3]) for mistake in MISTAKES] + [{}, {"outputs": "y"}, {"input": {}, "outputs": []}, {"outputs": ["y"]}]
)
def test_a_mistake_is_the_same_over_http_and_in_this_process(server_url: str, document: dict[str, Any]) -> None:
    over_http = HttpTransport(server_url)
    there, here = raised(over_http, document), raised(LocalTransport(), document)
    over_http.close()
    assert type(there) is type(here)
    assert str(there) == str(here)
    assert (there.status, there.code, there.pointer) == (here.status, here.code, here.pointer)
    assert there.request_id
    assert here.request_id is None


X = {"do": "create", "name": "x", "tensor": {"data": np.array([1.0, 2.0, 3.0]), "requires_grad": True}}
BATCHES: dict[str, Any] = {
    "no list": {"do": "seed"},
    "no object": [1],
    "unknown do": [{"do": "creat", "name": "x"}],
    "unknown field": [{**X, "names": ["x"]}],
    "no array": [{"do": "create", "name": "x", "tensor": {"data": [[1.0], [2.0, 3.0]]}}],
    "integers with gradients": [{"do": "create", "name": "x", "tensor": {"data": np.array([1]), "requires_grad": True}}],
    "name twice": [X, X],
    "unknown name": [X, {"do": "op", "name": "y", "op": "exp", "args": ["w"]}],
    "unknown op": [X, {"do": "op", "name": "y", "op": "expp", "args": ["x"]}],
    "wrong shapes": [X, {"do": "op", "name": "y", "op": "add", "args": ["x", np.zeros(4)]}],
    "wrong dim": [X, {"do": "op", "name": "y", "op": "sum", "args": ["x", 7]}],
    "leaf in place": [X, {"do": "op", "name": "x", "op": "add_", "args": ["x", 1]}],
    "no scalar": [X, {"do": "op", "name": "y", "op": "exp", "args": ["x"]}, {"do": "backward", "of": "y"}],
    "no graph": [X, {"do": "backward", "of": "x"}, {"do": "delete", "names": ["x"]}],
    "no suspension": [{"do": "resume", "suspension": "s9", "grads": []}],
    "not finite": [X, {"do": "op", "name": "y", "op": "clamp", "args": ["x", float("nan"), "no"]}],
}


@pytest.mark.parametrize("instructions", BATCHES.values(), ids=BATCHES)
def test_a_failed_batch_is_the_same_over_http_and_in_this_process(server_url: str, instructions: Any) -> None:
    seen = []
    for transport in (HttpTransport(server_url), LocalTransport()):
        with Client(transport=transport) as client, client.session() as session:
            with pytest.raises(ServiceError) as caught:
                session.batch(instructions)
            error = caught.value
            seen.append((type(error), str(error), error.status, error.code, error.pointer, error.instruction, error.results))
            # The session goes on.
            assert len(session.batch([{"do": "create", "name": "fresh", "tensor": 1.0}, {"do": "read", "name": "fresh"}])) == 2
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "body",
    [{"ttl_seconds": -1}, {"ttl_seconds": "long"}, {"seed": 0.5}, {"default_dtype": "int64"}, {"default_dtype": "float8"}, {"sed": 1}],
)
def test_a_session_that_is_refused_is_so_everywhere(server_url: str, body: dict[str, Any]) -> None:
    over_http = HttpTransport(server_url)
    there, here = (transport.send(Request("POST", "/v1/sessions", body=body)) for transport in (over_http, LocalTransport()))
    over_http.close()
    assert there.status == here.status == 422
    assert there.document.pop("request_id")
    assert there.document == here.document


@pytest.mark.parametrize("kind", EXACT, ids=lambda kind: kind.__name__)
def test_every_class_of_the_engine_arrives_as_itself(kind: type[engine.GradwireError]) -> None:
    problem = Problem.of(kind("A sentence.", pointer="/nodes/0"))
    error = error_of(Response(problem.status, problem.document("request-1")))
    assert isinstance(error, kind)
    assert isinstance(error, ServiceError)
    assert (str(error), error.code, error.pointer, error.request_id) == ("A sentence.", kind.code, "/nodes/0", "request-1")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "malformed_json", ServiceError),
        (401, "unauthorized", errors.Unauthorized),
        (403, "listing_needs_keys", errors.Unauthorized),
        (404, "unknown_session", errors.NotFound),
        (409, "seq_gap", errors.Conflict),
        (410, "suspension_expired", errors.NotFound),
        (413, "body_too_large", engine.LimitError),
        (422, "unknown_parameter", ServiceError),
        (429, "too_many_requests", errors.Unavailable),
        (500, "internal_error", ServiceError),
        (503, "draining", errors.Unavailable),
        (504, "deadline_exceeded", engine.DeadlineExceeded),
        (507, "session_memory", engine.LimitError),
    ],
)
def test_what_torch_does_not_have_is_told_apart_by_status(status: int, code: str, kind: type[Exception]) -> None:
    error = error_of(refusal(status, code))
    assert isinstance(error, kind)
    # Too little memory is a RuntimeError in torch too.
    assert isinstance(error, RuntimeError) == (kind is engine.LimitError)
    assert not isinstance(error, (TypeError, ValueError, IndexError))
    assert kind is not ServiceError or type(error) is ServiceError


def test_an_exception_of_a_newer_server_is_an_error_all_the_same() -> None:
    assert type(error_of(refusal(422, "new", exception="ZeroDivisionError"))) is ServiceError


@pytest.mark.parametrize(("document", "said"), [(None, ""), ("upstream  is\n down ", ": 'upstream  is\\n down'"), ([1], ": '[1]'")])
def test_an_answer_without_a_problem_is_quoted(document: Any, said: str) -> None:
    error = error_of(Response(504, document))
    assert isinstance(error, errors.Unavailable)
    assert str(error) == f"The answer was 504 Gateway Timeout, and not one of Gradwire's{said}."


def test_errors_can_be_copied_and_sent_to_another_process() -> None:
    error = error_of(refusal(422, "shape_mismatch", "No.", exception="RuntimeError", request_id="r", results=[None], instruction=1))
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is errors.ServiceRuntimeError
        assert (str(twin), twin.code, twin.status, twin.request_id, twin.results, twin.instruction) == (
            "No.",
            "shape_mismatch",
            422,
            "r",
            [None],
            1,
        )
