"""The declaration of operations: everything else in Gradwire is derived from it.

    @op(vjp=dict(input=lambda g, other: g * other, other=lambda g, input: g * input))
    def mul(input: Tensor, other: Tensor) -> Array:
        '''Elementwise product.'''
        return np.multiply(input, other)

The function is the kernel: it computes on NumPy arrays. Its name is torch's name, its parameters have torch's names, order
and defaults, its docstring is the documentation, and its annotations tell tensor slots from static parameters.

Rules (``vjp``) are written against ops, so that they run on arrays, record themselves for higher derivatives, and build the
backward half of a program. A rule receives exactly what its parameters name: ``g`` (the cotangent of the output), ``out`` or
an output's name, inputs, ``<input>_meta`` (shape, dtype and strides, which saves nothing), static parameters, and ``needs``.
What a rule names is saved for backward; what no rule needs is not.

Rules give the transpose of the derivative, J^T g. For complex tensors torch's convention is the conjugate one, J^H g =
conj(J^T conj(g)), and the walk puts the conjugations around every rule; an op that is not holomorphic (``abs``, ``real``)
says so, and its rules then return torch's gradient themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from . import params as _params
from .dtypes import NumpyDType
from .errors import TensorTypeError
from .opmath import HALF, narrowed, widened
from .params import Param

Rule = Callable[..., Any]
Promotion = Literal["same", "float", "none"]
Result = Literal["bool", "real", "complex", "dtype"]

REGISTRY: dict[str, Op | Overloads] = {}
"""Every public op by torch's dotted name."""


class Op:
    """One overload of an operation.

    Attributes:
        name: torch's dotted name, such as ``"nn.functional.relu"``.
        overload: torch's overload name, or ``""``.
        kernel: Computes on arrays; for a composite op, the body written in ops.
        params: The parameters in order.
        bind: Binds arguments to the parameters: one value per parameter.
        vjp: The rules, by the arguments that they serve.
        differentiable: The names of the arguments that have a rule.
        saves_first: Whether backward may need the first argument, so that an in-place call has to keep its old elements.
        ruled_slots: The position of every tensor slot, and whether it has a rule.
        meta_rule: Maps metas and static parameters to the meta of the output (or a tuple of them).
        scratch: Gives the bytes that the kernel needs beside its result, from what its parameters name.
        work: Gives the multiply-adds that take as long as the kernel, likewise; by default one for each element (``work.work_of``).
        promotion: ``"same"``: tensor arguments are cast to a common dtype; ``"float"``: also made floating point; ``"none"``. Without
            promotion a Python number is no tensor; a composite op leaves that to its parts, unless it says ``"none"`` itself.
        promoted: The names of the arguments that take part in promotion.
        outputs: Names of the outputs where their number is fixed and more than one.
        variable_outputs: The outputs are a list, of a length that is known at the call.
        named_outputs: The outputs are a named tuple, as torch's ``return_types``.
        composite: The body is written in ops and records its parts.
        view: Outputs share the storage of the first argument.
        elementwise: The kernel works element by element, and keeps the memory order of its operands.
        data_dependent: The shape of the result depends on values; the meta rule gives an upper bound.
        random: Draws from a generator; never merged, folded or dropped.
        batch: The rule for a whole batch (``batching.rules``), where that does not follow from the rest of the declaration.
        opmath: Where the first argument is of half precision, kernel and rules compute in single precision (``opmath``).
        creation: Makes tensors from no tensor.
        numbers_alone: Python numbers in place of all tensors make a tensor, as in ``torch.add(1, 2)``.
        holomorphic: The rules are J^T; otherwise they follow torch's conjugate convention themselves.
        grad_fn: The name of the backward node.
        inplace_grad_fn: Its name after the in-place form, where torch numbers that on its own.
        check: Refuses arguments of an op with promotion before it computes; gets the arguments that its parameters name, and
            the compute dtype as ``dtype``.
        inplace_check: Refuses the in-place form; gets the dtype of the tensor written, and whether the write is recorded.
        recorder: What a call does; specialised for the op when it is first called.
        inplace: Whether the form with a trailing underscore exists, or its name where that is not the op's with an underscore.
        method: Whether tensors have it as a method.
        aliases: Other dotted names of the same op.
    """

    def __init__(self, kernel: Callable[..., Any], **facts: Any) -> None:
        self.kernel = kernel
        self.name: str = facts["name"]
        self.overload: str = facts["overload"]
        self.params: tuple[Param, ...] = _params.read_params(kernel)
        self.vjp: dict[tuple[str, ...], Rule] = facts["vjp"]
        self.meta_rule: Callable[..., Any] | None = facts["meta"]
        self.promotion: Promotion = facts["promotion"]
        self.result: Result | None = facts["result"]
        self.outputs: tuple[str, ...] | None = facts["outputs"]
        self.variable_outputs: bool = facts["variable_outputs"]
        self.named_outputs: bool = self.outputs is not None and not facts["plain_tuple"]
        self.composite: bool = facts["composite"]
        self.view: bool = facts["view"]
        self.multi_view: bool = facts["view"] and facts["variable_outputs"]
        self.elementwise: bool = facts["elementwise"]
        self.data_dependent: bool = facts["data_dependent"]
        self.random: bool = facts["random"]
        self.batch: str | None = facts["batch"]
        self.opmath: bool = facts["opmath"]
        self.creation: bool = facts["creation"]
        self.numbers_alone: bool = facts["numbers_alone"]
        self.holomorphic: bool = facts["holomorphic"]
        self.inplace: bool | str = facts["inplace"]
        self.method: bool = facts["method"]
        self.aliases: tuple[str, ...] = facts["aliases"]
        self.__doc__ = inspect.getdoc(kernel)
        self.__name__ = self.short_name = self.name.rpartition(".")[2]
        self.__module__ = kernel.__module__
        self.grad_fn: str = facts["grad_fn"] or "".join(p[:1].upper() + p[1:] for p in self.short_name.split("_") if p) + "Backward0"
        self.inplace_grad_fn: str | None = facts["inplace_grad_fn"]
        self.check: Callable[..., None] | None = facts["check"]
        self.inplace_check: Callable[[NumpyDType, bool], None] | None = facts["inplace_check"]
        self.names = tuple(p.name for p in self.params)
        self.bind = _params.Binder(self.short_name, self.params, facts["numbers"])
        self.tensor_slots = tuple(i for i, p in enumerate(self.params) if p.is_tensor)
        self.first_keyword = next((i for i, p in enumerate(self.params) if p.keyword_only), len(self.params))
        if (promoted := facts["promoted"]) is None:
            promoted = tuple(self.names[i] for i in self.tensor_slots)
        self.promoted = frozenset(self.names.index(n) for n in promoted) if self.promotion != "none" else frozenset[int]()
        # A meta rule, like a VJP rule, receives the arguments that its parameters name.
        self.meta_positions = _positions(self.meta_rule, self.names)
        self.scratch: Callable[..., int] | None = facts["scratch"]
        self.scratch_positions = _positions(self.scratch, self.names)
        self.work: Callable[..., int] | None = facts["work"]
        self.work_positions = _positions(self.work, self.names)
        self._check_rules()
        ruled = {n for key in self.vjp for n in key}
        self.differentiable = tuple(n for n in self.names if n in ruled)
        self.leaf_flag = self.names.index("requires_grad") if "requires_grad" in self.names else None
        rule_names = {n for rule in self.vjp.values() for n in inspect.signature(rule).parameters}
        self.saves_first = bool(self.names) and (self.composite or self.names[0] in rule_names)
        self.ruled_slots = tuple((slot, self.names[slot] in ruled) for slot in self.tensor_slots)
        self._checked = self._read_check()
        self.recorder: Callable[..., Any] = self._first_call
        self.vjp_specs: dict[Any, Any] = {}

    @property
    def full_name(self) -> str:
        """The name with its overload, as in ``pow.Tensor_Scalar``."""
        return f"{self.name}.{self.overload}" if self.overload else self.name

    def signature(self) -> str:
        """The signature as text."""
        parts: list[str] = []
        for i, p in enumerate(self.params):
            if i == self.first_keyword:
                parts.append("*")
            parts.append(p.describe())
        return f"{self.name}({', '.join(parts)})"

    def run(self, values: Sequence[Any]) -> Any:
        """Calls the kernel with one value per parameter."""
        if self.opmath and getattr(values[0], "dtype", None) == HALF and (wide := widened(values)) is not None:
            return narrowed(self.run(wide))
        k = self.first_keyword
        if k == len(values):
            return self.kernel(*values)
        return self.kernel(*values[:k], **dict(zip(self.names[k:], values[k:], strict=True)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs or records the operation, whichever its arguments ask for."""
        return self.recorder(*args, **kwargs)

    def _first_call(self, *args: Any, **kwargs: Any) -> Any:
        from .recorders import make_recorder

        self.recorder = make_recorder(self)
        return self.recorder(*args, **kwargs)

    def run_check(self, values: Sequence[Any], dtype: NumpyDType) -> None:
        """Calls ``check`` on one value per parameter and the compute dtype."""
        if self.check is not None:
            self.check(*[dtype if position is None else values[position] for position in self._checked])

    def __repr__(self) -> str:
        return f"<op {self.full_name}>"

    def _read_check(self) -> tuple[int | None, ...]:
        """The positions of the arguments that ``check`` names, ``None`` for the compute dtype."""
        if self.check is None:
            return ()
        return tuple(self.names.index(name) if name in self.names else None for name in inspect.signature(self.check).parameters)

    def _check_rules(self) -> None:
        outputs = {"out", *(self.outputs or ())}
        for key, rule in self.vjp.items():
            for name in key:
                if name not in self.names or not self.params[self.names.index(name)].is_tensor:
                    raise TypeError(f"{self.full_name}: a rule serves {name!r}, which is not a tensor argument")
            for name in inspect.signature(rule).parameters:
                base = name.removesuffix("_meta")
                if name not in {"g", "needs", *outputs} and name not in self.names and base not in self.names:
                    raise TypeError(f"{self.full_name}: the rule of {', '.join(key)} names {name!r}, which is no argument or output")


class Overloads:
    """An op with several overloads: a call takes the first whose parameters accept its arguments."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.__name__ = self.short_name = name.rpartition(".")[2]
        self.overloads: list[Op] = []
        self.recorder: Callable[..., Any] = self.__call__
        self._chosen: dict[tuple[Any, ...], Op] = {}

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.overloads[0].__doc__

    def resolve(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], is_tensor: Callable[[Any], bool]) -> tuple[Op, list[Any]]:
        """The overload for these arguments, and the arguments bound to it.

        Raises:
            TensorTypeError: No overload accepts them.
        """
        if not any(is_tensor(a) and not isinstance(a, (np.ndarray, np.generic)) for a in args):
            # Rules that run on arrays meet NumPy's scalars where a tensor has no dimensions; beside tensors they are numbers.
            args = tuple(np.asarray(a) if isinstance(a, np.generic) else a for a in args)
        errors: list[TensorTypeError] = []
        second_choice: tuple[Op, list[Any]] | None = None
        for candidate in self.overloads:
            try:
                values = candidate.bind(args, kwargs, is_tensor)
            except TensorTypeError as error:
                errors.append(error.with_traceback(None))  # whose frames would keep the arguments alive
                continue
            if any(
                not p.is_tensor and is_tensor(a) and not isinstance(a, np.generic) for p, a in zip(candidate.params, args, strict=False)
            ):
                # A tensor of one integer passes for a number, but only where no overload takes it as a tensor.
                second_choice = second_choice or (candidate, values)
                continue
            if (
                any(is_tensor(values[i]) for i in candidate.tensor_slots if not candidate.params[i].is_list)
                or any(candidate.params[i].is_list for i in candidate.tensor_slots)
                or not candidate.tensor_slots
                or candidate.numbers_alone
            ):
                return candidate, values
        if second_choice is not None:
            return second_choice
        if len(self.overloads) == 1 and errors:
            raise errors[0]
        named = [("", a) for a in args] + [(f"{name}=", value) for name, value in kwargs.items()]
        got = ", ".join([prefix + ("Tensor" if is_tensor(value) else type(value).__name__) for prefix, value in named])
        forms = "".join(f"\n * {o.signature()}" for o in self.overloads)
        raise TensorTypeError(
            f"{self.short_name}() received an invalid combination of arguments - got ({got}), but expected one of:{forms}",
            code="argument_type",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs or records the overload that the arguments ask for."""
        key = (*map(type, args), *kwargs)
        chosen = self._chosen.get(key)
        if chosen is not None:
            return chosen.recorder(*args, **kwargs)
        from .record import call_bound, decides_by_type, is_tensor

        chosen, values = self.resolve(args, kwargs, is_tensor)
        if not kwargs and all(decides_by_type(a) for a in args):
            self._chosen[key] = chosen
        return call_bound(chosen, values)

    def __repr__(self) -> str:
        return f"<op {self.name} with overloads {', '.join(o.overload for o in self.overloads)}>"


def _positions(rule: Callable[..., Any] | None, names: tuple[str, ...]) -> tuple[int, ...]:
    return () if rule is None else tuple(names.index(n) for n in inspect.signature(rule).parameters)


def op(
    name: str | None = None,
    *,
    overload: str = "",
    vjp: Mapping[str | tuple[str, ...], Rule] | None = None,
    meta: Callable[..., Any] | None = None,
    scratch: Callable[..., int] | None = None,
    work: Callable[..., int] | None = None,
    promotion: Promotion | None = None,
    promoted: tuple[str, ...] | None = None,
    result: Result | None = None,
    outputs: tuple[str, ...] | Literal["list"] | None = None,
    plain_tuple: bool = False,
    composite: bool = False,
    view: bool = False,
    data_dependent: bool = False,
    random: bool = False,
    batch: str | None = None,
    opmath: bool = False,
    creation: bool = False,
    numbers_alone: bool = False,
    holomorphic: bool = True,
    inplace: bool | str | None = None,
    method: bool | None = None,
    grad_fn: str | None = None,
    inplace_grad_fn: str | None = None,
    check: Callable[..., None] | None = None,
    inplace_check: Callable[[NumpyDType, bool], None] | None = None,
    aliases: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Op]:
    """Declares an op; see the module's text and ``Op`` for what the facts mean.

    Without ``meta`` an op is elementwise: its result has the broadcast shape and the compute dtype (``result`` overrides
    the dtype: ``"bool"``, ``"real"`` and ``"complex"`` for the one of the same precision, ``"dtype"`` for what the parameter
    of that name says), and it has an in-place form if it is a method and ``result`` is not given. View ops need no
    ``meta``: their kernel is run on an array without memory.

    Returns:
        The ``Op``, registered under its name.

    Raises:
        TypeError: The declaration contradicts itself.
    """

    def declare(kernel: Callable[..., Any]) -> Op:
        elementwise = meta is None and not (view or composite or creation)
        full = name or kernel.__name__
        is_method = (not creation and "." not in full) if method is None else method
        declared = Op(
            kernel,
            name=full,
            overload=overload,
            vjp={(key,) if isinstance(key, str) else key: rule for key, rule in (vjp or {}).items()},
            meta=meta,
            scratch=scratch,
            work=work,
            promotion=promotion or ("same" if elementwise else "none"),
            numbers=promotion != "none" and (elementwise or promotion is not None),
            promoted=promoted,
            result=result,
            outputs=outputs if isinstance(outputs, tuple) else None,
            variable_outputs=outputs == "list",
            plain_tuple=plain_tuple,
            composite=composite,
            view=view,
            elementwise=elementwise,
            data_dependent=data_dependent,
            random=random,
            batch=batch,
            opmath=opmath,
            creation=creation,
            numbers_alone=numbers_alone,
            holomorphic=holomorphic,
            inplace=(elementwise and is_method and result is None) if inplace is None else inplace,
            method=is_method,
            grad_fn=grad_fn,
            inplace_grad_fn=inplace_grad_fn,
            check=check,
            inplace_check=inplace_check,
            aliases=aliases,
        )
        for public in (full, *aliases):
            _register(public, declared)
        return declared

    return declare


def _register(name: str, declared: Op) -> None:
    present = REGISTRY.get(name)
    if not declared.overload:
        if present is not None:
            raise TypeError(f"the op {name!r} is declared twice")
        REGISTRY[name] = declared
        return
    if present is None:
        present = REGISTRY[name] = Overloads(name)
    if not isinstance(present, Overloads) or any(o.overload == declared.overload for o in present.overloads):
        raise TypeError(f"the op {declared.full_name!r} is declared twice")
    present.overloads.append(declared)


class _Namespace:
    """The ops by attribute, found when first used, so that families need not import each other."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        full = self._prefix + name
        found: Any = REGISTRY.get(full)
        if found is None:
            if not any(key.startswith(full + ".") for key in REGISTRY):
                raise AttributeError(f"there is no op {full!r}")
            found = _Namespace(full + ".")
        setattr(self, name, found)
        return found


ops = _Namespace("")
"""Every op by torch's dotted path: ``ops.mul``, ``ops.linalg.inv``, ``ops.nn.functional.relu``."""
