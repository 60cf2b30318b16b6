"""Samples of linear algebra."""

from __future__ import annotations

from .base import E, S, Sample, T

C128 = "complex128"
# Well conditioned, and different from their transposes.
SQUARE = T((3, 3), values=[[3.0, 1.0, -0.5], [0.2, 2.5, 0.7], [-1.0, 0.3, 4.0]])
FLOAT = T((3, 3), dtype="float32", values=[[3.0, 1.0, -0.5], [0.2, 2.5, 0.7], [-1.0, 0.3, 4.0]])
BATCH = T((2, 2, 2), values=[[[3.0, 1.0], [0.2, 2.5]], [[-2.0, 0.7], [0.3, 4.0]]])
COMPLEX = T((2, 2), dtype=C128, values=[[3 + 1j, 1 - 0.5j], [0.2j, 2.5 - 1j]])
ZERO = T((3, 3), values=[[0.0] * 3] * 3)
SINGULAR = T((2, 2, 2), values=[[[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]]])
EMPTY = T((0, 0))
SPD = T((3, 3), spd=True)
TWO_SPD = T((2, 2), spd=True)
HERMITIAN = T((3, 3), dtype=C128, spd=True)
INDEFINITE = T((3, 3), values=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]])
REFUSED: list[Sample] = [E(T((2, 3))), E(T(3)), E(T((2, 2), dtype="int64"))]
HALF = E(T((2, 2), dtype="float16"))
REGULAR: list[Sample] = [S(SQUARE), S(FLOAT).but(rtol=1e-4), S(BATCH), S(COMPLEX), S(T((3, 3), values=SQUARE.values, layout="transposed"))]


def vectors(sample: Sample) -> Sample:
    """A sample whose op gives vectors up to a sign, which the differentiated outputs must not depend on.

    torch's messages have another number for the outputs that it saves, so only the sample beside it compares names.
    """
    return sample.but(grad_fn=False, output=lambda r: [x if len(x.shape) == 1 else abs(x) for x in r])


def symmetric(sample: Sample) -> Sample:
    """A sample whose op reads one triangle of a symmetric matrix: its gradient is spread over both, which differences do not see."""
    return sample.but(derivative=False)


SAMPLES: dict[str, list[Sample]] = {
    "linalg.inv": [
        *REGULAR,
        S(EMPTY),
        S(T((2, 0, 3, 3))),
        E(ZERO).but(error_from_values=True),
        E(SINGULAR).but(error_from_values=True),
        *REFUSED,
        HALF,
    ],
    "inverse": [S(SQUARE), S(BATCH), E(ZERO).but(error_from_values=True), *REFUSED],
    "linalg.solve": [
        S(SQUARE, T(3)),
        S(SQUARE, T((3, 2))),
        S(BATCH, T((2, 2))),
        S(BATCH, T(2)),
        S(BATCH, T((2, 2, 4))),
        S(BATCH, T((2, 3))),
        S(SQUARE, T((4, 3, 2))),
        S(SQUARE, T((2, 3)), left=False),
        S(BATCH, T((2, 4, 2)), left=False),
        S(COMPLEX, T((2, 3), dtype=C128)),
        S(COMPLEX, T(2, dtype=C128)),
        S(FLOAT, T(3, dtype="float32")).but(rtol=1e-4),
        S(EMPTY, T((0, 2))),
        E(ZERO, T(3)).but(error_from_values=True),
        E(SINGULAR, T((2, 2))).but(error_from_values=True),
        E(SQUARE, T(4)),
        E(SQUARE, T((2, 4))),
        E(SQUARE, T(3), left=False),
        E(SQUARE, T(())),
        E(T((2, 3)), T(3)),
        E(T(3), T(3)),
        E(SQUARE, T(3, dtype="float32")),
        E(T((3, 3), dtype="int64"), T(3, dtype="int64")),
    ],
    "linalg.det": [*REGULAR, S(EMPTY), S(ZERO).but(grad2=False), S(SINGULAR).but(grad2=False), S(T((1, 1))), *REFUSED],
    "det": [S(SQUARE), S(BATCH), *REFUSED],
    "linalg.slogdet": [*REGULAR, S(EMPTY), S(ZERO).but(grad=False), *REFUSED],
    "slogdet": [S(SQUARE), S(BATCH), *REFUSED],
    "logdet": [S(SPD), S(BATCH).but(derivative=False), S(T((2, 2), values=[[-1.0, 0.0], [0.0, 1.0]], grad=False)), S(COMPLEX), *REFUSED],
    "linalg.cholesky": [
        symmetric(S(SPD)),
        symmetric(S(SPD, upper=True)),
        symmetric(S(T((2, 2, 2), spd=True))),
        symmetric(S(HERMITIAN)),
        symmetric(S(HERMITIAN, upper=True)),
        S(EMPTY),
        E(INDEFINITE).but(error_from_values=True),
        E(T((2, 2, 2), values=[[[1.0, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]]])).but(error_from_values=True),
        *REFUSED,
        HALF,
    ],
    "linalg.qr": [
        S(SQUARE),
        S(T((3, 2))),
        S(T((2, 3))),
        S(T((2, 4, 3))),
        S(T((3, 2), dtype=C128)),
        S(SQUARE, "complete"),
        S(T((2, 3)), mode="complete"),
        S(T((3, 2), grad=False), "complete"),
        S(T((3, 2), grad=False), "r"),
        S(T((0, 2))).but(grad=False),
        E(T((3, 2)), mode="x"),
        E(T(3)),
        E(T((2, 2), dtype="int64")),
    ],
    "linalg.eigh": [
        symmetric(vectors(S(TWO_SPD))),
        symmetric(vectors(S(TWO_SPD, UPLO="U"))),
        symmetric(vectors(S(T((2, 2, 2), spd=True)))),
        symmetric(vectors(S(HERMITIAN))),
        S(TWO_SPD).but(grad=False),
        S(EMPTY).but(grad=False),
        E(SPD, "x"),
        *REFUSED,
    ],
    "linalg.eigvalsh": [symmetric(S(SPD)), symmetric(S(HERMITIAN)), E(T((2, 3)))],
    "linalg.svd": [
        vectors(S(SQUARE)),
        vectors(S(T((3, 2)), full_matrices=False)),
        vectors(S(T((3, 4)), full_matrices=False)),
        vectors(S(T((2, 3, 2)), False)),
        S(T((3, 2), grad=False)),
        vectors(S(COMPLEX)),
        S(SQUARE).but(grad=False),
        E(T(3)),
        E(T((2, 2), dtype="int64")),
    ],
    "linalg.svdvals": [S(SQUARE), S(T((3, 2))), S(T((2, 2, 3))), S(COMPLEX), E(T(3))],
    "linalg.pinv": [
        S(SQUARE),
        S(T((3, 2))),
        S(T((2, 3))),
        S(T((2, 3, 2))),
        S(T((3, 2), dtype=C128)),
        S(SPD, hermitian=True).but(derivative=False),
        E(T(3)),
        E(T((2, 2), dtype="int64")),
    ],
    "pinverse": [S(T((3, 2))), S(SQUARE), E(T(3))],
    "linalg.matrix_power": [
        *[S(SQUARE, n) for n in (1, 2, 3, 4, 5, 6, 7, 10, -1, -2, -3)],
        S(BATCH, 3),
        S(T((2, 2), dtype="int64"), 3),
        S(T((3, 3), grad=False), 0),
        S(COMPLEX, 2),
        E(T((2, 3)), 2),
        E(SQUARE, 2**63),
        E(ZERO, -1).but(error_from_values=True),
        E(T((2, 2), dtype="int64"), -3),
    ],
    "matrix_power": [S(SQUARE, 2), S(BATCH, 3), E(T((2, 3)), 2)],
    "linalg.cross": [
        S(T(3), T(3)),
        S(T((2, 3)), T((2, 3))),
        S(T((1, 3)), T((4, 3))),
        S(T((3, 2)), T((3, 2)), dim=0),
        S(T((2, 3), dtype=C128), T((2, 3), dtype=C128)),
        S(T((2, 3), dtype="int64"), T((2, 3), dtype="int64")),
        S(T((0, 3)), T((0, 3))),
        E(T((3, 2)), T((3, 2))),
        E(T(3), T((2, 3))),
        E(T((2, 3)), T((3, 3))),
        E(T((2, 3)), T((2, 3), dtype="float32")),
        E(T((2, 3)), T((2, 3)), dim=5),
    ],
    # Without a dimension torch warns.
    "cross": [S(T((2, 3)), T((2, 3)), dim=-1), S(T((3, 2)), T((3, 2)), 0), E(T((4, 3)), T((3, 3)), dim=1)],
}
