"""How the rules of an op are called, prepared once for each set of arguments that need gradients."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import NumpyDType
from .op import Op, ops
from .opmath import HALF, narrowed, widened

if TYPE_CHECKING:
    from .walk_arithmetic import Arithmetic

Needs = tuple[Any, ...]
"""For each tensor slot whether it needs a gradient; a tuple of booleans for a list of tensors."""

Apply = Callable[[Any, Sequence[Any], Sequence[Any], Sequence[Any]], Sequence[Any]]

_MOST_SPECS = 256


class Spec:
    """The rules of ``op`` for one combination of arguments that need gradients.

    Attributes:
        saves: What is saved: parameter positions, or ``~k`` for output ``k``.
        metas: The parameter positions whose metas the rules name.
        uses_static: Whether a rule names a static parameter.
        single: The op has one output, so ``g`` is a tensor and not a tuple.
        first_edge: For the position of every parameter that has a rule, the number of its edge, or of its first.
        apply: ``apply(g, saved, static, metas)`` gives the gradients in the order of the edges.
    """

    def __init__(self, op: Op, needs: Needs) -> None:
        self.op = op
        self.needs = needs
        self.single = op.outputs is None and not op.variable_outputs
        self.saves: tuple[int, ...] = ()
        self.metas: tuple[int, ...] = ()
        self.uses_static = False
        self.first_edge: dict[int, int] = {}
        edges = 0
        for (slot, has_rule), need in zip(op.ruled_slots, needs, strict=True):
            if has_rule:
                self.first_edge[slot] = edges
                edges += len(need) if isinstance(need, tuple) else 1
        outputs = op.outputs or ("out",)
        need_of = {op.names[slot]: need for slot, need in zip(op.tensor_slots, needs, strict=True)}
        saves: list[int] = []
        metas: list[int] = []

        def source(name: str, key: tuple[str, ...]) -> str:
            """The expression that supplies one parameter of a rule."""
            if name == "g":
                return "g"
            if name == "needs":
                return repr(tuple(need_of[k] for k in key) if len(key) > 1 else need_of[key[0]])
            if name in op.names:
                position = op.names.index(name)
                if not op.params[position].is_tensor:
                    self.uses_static = True
                    return f"static[{position}]"
                if position not in saves:
                    saves.append(position)
                return f"saved[{saves.index(position)}]"
            if name == "out" and op.outputs is not None:
                for k in range(len(outputs)):
                    source(outputs[k], key)
                return "(" + ", ".join(source(o, key) for o in outputs) + ",)"
            if name in outputs:
                code = ~outputs.index(name)
                if code not in saves:
                    saves.append(code)
                return f"saved[{saves.index(code)}]"
            position = op.names.index(name.removesuffix("_meta"))
            if position not in metas:
                metas.append(position)
            return f"metas[{metas.index(position)}]"

        results: dict[str, str] = {}
        lines: list[str] = []
        scope: dict[str, Any] = {}
        for number, (key, rule) in enumerate(op.vjp.items()):
            if not any(_any(need_of[k]) for k in key):
                continue
            scope[f"rule{number}"] = rule
            call = f"rule{number}({', '.join(source(p, key) for p in inspect.signature(rule).parameters)})"
            if len(key) == 1:
                results[key[0]] = call
            else:
                lines.append(f"    r{number} = {call}")
                for i, k in enumerate(key):
                    results[k] = f"r{number}[{i}]"
        parts: list[str] = []
        for (slot, has_rule), need in zip(op.ruled_slots, needs, strict=True):
            if not has_rule:
                continue
            name = op.names[slot]
            found = results.get(name) if _any(need) else None
            if isinstance(need, tuple):
                parts.append(f"*{found}" if found else f"*({'None, ' * len(need)})")
            else:
                parts.append(found or "None")
        # Straight-line code instead of a loop over rules and names: this runs once per node of every backward pass.
        text = "def apply(g, saved, static, metas):\n" + "\n".join([*lines, f"    return ({''.join(part + ', ' for part in parts)})"])
        exec(text, scope)
        self.apply: Apply = _in_single(scope["apply"]) if op.opmath else scope["apply"]
        self.saves = tuple(saves)
        self.metas = tuple(metas)

    def cast(self, saved: Sequence[Any], dtype: NumpyDType, arithmetic: Arithmetic) -> tuple[Any, ...]:
        """The saved operands cast to the dtype that the op computed in; Python numbers and outputs stay."""
        promoted = self.op.promoted
        return tuple(
            item
            if code < 0 or code not in promoted
            else (tuple(arithmetic.cast(x, dtype) for x in item) if isinstance(item, tuple) else arithmetic.cast(item, dtype))
            for code, item in zip(self.saves, saved, strict=True)
        )


def _cast(x: Any, dtype: NumpyDType) -> Any:
    """An array or a value in another dtype; of values that is recorded, for higher derivatives."""
    return x.astype(dtype) if isinstance(x, (np.ndarray, np.generic)) else ops.to(x, dtype)


def _in_single(apply: Apply) -> Apply:
    """The rules of an op whose derivative is computed in single precision too where it is of half precision."""

    def wide(g: Any, saved: Sequence[Any], static: Sequence[Any], metas: Sequence[Any]) -> Sequence[Any]:
        # Nearly all gradients are arrays of another precision.
        found = None if type(g) is np.ndarray and g.dtype != HALF else widened((g, *saved), _cast)
        if found is None:
            return apply(g, saved, static, metas)
        results: Sequence[Any] = narrowed(apply(found[0], found[1:], static, metas), _cast)
        return results

    return wide


def _any(need: Any) -> bool:
    return any(need) if isinstance(need, tuple) else bool(need)


def spec_for(op: Op, needs: Needs) -> Spec:
    """The prepared rules of ``op`` for ``needs``, made on first use."""
    spec: Spec | None = op.vjp_specs.get(needs)
    if spec is None:
        if len(op.vjp_specs) >= _MOST_SPECS:
            op.vjp_specs.clear()  # lists of tensors come in any number of patterns
        spec = op.vjp_specs[needs] = Spec(op, needs)
    return spec
