"""Rows of a table, by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorIndexError, TensorNotImplementedError, TensorRuntimeError, TensorValueError
from ..meta import Meta, dense
from ..modes import PURE
from ..op import op, ops
from ..params import Tensor
from ..value import Value


def _check(weight: Any, indices: Any) -> None:
    if weight.ndim != 2:
        raise TensorRuntimeError("'weight' must be 2-D", code="shape_mismatch")
    if indices.dtype.name not in ("int64", "int32"):
        got = dtype_of(indices.dtype)
        name = "CPUBoolType" if got.name == "bool" else f"torch.{got.torch_name}Tensor"
        raise TensorRuntimeError(
            f"Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got {name} instead "
            "(while checking arguments for embedding)",
            code="dtype_mismatch",
        )


def _embedding_meta(weight: Meta, indices: Meta) -> Meta:
    _check(weight, indices)
    return dense((*indices.shape, weight.shape[1]), weight.dtype)


def _embedding_rule(g: Any, indices: Any, weight_meta: Meta, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    return ops._embedding_backward(g, indices, weight_meta.shape[0], padding_idx, scale_grad_by_freq)


@op("embedding", method=False, meta=_embedding_meta, vjp=dict(weight=_embedding_rule), batch="looked_up")
def embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False) -> Array:
    """The rows of ``weight`` at ``indices``; the row ``padding_idx`` gets no gradient."""
    _check(weight, indices)
    _check_range(indices, weight.shape[0])
    return np.take(weight, indices, axis=0)


def _check_range(indices: Array, rows: int) -> None:
    if indices.size and not (indices.min() >= 0 and indices.max() < rows):
        raise TensorIndexError("index out of range in self", code="index_out_of_range")


def _in_one_table(indices: Array, rows: int) -> Array:
    """The indices of each item, as those of one table that has the tables of all items below each other."""
    return indices + rows * np.arange(len(indices)).reshape(-1, *(1,) * (indices.ndim - 1))


def embedding_of_batch(weight: Array, indices: Array, padding_idx: int, scale_grad_by_freq: bool, sparse: bool) -> Array:
    """The kernel of ``embedding`` for many items at once: every operand has a leading axis."""
    rows, width = weight.shape[1:]
    _check_range(indices, rows)
    if not weight.strides[0]:
        return np.take(weight[0], indices, axis=0)  # one table for all items, which would be copied for each
    return np.take(weight.reshape(-1, width), _in_one_table(indices, rows), axis=0)


def _used_once(indices: Array, rows: int) -> Array:
    """One over how often each index occurs."""
    return 1 / np.maximum(np.bincount(indices.reshape(-1), minlength=rows), 1)[indices]


def _embedding_backward_rule(g: Any, indices: Any, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    return ops._embedding_double_backward(g, indices, padding_idx, scale_grad_by_freq)


@op(
    "_embedding_backward",
    method=False,
    meta=lambda grad_output, num_weights: dense((num_weights, grad_output.shape[-1]), grad_output.dtype),
    vjp=dict(grad_output=_embedding_backward_rule),
)
def embedding_backward(grad_output: Tensor, indices: Tensor, num_weights: int, padding_idx: int, scale_grad_by_freq: bool) -> Array:
    """Adds the rows of ``grad_output`` up by index."""
    width = grad_output.shape[-1]
    out = np.zeros((num_weights, width), grad_output.dtype)
    if not grad_output.size:
        return out
    if scale_grad_by_freq:
        grad_output = grad_output * _used_once(indices, num_weights)[..., None].astype(grad_output.dtype)
    np.add.at(out, indices.reshape(-1), grad_output.reshape(-1, width))
    if 0 <= padding_idx < num_weights:
        out[padding_idx] = 0
    return out


def embedding_backward_of_batch(grad_output: Array, indices: Array, num_weights: int, padding_idx: int, scale_grad_by_freq: bool) -> Array:
    """The kernel of ``_embedding_backward`` for many items at once: every operand has a leading axis."""
    size, width = len(indices), grad_output.shape[-1]
    places = _in_one_table(indices, num_weights)
    out = embedding_backward.kernel(grad_output, places, size * num_weights, -1, scale_grad_by_freq).reshape(size, num_weights, width)
    if 0 <= padding_idx < num_weights:
        out[:, padding_idx] = 0
    return out


def embedding_double_backward_of_batch(grad: Array, indices: Array, padding_idx: int, scale_grad_by_freq: bool) -> Array:
    """The kernel of ``_embedding_double_backward`` for many items at once: every operand has a leading axis."""
    rows, width = grad.shape[1:]
    read = embedding_double_backward.kernel(grad.reshape(-1, width), _in_one_table(indices, rows), -1, scale_grad_by_freq)
    return np.where((indices == padding_idx)[..., None], np.zeros((), grad.dtype), read)


@op(
    "_embedding_double_backward",
    method=False,
    meta=lambda grad, indices: dense((*indices.shape, grad.shape[1]), grad.dtype),
    vjp=dict(
        grad=lambda g, grad_meta, indices, padding_idx, scale_grad_by_freq: ops._embedding_backward(
            g, indices, grad_meta.shape[0], padding_idx, scale_grad_by_freq
        )
    ),
)
def embedding_double_backward(grad: Tensor, indices: Tensor, padding_idx: int, scale_grad_by_freq: bool) -> Array:
    """The transpose of the gradient of ``embedding``: the rows of ``grad`` at ``indices``, weighted as that gradient weights them."""
    rows = np.take(grad, indices, axis=0)
    if scale_grad_by_freq:
        rows = rows * _used_once(indices, len(grad))[..., None].astype(grad.dtype)
    return np.where((indices == padding_idx)[..., None], np.zeros((), grad.dtype), rows)


def _renormalise(weight: Any, indices: Any, max_norm: float, norm_type: float) -> None:
    """Scales the rows of an eager ``weight`` that are looked up and longer than ``max_norm``, in place."""
    if PURE.get():
        raise TensorRuntimeError(
            "embedding() with max_norm writes to weight in place, which a program never does; leave max_norm out "
            "and scale the rows of weight in the program, or before it.",
            code="inplace_in_program",
        )
    if isinstance(weight, Value) and weight.announces:
        weight._written()  # it is scaled where its elements are
        return
    if not isinstance(weight, Value) or not weight.computes_on_arrays:
        raise TensorNotImplementedError(
            "embedding() with max_norm writes to weight in place, which only eager tensors can do; leave max_norm out here."
        )
    table = weight._data.copy()
    rows = np.unique(indices._data if isinstance(indices, Value) else indices)
    if rows.size and not (rows[0] >= 0 and rows[-1] < len(table)):
        raise TensorIndexError("index out of range in self", code="index_out_of_range")
    lengths = np.linalg.norm(table[rows], norm_type, axis=1)
    long = lengths > max_norm
    table[rows[long]] *= (max_norm / (lengths[long] + 1e-7))[:, None].astype(table.dtype)
    weight._overwrite(table)
    weight._version_counter.bump()


@op("nn.functional.embedding", composite=True, method=False)
def functional_embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` (count, width) at the indices ``input``.

    The row ``padding_idx`` gets no gradient. With ``max_norm`` rows that are looked up are first scaled down to that norm, in
    place, which a program refuses. ``sparse`` is accepted and changes nothing: gradients are dense.
    """
    rows = weight.shape[0] if len(weight.shape) else 0
    if padding_idx is None:
        padding_idx = -1
    elif not -rows <= padding_idx < rows and padding_idx != 0:
        raise TensorValueError("Padding_idx must be within num_embeddings")
    elif padding_idx < 0:
        padding_idx += rows
    if max_norm is not None:
        _renormalise(weight, input, max_norm, norm_type)
    return ops.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


@op("_one_hot", method=False, meta=lambda input, num_classes: dense((*input.shape, num_classes), np.dtype(np.int64)), batch="leading")
def one_hot_of(input: Tensor, num_classes: int) -> Array:
    """Rows of zeros with a one at each class."""
    if input.size and input.min() < 0:
        raise TensorRuntimeError("Class values must be non-negative.")
    if input.size and input.max() >= num_classes:
        raise TensorRuntimeError("Class values must be smaller than num_classes.")
    return (np.expand_dims(input, -1) == np.arange(num_classes)).astype(np.int64)


def _check_classes(tensor: Any) -> None:
    if dtype_of(tensor.dtype).name != "int64":
        raise TensorRuntimeError("one_hot is only applicable to index tensor of type LongTensor.", code="dtype_mismatch")


@op("nn.functional.one_hot", overload="infer", composite=True, data_dependent=True, method=False)
def one_hot_inferred(tensor: Tensor) -> Any:
    """Rows of zeros with a one at each class, as many as the largest class asks for."""
    _check_classes(tensor)
    if 0 in tensor.shape:
        raise TensorRuntimeError("Can not infer total number of classes from empty tensor.")
    return ops.nn.functional.one_hot(tensor, max(int(ops.amax(tensor)) + 1, 1))


@op("nn.functional.one_hot", overload="num_classes", composite=True, method=False)
def one_hot(tensor: Tensor, num_classes: int) -> Any:
    """Rows of ``num_classes`` zeros with a one at each class; -1 stands for as many as the largest class asks for."""
    if num_classes == -1:
        return one_hot_inferred(tensor)
    _check_classes(tensor)
    if 0 in tensor.shape and num_classes <= 0:
        raise TensorRuntimeError("Can not infer total number of classes from empty tensor.")
    if num_classes < 1:
        raise TensorRuntimeError("Class values must be smaller than num_classes.")
    return ops._one_hot(tensor, num_classes)
