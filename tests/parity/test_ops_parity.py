"""Every op on all of its samples, beside torch: results, grad_fns, gradients, what is saved, in-place forms, errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array
from gradwire_engine.op import REGISTRY, Overloads
from tests.samples import all_samples
from tests.samples.base import Sample
from tests.samples.build import GRADWIRE, Call, Side, build, differentiated, draw, flat, torch_side
from tests.samples.running import Numbered, check_each, over_ops

torch = pytest.importorskip("torch")

# torch warns where values are lost or an old habit is used; the results are compared all the same.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

TORCH = torch_side()
BUILTIN = (NotImplementedError, IndexError, ValueError, TypeError, RuntimeError)
RTOL = {"float16": 1e-3, "float32": 1e-5, "complex64": 1e-5, "float64": 1e-10, "complex128": 1e-10}


def is_differentiable(name: str, sample: Sample) -> bool:
    return not sample.error and sample.grad and any(t.requires_grad for t in build(name, sample, GRADWIRE).tensors)


def has_inplace_form(name: str, sample: Sample) -> bool:
    found = REGISTRY[name]
    return not sample.error and sample.inplace and any(o.inplace for o in (found.overloads if isinstance(found, Overloads) else (found,)))


def array_of(tensor: Any) -> Array:
    if isinstance(tensor, gradwire.Value):
        return np.asarray(tensor._data)
    return np.asarray(tensor.detach().resolve_conj().resolve_neg().numpy(force=True))


def dtype_name(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def loosest(sample: Sample, call: Call) -> float:
    """The relative tolerance of a sample: its own, or that of the least precise tensor in it."""
    return sample.rtol or max((RTOL.get(r.dtype, 0.0) for r in call.recipes), default=0.0)


def close(ours: Any, theirs: Any, rtol: float = 0.0) -> None:
    """Both are ``None``, or equal numbers, or tensors of the same dtype and shape with the same elements."""
    if not isinstance(theirs, torch.Tensor):
        assert ours == theirs
        return
    assert ours is not None
    name = dtype_name(theirs)
    assert dtype_name(ours) == name
    assert tuple(ours.shape) == tuple(theirs.shape)
    if name in RTOL:
        rtol = max(rtol, RTOL[name])
        np.testing.assert_allclose(array_of(ours), array_of(theirs), rtol=rtol, atol=rtol / 10)
    else:
        np.testing.assert_array_equal(array_of(ours), array_of(theirs))


def names_of(node: Any) -> Any:
    """The name of a node and, nested, those of the nodes that it leads to."""
    if node is None:
        return None
    return (node.name().removeprefix("torch::autograd::"), [(names_of(n), k) for n, k in node.next_functions])


def steps(tensor: Any) -> tuple[int, ...]:
    return () if 0 in tensor.shape else tuple(stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size > 1)


def is_elementwise(name: str) -> bool:
    found = REGISTRY[name]
    return all(o.elementwise for o in (found.overloads if isinstance(found, Overloads) else (found,)))


@over_ops(lambda _, sample: not sample.error)
def test_results(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_results)


def check_results(name: str, sample: Sample) -> None:
    ours, theirs = build(name, sample, GRADWIRE), build(name, sample, TORCH)
    our_result, their_result = ours.run(), theirs.run()
    our_outputs, their_outputs = flat(our_result), flat(their_result)
    assert len(our_outputs) == len(their_outputs)
    for a, b in zip(our_outputs, their_outputs, strict=True):
        close(a, b, loosest(sample, ours))
        if not isinstance(b, torch.Tensor):
            continue
        assert a.requires_grad == b.requires_grad
        assert a._is_view() == b._is_view() or not sample.view
        if sample.grad_fn:
            assert names_of(a.grad_fn) == names_of(b.grad_fn)
        # Which of two orders in memory an elementwise result takes is NumPy's choice.
        if (b._is_view() and sample.view) or (is_elementwise(name) and len(ours.tensors) == 1):
            assert steps(a) == steps(b)


def first_gradients(call: Call, sample: Sample, side: Side, grad: Callable[..., Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """Inputs, cotangents (which require grad too) and gradients."""
    outputs = differentiated(sample, call.run())
    inputs = [t for t in call.tensors if t.requires_grad]
    cotangents = [side.tensor(draw(o.shape, np.dtype(dtype_name(o)), k), True) for k, o in enumerate(outputs)]
    if not outputs:
        return inputs, cotangents, [None] * len(inputs)
    return inputs, cotangents, list(grad(outputs, inputs, cotangents, create_graph=True, allow_unused=True))


def second_gradients(
    inputs: Sequence[Any], cotangents: Sequence[Any], first: Sequence[Any], side: Side, grad: Callable[..., Any]
) -> list[Any]:
    """The gradients of a random projection of ``first``, by the inputs and by the cotangents; ``None`` for no dependence."""
    reached = [(k, g) for k, g in enumerate(first) if g is not None and g.requires_grad]
    if not reached:
        return [None] * (len(inputs) + len(cotangents))
    directions = [side.tensor(draw(g.shape, np.dtype(dtype_name(g)), 40 + k), False) for k, g in reached]
    return list(grad([g for _, g in reached], [*inputs, *cotangents], directions, allow_unused=True))


def zeros_for_none(gradient: Any, tensor: Any) -> Array:
    return np.zeros(tuple(tensor.shape)) if gradient is None else array_of(gradient)


@over_ops(is_differentiable)
def test_gradients(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_gradients)


def check_gradients(name: str, sample: Sample) -> None:
    ours, theirs = build(name, sample, GRADWIRE), build(name, sample, TORCH)
    our_inputs, our_cotangents, our_first = first_gradients(ours, sample, GRADWIRE, gradwire.grad)
    their_inputs, their_cotangents, their_first = first_gradients(theirs, sample, TORCH, torch.autograd.grad)
    for a, b in zip(our_first, their_first, strict=True):
        close(a, b, loosest(sample, ours))
    if not sample.grad2:
        return
    our_second = second_gradients(our_inputs, our_cotangents, our_first, GRADWIRE, gradwire.grad)
    their_second = second_gradients(their_inputs, their_cotangents, their_first, TORCH, torch.autograd.grad)
    # Whether a second gradient is zero or none depends on how a formula is written, and the user sees neither.
    for a, b, tensor in zip(our_second, their_second, [*their_inputs, *their_cotangents], strict=True):
        rtol = 10 * max(loosest(sample, ours), RTOL[dtype_name(tensor)])
        expected = zeros_for_none(b, tensor)
        scale = max(1.0, float(np.max(np.abs(np.nan_to_num(expected)), initial=0.0)))
        np.testing.assert_allclose(zeros_for_none(a, tensor), expected, rtol=rtol, atol=rtol * scale)


def overwritten(name: str, sample: Sample, side: Side, grad: Callable[..., Any], bump: Callable[[Any], None]) -> list[str | None]:
    """For every tensor that goes in or comes out: the error of backward after it was overwritten, ``None`` where it works."""
    results: list[str | None] = []
    count = len(build(name, sample, side).tensors) + len(flat(build(name, sample, side).run()))
    for position in range(count):
        call = build(name, sample, side)
        result = call.run()
        outputs = differentiated(sample, result)
        if not outputs:
            return []
        bump([*call.tensors, *flat(result)][position])
        inputs = [t for t in call.tensors if t.requires_grad]
        cotangents = [side.tensor(draw(o.shape, np.dtype(dtype_name(o)), k), False) for k, o in enumerate(outputs)]
        try:
            grad(outputs, inputs, cotangents, allow_unused=True)
        except RuntimeError as error:
            results.append(str(error))
        else:
            results.append(None)
    return results


def bump_ours(tensor: Any) -> None:
    if isinstance(tensor, gradwire.Value):
        tensor._version_counter.count += 1


def bump_theirs(tensor: Any) -> None:
    if isinstance(tensor, torch.Tensor):
        # A write to no element, so that views of the tensor notice it too.
        tensor.detach().as_strided((0,), (1,)).zero_()


@over_ops(is_differentiable)
def test_what_is_saved(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_saved)


def check_saved(name: str, sample: Sample) -> None:
    """Backward refuses the same overwritten tensors as torch, in the same words."""
    ours = overwritten(name, sample, GRADWIRE, gradwire.grad, bump_ours)
    theirs = overwritten(name, sample, TORCH, torch.autograd.grad, bump_theirs)
    if sample.grad_fn:
        assert ours == theirs
    else:
        assert [e is not None for e in ours] == [e is not None for e in theirs]


def outcome(call: Callable[[], Any]) -> tuple[type[Exception] | None, str, Any]:
    """The builtin exception that a call raised, its message, and the result if there was none."""
    try:
        return None, "", call()
    except BUILTIN as error:
        return next(kind for kind in BUILTIN if isinstance(error, kind)), str(error), None


def first_lines(message: str) -> str:
    """What a message says before torch's lists of overloads and places in its own source."""
    return message.split("\nException raised from")[0].split(", but expected one of")[0].strip()


@over_ops(lambda _, sample: sample.error)
def test_errors(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_error)


def check_error(name: str, sample: Sample) -> None:
    their_kind, their_message, _ = outcome(lambda: build(name, sample, TORCH).run())
    our_kind, our_message, result = outcome(lambda: build(name, sample, GRADWIRE).run())
    assert their_kind is not None, "torch accepts this sample"
    assert our_kind is not None, f"torch raises {their_kind.__name__}: {their_message}; this gave {result!r}"
    assert our_kind is their_kind, f"{our_kind.__name__}: {our_message}, torch: {their_kind.__name__}: {their_message}"
    if sample.same_error_text:
        assert first_lines(our_message) == first_lines(their_message)


def run_inplace(name: str, sample: Sample, call: Call, side: Side, grad: Callable[..., Any]) -> tuple[Any, list[Any]]:
    """The in-place form on a copy of the first tensor, and the gradients."""
    first = call.args[0].clone()
    result = getattr(first, name.rpartition(".")[2] + "_")(*call.args[1:], **call.kwargs)
    assert result is first
    inputs = [t for t in call.tensors if t.requires_grad]
    if not first.requires_grad or not sample.grad:
        return result, []
    return result, list(grad([result], inputs, [side.tensor(draw(first.shape, np.dtype(dtype_name(first)), 0), False)], allow_unused=True))


@over_ops(has_inplace_form)
def test_inplace_form(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_inplace)


def check_inplace(name: str, sample: Sample) -> None:
    call = build(name, sample, GRADWIRE)
    if not call.args or not isinstance(call.args[0], gradwire.Value):
        return
    their_kind, their_message, theirs = outcome(lambda: run_inplace(name, sample, build(name, sample, TORCH), TORCH, torch.autograd.grad))
    our_kind, our_message, ours = outcome(lambda: run_inplace(name, sample, call, GRADWIRE, gradwire.grad))
    assert (our_kind, first_lines(our_message)) == (their_kind, first_lines(their_message))
    if theirs is None:
        return
    rtol = loosest(sample, call)
    close(ours[0], theirs[0], rtol)
    assert ours[0]._version == theirs[0]._version
    if sample.grad_fn:
        assert names_of(ours[0].grad_fn) == names_of(theirs[0].grad_fn)
    for a, b in zip(ours[1], theirs[1], strict=True):
        close(a, b, rtol)


@pytest.mark.parametrize("name", sorted({n for n, _, _ in all_samples()}))
def test_methods(name: str) -> None:
    """A tensor has an op, and its in-place form, as a method where torch's tensors do."""
    short = name.rpartition(".")[2]
    if short.startswith("_"):
        return
    if "." in name and name != f"nn.functional.{short}":
        return
    assert hasattr(gradwire.Tensor, short) == hasattr(torch.Tensor, short)
    assert hasattr(gradwire.Tensor, short + "_") == hasattr(torch.Tensor, short + "_")
