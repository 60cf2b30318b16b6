"""Index expressions: their JSON form, forms that torch is about to drop, and pure counterparts of writing in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.errors import ProgramError, TensorNotImplementedError, TensorRuntimeError
from gradwire_engine.index_json import from_json
from gradwire_engine.meta import meta_of_array
from gradwire_engine.op import ops
from gradwire_engine.symbolic import trace

ARRAY = np.arange(24.0).reshape(2, 3, 4)


def resolve(slot: Any, pointer: str) -> tuple[str, Any, str]:
    return ("tensor", slot, pointer)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], ()),
        ([0, -1], (0, -1)),
        ([None, "..."], (None, ...)),
        ([True, False], (True, False)),
        ([{"slice": [1, None, 2]}], (slice(1, None, 2),)),
        ([{"slice": [None, -1]}], (slice(None, -1),)),
        (["i", [0, 1]], (("tensor", "i", "/0"), ("tensor", [0, 1], "/1"))),
        ([{"data": [0, 1], "dtype": "int64"}], (("tensor", {"data": [0, 1], "dtype": "int64"}, "/0"),)),
    ],
)
def test_json_form(value: Any, expected: Any) -> None:
    assert from_json(value, resolve) == expected


@pytest.mark.parametrize(
    ("value", "pointer", "code"),
    [
        (0, "/args/1", "invalid_index"),
        ("...", "/args/1", "invalid_index"),
        ([1.5], "/args/1/0", "invalid_index"),
        ([0, {"slice": 3}], "/args/1/1/slice", "invalid_index"),
        ([{"slice": [1]}], "/args/1/0/slice", "invalid_index"),
        ([{"slice": [0, 1, "a"]}], "/args/1/0/slice/2", "invalid_index"),
        ([{"slice": [0, True]}], "/args/1/0/slice/1", "invalid_index"),
        ([{"slice": [0, 1], "step": 2}], "/args/1/0/step", "unknown_field"),
    ],
)
def test_json_form_refuses(value: Any, pointer: str, code: str) -> None:
    with pytest.raises(ProgramError) as caught:
        from_json(value, resolve, "/args/1")
    assert (caught.value.pointer, caught.value.code) == (pointer, code)


@pytest.mark.parametrize(
    ("index", "same"),
    [
        ([[0, 1], [1, 2]], ([0, 1], [1, 2])),
        ([0, slice(None)], (0, slice(None))),
        ([0, None], (0, None)),
        ([[0, 1]], ([0, 1],)),
    ],
)
def test_list_that_means_a_tuple(index: Any, same: Any) -> None:
    found = gradwire.tensor(ARRAY)[index]
    np.testing.assert_array_equal(found.numpy(), ARRAY[same])


@pytest.mark.parametrize("index", [np.array([1, 0], np.uint8), (slice(None), np.array([1, 0, 1], np.uint8))])
def test_bytes_are_masks(index: Any) -> None:
    as_mask = tuple(i.astype(bool) if isinstance(i, np.ndarray) else i for i in (index if isinstance(index, tuple) else (index,)))
    np.testing.assert_array_equal(gradwire.tensor(ARRAY)[index].numpy(), ARRAY[as_mask])


def test_meshgrid_without_a_word_on_the_order_has_matrix_order() -> None:
    rows, columns = ops.meshgrid(gradwire.tensor([1.0, 2.0, 3.0]), gradwire.tensor([4.0, 5.0]))
    assert (rows.tolist(), columns.tolist()) == ([[1, 1], [2, 2], [3, 3]], [[4, 5], [4, 5], [4, 5]])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_reversed_dimensions(shape: tuple[int, ...]) -> None:
    x = gradwire.tensor(np.zeros(shape))
    assert x.T.shape == shape[::-1]
    assert x.T._is_view()


def test_source_larger_than_the_index_gets_zeros_beside_it() -> None:
    # torch has no gradient here.
    source = gradwire.tensor(np.ones((3, 4)), requires_grad=True)
    ops.scatter_add(gradwire.tensor(np.zeros((3, 4))), 1, gradwire.tensor([[0, 0], [3, 1]]), source).sum().backward()
    np.testing.assert_array_equal(source.grad.numpy(), np.pad(np.ones((2, 2)), ((0, 1), (0, 2))))


def test_index_tensor_in_a_trace() -> None:
    index = np.array([[0, 1], [1, 1]])
    program = trace(lambda x, i: x[i, 1:], [meta_of_array(ARRAY), meta_of_array(index)])
    np.testing.assert_array_equal(program.run([ARRAY, index])[0], ARRAY[index, 1:])


def test_number_in_a_trace() -> None:
    number = np.array(1)
    program = trace(lambda x, i: x[i], [meta_of_array(ARRAY), meta_of_array(number)])
    assert program.outputs[0].shape == (3, 4)
    np.testing.assert_array_equal(program.run([ARRAY, number])[0], ARRAY[1])


def test_mask_in_a_trace_has_a_bound_for_its_shape() -> None:
    mask = ARRAY[0] > 5
    program = trace(lambda x, m: x[m], [meta_of_array(ARRAY[0]), meta_of_array(mask)])
    assert program.outputs[0].shape == (12,)
    np.testing.assert_array_equal(program.run([ARRAY[0], mask])[0], ARRAY[0][mask])


def test_writing_at_a_mask_in_a_trace_takes_values_of_any_count() -> None:
    x, mask, values = ARRAY[0], ARRAY[0] > 5, np.arange(6.0)
    program = trace(lambda x, m, v: ops.index_put(x, [m], v), [meta_of_array(a) for a in (x, mask, values)])
    expected = x.copy()
    expected[mask] = values
    np.testing.assert_array_equal(program.run([x, mask, values])[0], expected)


def test_writing_in_place_in_a_trace_is_refused() -> None:
    def function(x: Any) -> Any:
        x[0] = 1.0
        return x

    with pytest.raises(TensorNotImplementedError, match="Programs are pure"):
        trace(function, [meta_of_array(ARRAY)])


def test_repeats_in_a_trace_need_the_size() -> None:
    repeats = np.array([1, 0])
    metas = [meta_of_array(ARRAY), meta_of_array(repeats)]
    with pytest.raises(TensorRuntimeError, match="Give 'output_size'"):
        trace(lambda x, r: ops.repeat_interleave(x, r, 0), metas)
    program = trace(lambda x, r: ops.repeat_interleave(x, r, 0, output_size=1), metas)
    np.testing.assert_array_equal(program.run([ARRAY, repeats])[0], ARRAY[:1])


@pytest.mark.parametrize("expression", ["x.unsqueeze_(0)", "x.squeeze_()", "x.squeeze_(0)", "x.squeeze_((0, 2))", "x.transpose_(0, 2)"])
def test_in_place_change_of_shape(expression: str) -> None:
    leaf = gradwire.tensor(np.arange(6.0).reshape(1, 6, 1), requires_grad=True)
    x = leaf * 2
    part = leaf.detach()[0]
    result = eval(expression, {"x": x})
    assert result is x
    assert x._version == 1
    (x * x).sum().backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), 8 * leaf.detach().numpy())
    part.t_()
    assert part._is_view()
    assert part.shape == (1, 6)


@pytest.mark.parametrize("shape", [(2, 3), (3,), ()])
@pytest.mark.parametrize("chosen", [True, False])
def test_gradients_of_what_is_written_at_a_mask_of_no_dimensions(shape: tuple[int, ...], chosen: bool) -> None:
    x, values = gradwire.tensor(np.ones((2, 3)), requires_grad=True), gradwire.tensor(np.ones(shape), requires_grad=True)
    weights = np.arange(6.0).reshape(2, 3)
    y = ops.index_put(x, (gradwire.tensor(chosen),), values)
    of_x, of_values = gradwire.grad([(y * weights).sum()], [x, values])
    np.testing.assert_array_equal(of_x.numpy(), weights * (not chosen))
    np.testing.assert_array_equal(of_values.numpy(), chosen * weights.sum(tuple(range(2 - len(shape)))))
