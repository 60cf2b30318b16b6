"""Explicit random generators with the streams of torch's CPU generator.

Every method draws from the Mersenne Twister as torch does, so that a seed gives the same numbers: integers and uniform numbers
exactly, normal ones up to the last digits of the platform's mathematical functions.
"""

from __future__ import annotations

import functools
import math
import secrets
import threading
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from .dtypes import Array, NumpyDType, to_real
from .errors import TensorTypeError, TensorValueError
from .stopping import check

_BLOCK: Final = 1 << 16
"""How many numbers are worked out at a time, which bounds the memory beside the result."""
_WIDE_RANGE: Final = 1 << 28
"""From this range on, integers take two words of the stream, so that the remainder is less biased."""
_INT64: Final = np.dtype(np.int64)
_FLOAT32: Final = np.dtype(np.float32)
_FLOAT64: Final = np.dtype(np.float64)
_DIGITS: Final = {_FLOAT32: 24, _FLOAT64: 53}
_NORMAL_BLOCK: Final = 16


class Generator:
    """A Mersenne Twister, seeded and read as torch's CPU generator is (``torch.Generator``). Threads may share it.

    Args:
        seed: The seed; torch's default when left out.
    """

    def __init__(self, seed: int = 67280421310721) -> None:
        self._lock = threading.RLock()
        self._spare: float | None = None
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream anew from ``seed`` and returns the generator.

        Raises:
            TensorTypeError: The seed is no integer.
            TensorValueError: The seed does not fit 64 bits (torch's message).
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise TensorTypeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = int(seed)
        if not -(2**63) <= seed < 2**64:
            raise TensorValueError("Overflow when unpacking long long", code="integer_out_of_range")
        with self._lock:
            self._seed = seed % 2**64
            self.__dict__.pop("_bits", None)
            self.__dict__.pop("_draw", None)
            self._spare = None
        return self

    @functools.cached_property
    def _bits(self) -> np.random.MT19937:
        # Made when first drawn from: every request has a generator of its own, and few use it.
        bits = np.random.MT19937(0)
        # torch seeds its twister with the low 32 bits through init_genrand, which NumPy keeps as its legacy seeding.
        bits._legacy_seeding(self._seed & 0xFFFFFFFF)
        return bits

    @functools.cached_property
    def _draw(self) -> np.random.Generator:
        return np.random.Generator(self._bits)

    def seed(self) -> int:
        """Starts the stream anew from a number that cannot be foreseen, and returns it."""
        chosen = secrets.randbits(64)
        self.manual_seed(chosen)
        return chosen

    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """The state of the stream as plain data: numbers and a list of them."""
        with self._lock:
            twister = self._bits.state["state"]
            return {"seed": self._seed, "key": twister["key"].tolist(), "position": int(twister["pos"]), "spare_normal": self._spare}

    def set_state(self, state: dict[str, Any]) -> Generator:
        """Continues from a state that ``get_state`` gave.

        Raises:
            TensorValueError: It is no such state.
        """
        try:
            key = np.array(state["key"], np.uint32)
            position, seed, spare = int(state["position"]), int(state["seed"]), state["spare_normal"]
            spare = None if spare is None else float(spare)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise TensorValueError("The state of a generator must be what get_state() gave.", code="generator_state") from None
        if key.shape != (624,) or not 0 <= position <= 624:
            raise TensorValueError("The state of a generator must have 624 words and a position among them.", code="generator_state")
        with self._lock:
            self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
            self._seed, self._spare = seed, spare
        return self

    def clone_state(self) -> Generator:
        """A new generator that goes on as this one would."""
        return Generator().set_state(self.get_state())

    def words(self, count: int) -> Array:
        """The next ``count`` 32-bit words of the stream, as uint32."""
        with self._lock:
            return self._words(count)

    def uniform(self, shape: Sequence[int], dtype: NumpyDType, low: float = 0.0, high: float = 1.0) -> Array:
        """Numbers spread evenly over ``[low, high)``, as ``torch.rand`` and ``Tensor.uniform_`` draw them."""
        part = to_real(dtype)
        with self._lock:
            out = np.empty(_parts(shape, dtype), part)
            work = _working(part)
            for block in _blocks(out):
                drawn = self._unit(block.size, work)
                block[...] = drawn if (low, high) == (0.0, 1.0) else _stretched(drawn, work.type(high - low), work.type(low))
                if work != part:
                    # Rounding to half precision can reach the upper bound, which does not belong to the range.
                    block[block == part.type(high)] = low
        return out.view(dtype).reshape(shape)

    def normal(self, shape: Sequence[int], dtype: NumpyDType, mean: float = 0.0, std: float = 1.0, *, paired: bool = False) -> Array:
        """Normally distributed numbers, as ``torch.randn`` draws them; complex ones have the variance ``std ** 2`` in all.

        Args:
            shape: The shape.
            dtype: A floating point or complex dtype.
            mean: The mean.
            std: The standard deviation.
            paired: Draw many numbers as torch draws few ones, which it does for tensors with gaps in memory.
        """
        part = to_real(dtype)
        if dtype.kind == "c":
            std /= math.sqrt(2.0)
        size = _parts(shape, dtype)
        with self._lock:
            paired = paired or size < _NORMAL_BLOCK
            out = self._paired_normals(size, part, mean, std) if paired else self._blocked_normals(size, part, mean, std)
        return out.view(dtype).reshape(shape)

    def integers(self, low: int, high: int, shape: Sequence[int], dtype: NumpyDType = _INT64) -> Array:
        """Whole numbers from ``low`` up to, not including, ``high``, as ``torch.randint`` draws them."""
        span = high - low
        with self._lock:
            out = np.empty(shape, dtype)
            for block in _blocks(out):
                drawn = self._wide_words(block.size) if span >= _WIDE_RANGE else self._words(block.size).astype(np.uint64)
                # Unsigned addition wraps around, which gives negative numbers their two's complement.
                block[...] = (drawn % np.uint64(span) + np.uint64(low % 2**64)).astype(np.int64)
        return out

    def bernoulli(self, p: float | Array, shape: Sequence[int], dtype: NumpyDType = _FLOAT32) -> Array:
        """Ones with the probability ``p`` and zeros otherwise.

        Args:
            p: One probability, drawn for as ``Tensor.bernoulli_`` (and dropout) does, or an array of the shape ``shape``,
                drawn for as ``torch.bernoulli`` does.
            shape: The shape.
            dtype: The dtype of the ones and zeros.
        """
        with self._lock:
            out = np.empty(shape, dtype)
            if not isinstance(p, np.ndarray):
                for block in _blocks(out):
                    block[...] = self._unit(block.size, _FLOAT64) < p
                return out
            part = _working(p.dtype)
            chances = np.ascontiguousarray(p, part).reshape(-1)
            for block, chance in zip(_blocks(out), _blocks(chances), strict=True):
                block[...] = self._unit(block.size, part) < chance
        return out

    def exponential(self, shape: Sequence[int], dtype: NumpyDType, rate: float = 1.0) -> Array:
        """Exponentially distributed numbers, as ``Tensor.exponential_`` draws them."""
        with self._lock:
            out = np.empty(shape, dtype)
            for block in _blocks(out):
                block[...] = np.log1p(-self._unit(block.size, _FLOAT64)) / -rate
        return out

    def permutation(self, n: int, dtype: NumpyDType = _INT64) -> Array:
        """The numbers from 0 to ``n - 1`` in random order, as ``torch.randperm`` shuffles them."""
        # A list would hold an object for every number.
        order = array("q")
        order.frombytes(np.arange(n, dtype=np.int64).view(np.uint8).data)
        with self._lock:
            for start in range(0, n - 1, _BLOCK):
                check()
                stop = min(start + _BLOCK, n - 1)
                steps = (self._words(stop - start) % np.arange(n - start, n - stop, -1, dtype=np.uint32)).tolist()
                for i, step in enumerate(steps, start):
                    order[i], order[i + step] = order[i + step], order[i]
        return np.frombuffer(order, np.int64).astype(dtype) if n else np.empty(0, dtype)

    def _words(self, count: int) -> Array:
        return self._draw.integers(0, 1 << 32, count, dtype=np.uint32)

    def _wide_words(self, count: int) -> Array:
        return self._draw.integers(0, 1 << 64, count, dtype=np.uint64)

    def _unit(self, count: int, dtype: NumpyDType) -> Array:
        """Numbers in [0, 1) with as many random bits as ``dtype`` has digits."""
        digits = _DIGITS[dtype]
        words = self._wide_words(count) if digits > 32 else self._words(count)
        mask = words.dtype.type((1 << digits) - 1)
        # The masked words are exact in the dtype, so the multiplication rounds nothing.
        unit: Array = (words & mask).astype(dtype) * dtype.type(2.0**-digits)
        return unit

    def _paired_normals(self, size: int, part: NumpyDType, mean: float, std: float) -> Array:
        """Box and Muller's method, a pair at a time in double precision; the second of a last pair is kept for the next call."""
        kept = [] if self._spare is None or size == 0 else [self._spare]
        uniform = self._unit(2 * ((size - len(kept) + 1) // 2), _FLOAT64).reshape(-1, 2)
        radius = np.sqrt(-2.0 * np.log1p(-uniform[:, 1]))
        angle = 2.0 * math.pi * uniform[:, 0]
        drawn = np.concatenate([kept, np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)])
        if size:
            self._spare = float(drawn[size]) if len(drawn) > size else None
        return (drawn[:size] * std + mean).astype(part)

    def _blocked_normals(self, size: int, part: NumpyDType, mean: float, std: float) -> Array:
        """Box and Muller's method on blocks of 16 uniform numbers: eight radii, then eight angles."""
        out = np.empty(size, part)
        # torch draws one uniform number for each result (half precision: for each whole block), and then 16 new ones for the
        # last 16 results if blocks do not fill the array.
        drawn = _working(part)
        rest = size % _NORMAL_BLOCK
        for block in _blocks(out[: size - rest]):
            block[...] = _box_muller(self._unit(block.size, drawn), mean, std)
        if rest:
            if drawn == part:
                self._unit(rest, drawn)
            out[-_NORMAL_BLOCK:] = _box_muller(self._unit(_NORMAL_BLOCK, drawn), mean, std)
        return out


def _working(dtype: NumpyDType) -> NumpyDType:
    """The dtype that torch draws in: half precision is drawn in single, and the result is rounded."""
    return _FLOAT32 if dtype == np.float16 else dtype


def _stretched(unit: Array, width: Any, low: Any) -> Array:
    """``unit * width + low``, rounded once, as the processor's fused instruction does it in torch."""
    if unit.dtype == _FLOAT32:
        # In double precision the product is exact, and the sum so close that rounding it again gives the same.
        exact: Array = unit.astype(_FLOAT64) * float(width) + float(low)
        return exact.astype(_FLOAT32)
    rounded_twice: Array = unit * width + low
    if not abs(width) < 2.0**996:
        return rounded_twice  # too wide to be taken apart
    # Dekker's product and Knuth's sum carry what each operation rounds off.
    product = unit * width
    upper, lower = _halves(unit)
    width_upper, width_lower = _halves(width)
    lost = lower * width_lower - (((product - upper * width_upper) - lower * width_upper) - upper * width_lower)
    taken = rounded_twice - product
    error: Array = ((product - (rounded_twice - taken)) + (low - taken)) + lost
    return rounded_twice + error


def _halves(x: Any) -> tuple[Any, Any]:
    """A double as the sum of two whose products are exact (Veltkamp's splitting)."""
    scaled = x * 134217729.0
    upper = scaled - (scaled - x)
    return upper, x - upper


def _box_muller(uniform: Array, mean: float, std: float) -> Array:
    real = uniform.dtype.type
    pairs = uniform.reshape(-1, 2, _NORMAL_BLOCK // 2)
    radius = np.sqrt(real(-2.0) * np.log(real(1.0) - pairs[:, 0]))
    angle = real(2.0 * math.pi) * pairs[:, 1]
    samples = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return np.reshape(samples * real(std) + real(mean), -1)


def _blocks(out: Array) -> Iterator[Array]:
    """A row-major array as flat pieces that can be written."""
    flat = out.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        check()
        yield flat[start : start + _BLOCK]


def _parts(shape: Sequence[int], dtype: NumpyDType) -> int:
    """How many real numbers make up an array."""
    return math.prod(shape) * (2 if dtype.kind == "c" else 1)


def generator_from(seed: int | None) -> Generator:
    """A generator that starts at ``seed``, or anywhere without one."""
    if seed is not None:
        return Generator(seed)
    generator = Generator()
    generator.seed()
    return generator
