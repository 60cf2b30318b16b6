"""Samples of the activation functions."""

from __future__ import annotations

from .base import E, S, Sample, T, unary

_F = "nn.functional."
# Both sides of every kink, the kinks themselves, and what is not finite.
_KINKS = T(values=[-7.0, -6.0, -3.0, -1.5, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 1.5, 3.0, 6.0, 7.0])
_FAR = T(values=[-1e3, -50.0, 50.0, 1e3])
_WILD = T(values=[float("nan"), float("inf"), float("-inf")])
_WHOLE, _TRUTH, _COMPLEX = T(3, dtype="int64", low=-5, high=9), T(3, dtype="bool"), T(3, dtype="complex64")
_SINGLE = T(5, dtype="float32", low=-4.0, high=4.0)


def _floating(*, second_far: bool = True) -> list[Sample]:
    """What every activation of floating point numbers is tried on."""
    return [
        *unary(),
        S(_KINKS),
        S(_FAR) if second_far else S(_FAR).but(grad2=False),
        S(_WILD).but(grad2=False),
        S(_SINGLE),
        E(_WHOLE),
        E(_TRUTH),
        E(_COMPLEX),
    ]


def _any_number() -> list[Sample]:
    return [*unary(), S(_KINKS), S(_FAR), S(_WILD).but(grad2=False), S(_SINGLE), S(_WHOLE), E(_TRUTH), E(_COMPLEX)]


_HALVES = T((2, 4, 3))

SAMPLES: dict[str, list[Sample]] = {
    _F + "relu": _any_number(),
    _F + "relu6": _any_number(),
    _F + "hardtanh": [*_any_number(), S(_KINKS, -0.5, 1.5), S(_WHOLE, -1.5, 3.5), S(_KINKS, min_val=-1, max_val=1)],
    _F + "threshold": [
        S(_KINKS, 0.5, 2.0),
        S(_WILD, 0.0, 1.0).but(grad2=False),
        S(_WHOLE, 1.5, 3.7),
        S(T((2, 3), layout="transposed"), 0.1, 20.0),
        S(T(()), 0.5, 1),
        S(T((0, 2)), 0.5, 1),
        S(_SINGLE, 0.1, 0.2),
        E(_TRUTH, 0.5, 1),
        E(_COMPLEX, 0.5, 1),
    ],
    _F + "leaky_relu": [*_floating(), S(_KINKS, 0.2), S(_KINKS, negative_slope=-0.5)],
    _F + "elu": [*_floating(), S(_KINKS, 0.7), S(_KINKS, alpha=-2.0)],
    _F + "selu": _floating(),
    _F + "celu": [*_floating(), S(_KINKS, 0.7).but(rtol=1e-6), S(_KINKS, alpha=2), E(_KINKS, 0.0)],
    _F + "gelu": [*_floating(), S(_KINKS, approximate="tanh"), S(_SINGLE, approximate="tanh"), E(_KINKS, approximate="erf")],
    # torch has a complex one, without a derivative.
    _F + "silu": _floating(second_far=False)[:-1],
    _F + "mish": _floating(second_far=False),
    _F + "softplus": [*_floating(), S(_KINKS, 2.0), S(_KINKS, 0.5, 1.0), S(_KINKS, beta=3, threshold=4)],
    _F + "softsign": [*unary(), S(_KINKS), S(_FAR), S(_WHOLE)],
    _F + "tanhshrink": [*unary(), S(_KINKS), S(_FAR), S(_WHOLE)],
    _F + "sigmoid": [*unary(), S(_KINKS), S(_FAR), S(_WHOLE)],
    _F + "tanh": [*unary(), S(_KINKS), S(_FAR), S(_WHOLE)],
    # torch multiplies by a sixth in single precision, and has no second derivative.
    _F + "hardsigmoid": [s.but(rtol=1e-7, grad2=False) for s in _floating()],
    _F + "hardswish": _floating(),
    _F + "hardshrink": [*_floating(), S(_KINKS, 1.0), S(_KINKS, 0)],
    _F + "softshrink": [*_floating(), S(_KINKS, 1.0), S(_KINKS, 0), E(_KINKS, -1.5), E(_SINGLE, -1.5)],
    _F + "logsigmoid": _floating(),
    _F + "glu": [
        S(_HALVES, 1),
        S(T((2, 4))),
        S(T((2, 4)), -2),
        S(T(6)),
        S(T((0, 4))),
        S(T((4, 3), layout="transposed"), 0),
        S(T((2, 4), dtype="float32")),
        E(T((2, 3))),
        E(T(())),
        E(T((2, 4)), 5),
        E(T((2, 4), dtype="int64")),
    ],
    _F + "prelu": [
        S(T((2, 3)), T(3)),
        S(T((2, 3)), T(1)),
        S(T((2, 3)), T(())),
        S(T((2, 3, 4, 5)), T(3)),
        S(T(4), T(1)),
        S(T(4), T(())),
        S(T(()), T(1)),
        S(T(()), T(())),
        S(_KINKS, T(1)).but(grad2=False),
        S(T((0, 3)), T(3)),
        S(T((3, 2), layout="transposed"), T(2)),
        S(T((2, 3), grad=False), T(3)),
        S(T((2, 3), dtype="float32"), T(3, dtype="float32")),
        E(T((2, 3)), T(2)),
        E(T((2, 3)), T(3, dtype="float32")),
        E(T(()), T(3)),
        E(T((2, 1)), T((1, 1))),
        E(_WHOLE, T(1, dtype="int64")),
    ],
    _F + "softmin": [S(T((2, 3)), 1), S(T((2, 3)), dim=0), S(T((2, 3)), -1, dtype="float32").but(rtol=1e-6), S(T(3), 0), E(T((2, 3)), 4)],
}
