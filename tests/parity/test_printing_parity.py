"""Our text of thousands of generated tensors, against torch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from gradwire_engine import printing
from gradwire_engine.dtypes import ALL, Array, DType

torch = pytest.importorskip("torch")

Rng = np.random.Generator

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0]
# Values on either side of every limit at which the notation changes.
BORDERS = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-4, -1e-4, 1e-5, 999.0, 1000.0, 1001.0, 99999.0, 1e8, 1e8 + 8]
LARGEST_SIZES = {0: [], 1: [30], 2: [12, 12], 3: [6, 6, 6], 4: [5, 5, 5, 5]}
DTYPES = pytest.mark.parametrize("dtype", ALL, ids=lambda dtype: dtype.name)


@pytest.fixture(autouse=True)
def _settings_as_found() -> Iterator[None]:
    found = torch.get_default_dtype()
    set_both(profile="default")
    yield
    set_both(profile="default")
    torch.set_default_dtype(found)


def set_both(**options: Any) -> None:
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)


def draw_shape(rng: Rng, *, long: bool = False) -> tuple[int, ...]:
    sizes = LARGEST_SIZES[int(rng.integers(1 if long else 0, 5))]
    shape = [int(rng.integers(0 if rng.random() < 0.05 else 1, largest + 1)) for largest in sizes]
    if long:
        shape[int(rng.integers(len(shape)))] = int(rng.integers(1, 1500))
    return tuple(shape)


def draw_floats(rng: Rng, shape: tuple[int, ...]) -> Array:
    values: Array
    match int(rng.integers(10)):
        case 0:
            values = rng.integers(-5, 6, shape) * 1.0
        case 1:
            values = rng.standard_normal(shape)
        case 2:
            values = rng.standard_normal(shape) * 10.0 ** rng.uniform(-6, 9, shape)
        case 3:
            values = rng.integers(-3, 4, shape) * 10.0 ** rng.integers(0, 10)
        case 4:
            values = rng.standard_normal(shape) * 10.0 ** rng.integers(-7, 10)
        case 5:
            values = rng.choice(BORDERS, shape)
        case 6:
            values = rng.choice(SPECIAL, shape)
        case 7:
            values = rng.uniform(1, 1005, shape)
        case 8:
            values = 10.0 ** rng.uniform(-300, 300, shape) * rng.choice([-1, 1], shape)
        case _:
            values = np.zeros(shape)
    if rng.random() < 0.25:
        values = np.where(rng.random(shape) < 0.2, rng.choice(SPECIAL, shape), values)
    return np.asarray(values)


def draw(rng: Rng, dtype: DType, shape: tuple[int, ...]) -> Array:
    if dtype.name == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.numpy.kind in "iu":
        limits = np.iinfo(dtype.numpy)
        largest = min(int(limits.max), int(10 ** rng.uniform(0, 18.9)))
        return np.asarray(rng.integers(max(int(limits.min), -largest), largest, shape, dtype.numpy, endpoint=True))
    with np.errstate(over="ignore", under="ignore"):
        if not dtype.is_complex:
            return draw_floats(rng, shape).astype(dtype.numpy)
        result = np.empty(shape, dtype.numpy)
        result.real, result.imag = draw_floats(rng, shape), draw_floats(rng, shape)
    return result


def draw_options(rng: Rng) -> dict[str, Any]:
    options = {
        "precision": int(rng.integers(0, 9)),
        "threshold": int(rng.integers(0, 60)),
        "edgeitems": int(rng.integers(0, 5)),
        "linewidth": int(rng.integers(1, 150)),
        "sci_mode": bool(rng.integers(2)),
    }
    return {name: value for name, value in options.items() if rng.random() < 0.5}


def to_torch(array: Array) -> Any:
    return torch.from_numpy(array.copy()) if array.ndim else torch.tensor(array)


def ours(array: Array, *suffixes: str, default: str = "float32", name: str = "tensor") -> str:
    return printing.format_tensor(array, suffixes=suffixes, name=name, default_dtype=np.dtype(default))


def with_history(rng: Rng, tensor: Any) -> tuple[Any, list[str]]:
    """The tensor as it is, as a leaf, or as a result, and what torch says of its history."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return tensor, []
    match int(rng.integers(4)):
        case 0:
            return tensor, []
        case 1:
            return tensor.requires_grad_(), ["requires_grad=True"]
        case 2:
            result = tensor.requires_grad_().clone()
        case _:
            result = tensor.requires_grad_().contiguous().view(tensor.shape)
    return result, [f"grad_fn=<{result.grad_fn.name()}>"]


@DTYPES
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_values(dtype: DType, long: bool) -> None:
    rng = np.random.default_rng([ALL.index(dtype), long])
    for _ in range(80 if long else 300):
        array = draw(rng, dtype, draw_shape(rng, long=long))
        assert ours(array) == repr(to_torch(array))


@DTYPES
def test_suffixes(dtype: DType) -> None:
    rng = np.random.default_rng([ALL.index(dtype), 2])
    for _ in range(100):
        array = draw(rng, dtype, draw_shape(rng))
        tensor, suffixes = with_history(rng, to_torch(array))
        assert ours(array, *suffixes) == repr(tensor)


@DTYPES
def test_options(dtype: DType) -> None:
    rng = np.random.default_rng([ALL.index(dtype), 3])
    for _ in range(150):
        options = draw_options(rng)
        set_both(profile=str(rng.choice(["default", "short", "full"])), **options)
        array = draw(rng, dtype, draw_shape(rng, long=rng.random() < 0.1))
        tensor, suffixes = with_history(rng, to_torch(array))
        assert ours(array, *suffixes) == repr(tensor), options


@DTYPES
@pytest.mark.parametrize("default", ["float16", "float64"])
def test_default_dtype(dtype: DType, default: str) -> None:
    rng = np.random.default_rng([ALL.index(dtype), 4])
    torch.set_default_dtype(getattr(torch, default))
    for _ in range(40):
        array = draw(rng, dtype, draw_shape(rng))
        assert ours(array, default=default) == repr(to_torch(array))


@DTYPES
def test_name_of_the_class(dtype: DType) -> None:
    rng = np.random.default_rng([ALL.index(dtype), 5])
    for _ in range(40):
        array = draw(rng, dtype, draw_shape(rng))
        name = "T" * int(rng.integers(1, 20))
        subclass = type(name, (torch.Tensor,), {})
        assert ours(array, name=name) == repr(to_torch(array).as_subclass(subclass))


@DTYPES
def test_strided_arrays(dtype: DType) -> None:
    rng = np.random.default_rng([ALL.index(dtype), 6])
    for _ in range(40):
        array = draw(rng, dtype, (5, 4, 6)).transpose(2, 0, 1)[::2, 1:]
        assert ours(array) == repr(to_torch(array))


def text_or_error(make: Callable[[], str]) -> str:
    try:
        return make()
    except TypeError as error:
        return f"TypeError: {error}"
    except ValueError as error:
        return f"ValueError: {error}"


@pytest.mark.parametrize("shape", [(), (2,)])
@pytest.mark.parametrize("spec", ["", ".2f", "10", "d", ">8"])
@DTYPES
def test_formatted_values(dtype: DType, spec: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng([ALL.index(dtype), 7])
    for _ in range(5):
        array = draw(rng, dtype, shape)
        expected = text_or_error(partial(format, to_torch(array), spec))
        assert text_or_error(partial(printing.format_value, array, spec, partial(ours, array))) == expected


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0, 4, 1)])
def test_size(shape: tuple[int, ...]) -> None:
    assert printing.format_size(shape) == repr(torch.Size(shape))
