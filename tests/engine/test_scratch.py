"""What kernels make on the way: it is bounded, counted before, and made in pieces without changing the result."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import gradwire_engine.ops  # noqa: F401  # declares the ops
from gradwire_engine.errors import TensorRuntimeError
from gradwire_engine.meta import dense
from gradwire_engine.modes import PURE
from gradwire_engine.op import REGISTRY, Op, ops
from gradwire_engine.ops import linear, pooling, windows
from gradwire_engine.tensor import Tensor

F32 = np.dtype(np.float32)
MIB = 2**20


def scratch(name: str, *arguments: Any, **named: Any) -> int:
    """What the op's rule says of the arguments; tensors are given by their shapes in a ``Meta``."""
    op = REGISTRY[name]
    assert isinstance(op, Op)
    assert op.scratch is not None
    values = op.bind(arguments, named, lambda v: hasattr(v, "strides"))
    return op.scratch(*[values[i] for i in op.scratch_positions])


def conv_scratch(size: int, kernel: int, stride: int, padding: int, channels: int = 1) -> int:
    x, weight = dense((1, channels, size, size), F32), dense((1, channels, kernel, kernel), F32)
    return scratch("convolution", x, weight, None, (stride,) * 2, (padding,) * 2, (1, 1), False, (0, 0), 1)


def test_padding_that_the_result_does_not_show_is_counted() -> None:
    assert conv_scratch(1, 1, 30_000, 15_000) > 3000 * MIB


def test_large_columns_are_made_in_pieces() -> None:
    assert conv_scratch(1500, 11, 1, 0, channels=16) < 256 * MIB


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_pieces_give_the_same_convolution(monkeypatch: pytest.MonkeyPatch, dims: int, groups: int) -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((3, 4, *[6] * dims)), rng.standard_normal((2, 4 // groups, *[3] * dims))
    how = windows.Windows((3,) * dims, (2,) * dims, (1,) * dims, (1,) * dims, groups)
    out = (3,) * dims
    g = rng.standard_normal((3, 2, *out))

    def results() -> list[Any]:
        return [how.correlate(x, weight, out), how.spread(g, weight, x.shape[2:]), how.weigh(g, x)]

    whole = results()
    monkeypatch.setattr(windows, "_COLUMN_BYTES", 1)
    monkeypatch.setattr(windows, "_TILE_BYTES", 1)
    for ours, expected in zip(results(), whole, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_both_walks_find_the_same_maxima(monkeypatch: pytest.MonkeyPatch, dtype: Any) -> None:
    x = np.random.default_rng(0).integers(0, 5, (2, 3, 7, 8)).astype(dtype)
    if dtype is np.float64:
        x[0, 0, 2, 2:5] = np.nan
        x[1, 1] = -np.inf
    walks = []
    for few in (False, True):
        monkeypatch.setattr(pooling.Pool, "few_windows", few)
        walks.append(pooling.max_pool2d_with_indices.kernel(x, (3, 4), 2, 1, 1, True))
    for by_offset, by_window in zip(*walks, strict=True):
        np.testing.assert_array_equal(by_offset, by_window)


@pytest.mark.parametrize("few", [False, True])
def test_both_walks_give_the_same_means(monkeypatch: pytest.MonkeyPatch, few: bool) -> None:
    x = np.arange(12.0).reshape(1, 3, 4)
    monkeypatch.setattr(pooling.Pool, "few_windows", few)
    arguments = ((2, 2), 1, 0, False, True, None)
    assert ops.nn.functional.avg_pool2d.kernel(x, *arguments).tolist() == [[[2.5, 3.5, 4.5], [6.5, 7.5, 8.5]]]
    back = ops._avg_pool2d_backward.kernel(np.ones((1, 2, 3)), x.shape, *arguments)
    assert back.tolist() == [[[0.25, 0.5, 0.5, 0.25], [0.5, 1.0, 1.0, 0.5], [0.25, 0.5, 0.5, 0.25]]]


def test_rows_in_pieces_give_the_same_product(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    first, weight, second = rng.standard_normal((5, 2)), rng.standard_normal((3, 2, 4)), rng.standard_normal((5, 4))
    monkeypatch.setattr(linear, "_TILE_BYTES", 200)
    np.testing.assert_allclose(ops._trilinear.kernel(first, weight, second), np.einsum("bi,oij,bj->bo", first, weight, second))
    assert scratch("_trilinear", dense((10**6, 8), F32), dense((64, 8, 8), F32), dense((10**6, 8), F32)) < 256 * MIB


def test_a_program_writes_no_running_statistics() -> None:
    x, mean, var = Tensor._wrap(np.arange(6.0).reshape(3, 2)), Tensor._wrap(np.zeros(2)), Tensor._wrap(np.ones(2))
    token = PURE.set(True)
    try:
        ops.nn.functional.batch_norm(x, mean, var, training=True)
    finally:
        PURE.reset(token)
    assert mean._data.tolist() == [0, 0]
    assert var._data.tolist() == [1, 1]
    ops.nn.functional.batch_norm(x, mean, var, training=True)
    assert mean._data.tolist() == pytest.approx([0.2, 0.3])


def test_a_program_refuses_to_renormalise_a_table() -> None:
    table = Tensor._wrap(np.full((2, 2), 3.0))
    token = PURE.set(True)
    try:
        with pytest.raises(TensorRuntimeError, match="a program never does") as caught:
            ops.nn.functional.embedding(Tensor._wrap(np.array([0])), table, max_norm=1.0)
    finally:
        PURE.reset(token)
    assert caught.value.code == "inplace_in_program"
    assert table._data.tolist() == [[3, 3], [3, 3]]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_single_precision_in_place_of_half_is_counted(dtype: str) -> None:
    x = np.ones((1, 4, 256, 256), dtype)
    how = ((2, 2), (2, 2), 0, False, True, None)
    op = REGISTRY["nn.functional.avg_pool2d"]
    assert isinstance(op, Op)
    tracemalloc.start()
    result = op.run([x, *how])
    used = tracemalloc.get_traced_memory()[1] - result.nbytes
    tracemalloc.stop()
    # Beside small things, such as the places of the windows.
    assert used < scratch(op.name, dense(x.shape, x.dtype), *how) + 0.2 * MIB
