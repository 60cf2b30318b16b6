"""Elementary functions without branches, for vectors of float64 and float32: within 2 units in the last place, special values as IEEE 754.

``logaddexp`` is less exact where it is near 0, as NumPy's is: two numbers of opposite signs make it up.

The methods are Cody and Waite's ("Software Manual for the Elementary Functions", 1980): the argument is reduced to a small interval by
subtracting a multiple of pi/2 or ln 2 that is kept in parts, whose products with small integers are exact, and what is left goes through
a polynomial. Every polynomial here is the Taylor series, cut off where the next term is below the rounding on that interval, so the
coefficients follow from their definition. The parts of pi/2 and ln 2 are their leading bits, computed with mpmath at 300 bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .code import Value

_LOG2_E: Final = 1.4426950408889634
_TWO_OVER_PI: Final = 0.6366197723675814
# The first 33 bits of pi/2, the next 33, and the rest.
_HALF_PI: Final = (float.fromhex("0x1.921fb544p+0"), float.fromhex("0x1.0b4611a6p-34"), float.fromhex("0x1.3198a2e037073p-69"))
_MOST_TURNED: Final = 1.6e6
"""Beyond it the multiple of pi/2 has more than the 20 bits with which its products with 33 bits are exact."""


@dataclass(frozen=True)
class _Format:
    """What is particular to a floating point type.

    Attributes:
        fraction: The number of bits of the fraction.
        bias: The exponent of 1.
        ln2: ln 2 in two parts: 33 (15) leading bits, and the rest.
        exp_terms: The last power of the exponential's series, for arguments up to ln(2)/2.
        sin_terms: That of the sine, up to pi/4.
        cos_terms: That of the cosine.
        log_terms: How many terms of the series of the logarithm, in powers of up to 0.0295.
        exp_range: Where the exponential is 0 for certain, and infinite.
        tanh_most: Where the hyperbolic tangent is 1 for certain, doubled.
        expm1_least: Where the exponential less 1 is -1 for certain.
    """

    fraction: int
    bias: int
    ln2: tuple[float, float]
    exp_terms: int
    sin_terms: int
    cos_terms: int
    log_terms: int
    exp_range: tuple[float, float]
    tanh_most: float
    expm1_least: float

    @property
    def shifter(self) -> float:
        """Added to a small number, it leaves the nearest integer in the low bits."""
        return 1.5 * 2.0**self.fraction

    @property
    def shifter_bits(self) -> int:
        """The bits of ``shifter``."""
        return ((self.fraction + self.bias) << self.fraction) + (1 << (self.fraction - 1))

    @property
    def one_bits(self) -> int:
        """The bits of 1."""
        return self.bias << self.fraction


_DOUBLE: Final = _Format(
    52, 1023, (float.fromhex("0x1.62e42fefp-1"), float.fromhex("0x1.473de6af278edp-34")), 13, 17, 16, 10, (-746.0, 710.0), 44.0, -40.0
)
_SINGLE: Final = _Format(23, 127, (float.fromhex("0x1.62e4p-1"), float.fromhex("0x1.7f7d1cp-20")), 7, 9, 10, 5, (-104.0, 89.0), 20.0, -20.0)


def _format(x: Value) -> _Format:
    return _DOUBLE if x.kind == "double" else _SINGLE


def _polynomial(x: Value, coefficients: Sequence[float]) -> Value:
    """By Horner's rule; the coefficient of the lowest power first."""
    *rest, last = coefficients
    value = x.lift(last)
    for coefficient in reversed(rest):
        value = value.times_plus(x, coefficient)
    return value


def _nearest(x: Value, factor: float) -> tuple[Value, Value]:
    """The integer nearest to ``x * factor``, as a number and as bits."""
    form = _format(x)
    shifted = x.times_plus(factor, form.shifter)
    return shifted - form.shifter, shifted.bits() - form.shifter_bits


def _clamped(x: Value, low: float, high: float) -> Value:
    """Between two bounds, or not a number."""
    x = (x < low).choose(low, x)
    return (x > high).choose(high, x)


# The exponential and its kin.


def _reduced(x: Value) -> tuple[Value, Value, Value]:
    """``r``, what its rounding left out, and ``n``, with ``x = n ln 2 + r``."""
    high, low = _format(x).ln2
    k, n = _nearest(x, _LOG2_E)
    rough = (-k).times_plus(high, x)
    r = (-k).times_plus(low, rough)
    return r, (-k).times_plus(low, rough - r), n


def _small_expm1(r: Value, rest: Value | float = 0.0) -> Value:
    """``exp(r + rest) - 1`` for ``r`` up to ln(2)/2 and a rest that is nothing beside it."""
    powers = range(2, _format(r).exp_terms + 1)
    return r + (r * r).times_plus(_polynomial(r, [1 / math.factorial(n) for n in powers]), rest)


def _scaled(x: Value, n: Value) -> Value:
    """``x * 2**n``, in two steps, since 2**n itself may be too large or too small."""
    form = _format(x)
    both = n + 2 * form.bias
    first = both >> 1
    return x * (first << form.fraction).from_bits() * ((both - first) << form.fraction).from_bits()


def _power_of_two(n: Value, form: _Format) -> Value:
    return ((n + form.bias) << form.fraction).from_bits()


def exp(x: Value) -> Value:
    """The exponential."""
    r, _, n = _reduced(_clamped(x, *_format(x).exp_range))
    return _scaled(_small_expm1(r) + 1.0, n)


def exp2(x: Value) -> Value:
    """Two to the power of each element."""
    low, high = _format(x).exp_range
    x = _clamped(x, low * _LOG2_E, high * _LOG2_E)
    k, n = _nearest(x, 1.0)
    return _scaled(_small_expm1((x - k) * math.log(2)) + 1.0, n)


def expm1(x: Value) -> Value:
    """The exponential less 1: ``2**n (exp(r) - 1 + (1 - 2**-n))``."""
    form = _format(x)
    r, left, n = _reduced(_clamped(x, form.expm1_least, form.exp_range[1]))
    # 2**-n is a number for n up to 1022 (126); where n is more it is nothing beside 1.
    least = (n.compared("slt", form.bias - 1)).choose(n, n.lift(form.bias - 1))
    rest = 1.0 - _power_of_two(least.lift(0) - least, form)
    return _scaled(_small_expm1(r, left) + rest, n).with_sign_of(x)


def tanh(x: Value) -> Value:
    """The hyperbolic tangent: ``e / (e + 2)`` with ``e = exp(2 |x|) - 1``."""
    form = _format(x)
    y = x.absolute() * 2.0
    r, left, n = _reduced((y > form.tanh_most).choose(form.tanh_most, y))
    power = _power_of_two(n, form)
    e = power.times_plus(_small_expm1(r, left), power - 1.0)
    return (e / (e + 2.0)).with_sign_of(x)


# Logarithms.


def _split(x: Value) -> tuple[Value, Value]:
    """``f`` and ``k`` with ``x = 2**k (1 + f)``, and 1 + f between the square roots of 1/2 and 2."""
    form = _format(x)
    tiny = x < 2.0 ** (1 - form.bias)
    grown = tiny.choose(x * 2.0 ** (form.fraction + 1), x)
    least = form.one_bits - (1 << form.fraction) + int((math.sqrt(0.5) * 2 - 1) * 2**form.fraction)
    shifted = grown.bits() + (form.one_bits - least)
    f = ((shifted & ((1 << form.fraction) - 1)) + least).from_bits() - 1.0
    n = (shifted >> form.fraction) + (form.shifter_bits - form.bias)
    k = n.from_bits() - form.shifter
    return f, tiny.choose(k - float(form.fraction + 1), k)


def _lost(f: Value, more: Value) -> Value:
    """``f - log(1 + f) - more``, by ``log(1 + f) = 2 artanh(f / (2 + f))``, arranged as in fdlibm's e_log.c."""
    s = f / (f + 2.0)
    z = s * s
    rest = z * _polynomial(z, [2 / (2 * n + 3) for n in range(_format(f).log_terms)])
    half = f * f * 0.5
    return half - s.times_plus(half + rest, more)


def _ends(x: Value, found: Value) -> Value:
    """A logarithm with its special values."""
    found = x.compared("oeq", math.inf).choose(math.inf, found)
    found = x.compared("ult", 0.0).choose(math.nan, found)
    return x.compared("oeq", 0.0).choose(-math.inf, found)


def log(x: Value) -> Value:
    """The natural logarithm."""
    f, k = _split(x)
    high, low = _format(x).ln2
    return _ends(x, k.times_plus(high, f - _lost(f, k * low)))


def log2(x: Value) -> Value:
    """The logarithm to base 2, exact for powers of 2."""
    f, k = _split(x)
    return _ends(x, (f - _lost(f, f.lift(0.0))).times_plus(_LOG2_E, k))


def log1p(x: Value) -> Value:
    """The logarithm of 1 more: of the rounded sum, and what the rounding left out, divided by it (as in fdlibm's s_log1p.c)."""
    u = x + 1.0
    left = (x.absolute() < 1.0).choose(x - (u - 1.0), 1.0 - (u - x))
    rough = log(u)
    found = (x.compared("oeq", math.inf) | u.compared("oeq", 0.0)).choose(rough, rough + left / u)
    return x.compared("oeq", 0.0).choose(x, found)


def logaddexp(x: Value, y: Value) -> Value:
    """The logarithm of the sum of two exponentials."""
    larger = (x > y).choose(x, y)
    found = larger + log1p(exp(-(x - y).absolute()))
    return x.compared("oeq", y).choose(x + math.log(2), found)


# Sine and cosine.


def _turned(x: Value) -> tuple[Value, Value, Value]:
    """``r``, what its rounding left out, and ``n``, with ``x = n pi/2 + r``; elements that are too large for that are in doubt."""
    wide = x.cast("double")
    wide.code.doubt(wide.absolute() > _MOST_TURNED)
    k, n = _nearest(wide, _TWO_OVER_PI)
    first, second, third = _HALF_PI
    rough = (-k).times_plus(first, wide)
    r = (-k).times_plus(second, rough)
    if x.kind == "float":
        single = r.cast("float")
        return single, (r - single.cast("double")).cast("float"), n.truncated("i32")
    left = (-k).times_plus(third, (-k).times_plus(second, rough - r))
    both = r + left
    return both, (r - both) + left, n


def _turned_sine(x: Value, quarters: int) -> Value:
    """The sine of ``x`` plus some quarters of a turn."""
    form = _format(x)
    r, left, n = _turned(x)
    n = n + quarters
    z = r * r
    odd = range(3, form.sin_terms + 1, 2)
    sine = r + (r * z).times_plus(_polynomial(z, [(-1) ** (p // 2) / math.factorial(p) for p in odd]), left)
    half = z * 0.5
    rough = 1.0 - half
    even = range(4, form.cos_terms + 1, 2)
    rest = (1.0 - rough) - half - r * left
    cosine = rough + (z * z).times_plus(_polynomial(z, [(-1) ** (p // 2) / math.factorial(p) for p in even]), rest)
    found = (n & 1).compared("ne", 0).choose(cosine, sine)
    sign = (n & 2) << (62 if form is _DOUBLE else 30)
    return (found.bits() ^ sign).from_bits()


def sin(x: Value) -> Value:
    """The sine."""
    return x.compared("oeq", 0.0).choose(x, _turned_sine(x, 0))


def cos(x: Value) -> Value:
    """The cosine."""
    return _turned_sine(x, 1)


def tan(x: Value) -> Value:
    """The tangent."""
    return sin(x) / cos(x)
