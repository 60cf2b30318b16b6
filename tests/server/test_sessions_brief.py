"""Batches that are begun where they stand and go on elsewhere: everything is done once, wherever."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_engine.limits import Limits
from gradwire_server.services.sessions.brief import Brief
from tests.server.sessions import Caller, Document, backward, create, finish, op

BRIEF = Brief(Limits(tensor_bytes=4000, program_bytes=24_000, nodes=10, work=100_000), seconds=10.0, answer_bytes=2000)


def advance(caller: Caller, *instructions: Any, brief: Brief = BRIEF) -> tuple[int, Document]:
    """How many instructions were carried out at once, and the whole answer."""
    with caller.service.turn(caller.id, owner=None) as turn:
        work = caller.service.begin(
            caller.id, {"instructions": list(instructions)}, owner=None, check=lambda: None, finish=finish, turn=turn
        )
        done = work.advance(brief)
        at_once = len(instructions)
        if not done:
            assert work._progress is not None
            at_once = len(work._progress._results)
            assert work.advance()
        assert work.advance()
        status, document = work.result
        assert status == 200, document
        return at_once, document


SMALL = (op("x", "rand", 10, kwargs={"requires_grad": True}), op("y", "mul", "x", "x"), op("s", "sum", "y"))


@pytest.mark.parametrize(
    "heavy",
    [
        op("r", "randn", 2000),
        op("r", "nn.functional.dropout", [0.5] * 1500),
        op("r", "repeat", "x", 500),
        op("r", "linalg.matrix_power", [[0.01] * 30] * 30, 20),
        op("r", "nonzero", [1.0] * 1500),
    ],
    ids=lambda i: i["op"],
)
def test_what_is_heavy_is_done_elsewhere_and_once(heavy: dict[str, Any]) -> None:
    end = (op("z", "rand", 3), {"do": "read", "name": "z"}, {"do": "read", "name": "s"})
    whole, parts = Caller(document={"seed": 5}), Caller(document={"seed": 5})
    results = whole.do(*SMALL, heavy, *end)
    at_once, document = advance(parts, *SMALL, heavy, *end)
    assert at_once == 3
    assert document["results"] == results


def test_what_is_small_is_done_at_once() -> None:
    at_once, document = advance(Caller(), *SMALL, backward("s"), {"do": "read", "name": "x", "what": ["value", "grad"]})
    assert at_once == 5
    assert document["results"][4]["grad"]["shape"] == [10]


def test_long_graphs_long_answers_and_large_sessions_go_elsewhere() -> None:
    caller = Caller()
    caller.do(create("x0", [1.0], requires_grad=True), *(op(f"x{i + 1}", "mul", f"x{i}", 1.5) for i in range(12)))
    assert advance(caller, create("a", 1.0), backward("x12"))[0] == 1
    caller.do({"do": "set", "name": "x0", "grad": None}, op("v", "ones", 900))
    assert advance(caller, {"do": "read", "name": "x0"}, {"do": "read", "name": "v"})[0] == 1
    caller.do(op("w", "ones", 5000))
    assert advance(caller, {"do": "read", "name": "x0"})[0] == 0


def test_a_pass_that_waited_goes_elsewhere_too() -> None:
    caller = Caller()
    caller.do(create("x0", [1.0], requires_grad=True), *(op(f"x{i + 1}", "mul", f"x{i}", 2) for i in range(12)))
    caller.do({"do": "hook", "name": "h", "of": "x6", "kind": "tensor"})
    caller.suspend(backward("x12"))
    assert advance(caller, create("a", 1.0), {"do": "resume", "suspension": "s1", "grads": None})[0] == 1
    assert caller.grad("x0") == [4096.0]


def test_no_instruction_is_begun_when_the_time_is_over() -> None:
    brief = Brief(BRIEF.limits, seconds=0.0, answer_bytes=2000)
    assert advance(Caller(), *SMALL, brief=brief)[0] == 0


def test_a_limit_that_is_real_is_found_at_once() -> None:
    caller = Caller(session_tensors=1)
    with caller.service.turn(caller.id, owner=None) as turn:
        document = {"instructions": [create("a", 1.0), create("b", 1.0)]}
        work = caller.service.begin(caller.id, document, owner=None, check=lambda: None, finish=finish, turn=turn)
        assert work.advance(BRIEF)
        assert (work.result[0], work.result[1]["code"], work.result[1]["instruction"]) == (422, "too_many_names", 1)


def test_a_batch_that_is_begun_is_finished_while_the_server_stops() -> None:
    import asyncio
    import logging
    from typing import cast

    from gradwire_server.compute import Allowance, Compute
    from gradwire_server.logs import Logger
    from gradwire_server.session_work import SessionWork

    caller = Caller()
    compute = Compute(threads=1, limits=Limits(), observe=lambda *_: None)
    work = SessionWork(caller.service, compute, 10.0, cast(Logger, logging.getLogger()))
    instructions = [create("x", [1.0]), op("x", "add_", "x", 1.0), op("r", "randn", 300_000), {"do": "read", "name": "x"}]
    del instructions[1]["name"]

    async def send() -> tuple[int, Document]:
        compute.close()
        return await work.batch(
            caller.id,
            None,
            lambda turn: caller.service.begin(
                caller.id, {"instructions": instructions}, owner=None, check=lambda: None, finish=finish, turn=turn
            ),
            size=100,
            allowance=Allowance(10),
        )

    status, document = asyncio.run(send())
    assert (status, document["seq"]) == (200, 1)
    assert document["results"][-1]["value"]["data"] == [2.0]
