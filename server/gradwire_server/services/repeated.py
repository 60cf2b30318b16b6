"""Programs that come again: the third time with inputs of the same shapes they are compiled, and from then on their plans run.

A program that comes once is faster run than compiled. Whether two requests are the same is seen from a hash of all but the elements of
the inputs, before anything is read. Whatever a plan cannot say (where in the program an operation failed, which limit is passed) the
program run node by node says.
"""

from __future__ import annotations

import contextvars
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gradwire_engine import codec
from gradwire_engine.dtypes import set_default_dtype
from gradwire_engine.errors import GradwireError, Stopped
from gradwire_engine.execute import Runner
from gradwire_engine.limits import UNBOUNDED, Limits
from gradwire_engine.meta import dense
from gradwire_engine.meter import Meter
from gradwire_engine.modes import GENERATOR
from gradwire_engine.plan import Plan, compile_trace
from gradwire_engine.plan.cache import PlanCache
from gradwire_engine.random import generator_from
from gradwire_engine.stopping import stoppable
from gradwire_engine.symbolic import Symbol, Trace
from gradwire_engine.tensor import Tensor
from gradwire_engine.text import read_program
from gradwire_engine.tracing import record
from gradwire_engine.value import Value

from .digest import digest
from .evaluate import FIELDS, described, evaluate, gradients_of, outputs_of, read_inputs
from .plan_costs import calls_fit, costs_fit
from .seeds import read_seed

PLANS_BYTES: Final = 2**27
"""The room for plans."""

_MOST_OPERATIONS: Final = 5_000
"""The most operations that are compiled for whoever may not come again: these take half a second. A registered function may have more."""

_REMEMBERED: Final = 4_096
_REFUSED_BYTES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A program with inputs of given shapes.

    Attributes:
        plan: What runs; ``None`` if the program has to be run node by node.
        outputs: What is answered of each output beside its elements.
        grads: For each gradient that is asked for whether it is reached, and what is answered of it.
        cost: What running it node by node takes.
        nbytes: What is kept.
    """

    plan: Plan | None
    outputs: Mapping[str, dict[str, Any]]
    grads: Mapping[str, dict[str, Any] | None] | None
    cost: Meter | None
    nbytes: int

    def fits(self, limits: Limits) -> bool:
        """Whether it may be run within limits."""
        cost, plan = self.cost, self.plan
        return cost is not None and plan is not None and costs_fit(cost, limits) and calls_fit(plan.calls, limits)


_NOT_PLANNED: Final = Planned(None, {}, None, None, _REFUSED_BYTES)


class EvaluateRepeated:
    """``evaluate``, which keeps plans of programs that came more than once; safe to use from several threads.

    Args:
        plans_bytes: The room for plans.
    """

    def __init__(self, plans_bytes: int = PLANS_BYTES) -> None:
        self._plans: PlanCache[Planned] = PlanCache(plans_bytes)
        self._seen: OrderedDict[Hashable, None] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, document: Any, *, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Evaluates a request, as :func:`gradwire_server.services.evaluate.evaluate` does."""
        # A context of its own, as every request has: the default dtype ends with it.
        answer = contextvars.copy_context().run(self._by_plan, document, limits, check)
        return evaluate(document, limits=limits, check=check) if answer is None else answer

    def _by_plan(self, document: Any, limits: Limits, check: Callable[[], None]) -> dict[str, Any] | None:
        """The answer, if there is a plan that can give it."""
        if not isinstance(document, Mapping) or not FIELDS.issuperset(document):
            return None
        if document.get("create_graph", False) is not False or document.get("include", []) != []:
            return None
        try:
            seed = read_seed(document)
            if document.get("default_dtype") is not None:
                set_default_dtype(document["default_dtype"])
            program = digest({name: part for name, part in document.items() if name not in ("inputs", "seed")})
            if not self._again(program):
                return None
            inputs = read_inputs(document.get("inputs", {}), limits)
            # Hashed again: the key is kept, however many inputs there are.
            key = digest([program, [[name, *x._data.shape, x._data.dtype.str, x._requires_grad] for name, x in inputs.items()]])
            if not self._again(key):
                return None
            planned = self._plans.get(key, lambda: _build(document, inputs, limits, check), check)
            if not planned.fits(limits) or planned.plan is None:
                return None
            with stoppable(check):
                if planned.plan.asks_context:
                    GENERATOR.set(generator_from(seed))
                found = planned.plan([x._data for x in inputs.values()])
        except Stopped:
            raise
        except GradwireError:
            return None  # running it node by node says what is wrong, and where
        return _answer(planned, found)

    def _again(self, key: Hashable) -> bool:
        """Whether it has come before."""
        with self._lock:
            if key in self._seen:
                self._seen.move_to_end(key)
                return True
            self._seen[key] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return False


def _answer(planned: Planned, found: list[Any]) -> dict[str, Any]:
    arrays = iter(found)
    answer: dict[str, Any] = {"outputs": {name: codec.encode(next(arrays), **facts) for name, facts in planned.outputs.items()}}
    if planned.grads is not None:
        answer["grads"] = {name: None if facts is None else codec.encode(next(arrays), **facts) for name, facts in planned.grads.items()}
    return answer


def _build(document: Mapping[str, Any], inputs: Mapping[str, Tensor], limits: Limits, check: Callable[[], None]) -> Planned:
    with stoppable(check):
        try:
            return _compile(document, inputs, limits, check)
        except Stopped:
            raise
        except GradwireError:
            return _NOT_PLANNED


def _compile(document: Mapping[str, Any], inputs: Mapping[str, Tensor], limits: Limits, check: Callable[[], None]) -> Planned:
    program = read_program(document, list(inputs), limits)
    outputs: dict[str, dict[str, Any]] = {}
    grads: dict[str, dict[str, Any] | None] | None = None

    def steps(trace: Trace, runner: Runner) -> Sequence[Value]:
        nonlocal grads
        symbols: dict[str, Symbol] = {}
        for name, tensor in inputs.items():
            symbols[name] = trace.input(dense(tensor._data.shape, tensor._data.dtype))
            symbols[name]._requires_grad = tensor._requires_grad
        values = runner.run(program.body, dict(symbols))
        made = outputs_of(program, values)
        outputs.update({name: described(value) for name, value in made.items()})
        results = list(made.values())
        found = gradients_of(document, program, symbols, values, limits, lambda targets: None)
        if found is not None:
            grads = {name: None if g is None else described(g) for name, g in found.items()}
            results += [g for g in found.values() if g is not None]
        return results

    trace = record(steps, nodes=_MOST_OPERATIONS, check=check)
    cost = Meter(UNBOUNDED, check, backward=document.get("backward") is not None)
    cost.measure(program.body, inputs)
    cost.bytes += sum(variable.meta.nbytes for variable in trace.outputs)
    plan = compile_trace(trace)
    return Planned(plan, outputs, grads, cost, plan.nbytes + _REFUSED_BYTES)
