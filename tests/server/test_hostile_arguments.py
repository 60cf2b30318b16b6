"""Arguments that no operation was written for: each is refused with an error of ours that says what is wrong, and where."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_engine.errors import GradwireError

from .hostile import INPUTS, answer, nested, program

HUGE = 10**400


def functions(**backward: Any) -> dict[str, Any]:
    forward = {"inputs": ["a"], "nodes": [{"name": "o", "op": "exp", "args": ["a"]}], "outputs": ["o"]}
    part = {"inputs": ["grad_o"], "outputs": {"a": "grad_o"}, **backward}
    return {**program("functions.f", "x"), "functions": {"f": {"forward": forward, "backward": part}}}


NODE = "/nodes/0"
FIRST, SECOND, THIRD = f"{NODE}/args/0", f"{NODE}/args/1", f"{NODE}/args/2"
TOO_MANY = "A tensor can have at most 64 dimensions, but this one would have "
NOT_FINITE = "The algorithm failed to converge because the input matrix contained non-finite values."
NOT_DEFINITE = "The factorization could not be completed because the input is not positive-definite (the leading minor of order "
NO_DOUBLE = "value cannot be converted to type double without overflow"
CONVOLUTION = ("volume", "filters", None)

# What was sent: the document, and the code, the pointer and the words of the answer.
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    # Data that is no tensor.
    "NaN as an integer": (program("tensor", ["NaN"], dtype="int8"), "integer_out_of_range", NODE, "to type int8 without overflow"),
    "infinity as an integer": (
        program("tensor", "Infinity", dtype="uint8"),
        "integer_out_of_range",
        NODE,
        "to type uint8 without overflow",
    ),
    "more lists than dimensions": (program("tensor", nested(65)), "too_many_dimensions", NODE, "too many dimensions 'tuple'"),
    "far more lists than dimensions": (program("tensor", nested(90)), "too_deep", FIRST + "/0" * 66, "nested too deeply"),
    "a late ragged row": (program("tensor", [[[1], [2]], [[1], [2, 3]]]), "ragged_tensor", NODE, "length 1 at dim 2 (got 2)"),
    "a number among rows": (program("tensor", [[1, 2], 3]), "ragged_tensor", NODE, "expected a sequence at dim 1"),
    "a row among numbers": (program("tensor", [1, [2]]), "ragged_tensor", NODE, "expected a number at dim 1"),
    # Shapes that no array has.
    **{
        f"{op} of 70 dimensions": (program(op, [1] * 70), "too_many_dimensions", NODE, TOO_MANY + "70")
        for op in ("zeros", "ones", "empty", "rand", "randn")
    },
    **{
        f"{op} of 70 dimensions": (program(op, "scalar", [1] * 70), "too_many_dimensions", NODE, TOO_MANY + "70")
        for op in ("new_zeros", "new_ones", "new_empty", "repeat", "tile", "reshape", "view", "expand", "broadcast_to")
    },
    "full of 70 dimensions": (program("full", [1] * 70, 2), "too_many_dimensions", NODE, TOO_MANY + "70"),
    "randint of 70 dimensions": (program("randint", 0, 5, [1] * 70), "too_many_dimensions", NODE, TOO_MANY + "70"),
    "stack": (program("stack", ["d64", "d64"]), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "diag_embed": (program("diag_embed", "d64"), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "unsqueeze": (program("unsqueeze", "d64", 0), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "a new axis": (program("getitem", "d64", [None]), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "one_hot": (program("nn.functional.one_hot", "i64", 2), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "one_hot of unknown classes": (program("nn.functional.one_hot", "i64"), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "embedding": (program("nn.functional.embedding", "i64", "m"), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "a deep index": (program("getitem", "d63", [{"data": nested(10, 0)}]), "too_many_dimensions", NODE, TOO_MANY + "72"),
    "view_as_real": (program("view_as_real", "c64"), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "real": (program("real", "c64"), "too_many_dimensions", NODE, TOO_MANY + "65"),
    "kron": (program("kron", "d64", "d64"), "too_many_dimensions", NODE, TOO_MANY + "128"),
    "svd of 64 dimensions": (program("linalg.svdvals", "d64"), "too_many_dimensions", NODE, "at most 32 dimensions here"),
    "sort of 64 dimensions": (program("argsort", "d64"), "too_many_dimensions", NODE, "at most 32 dimensions here"),
    "repeat beyond 64 bits": (program("repeat", "none", [2**62, 4, 4]), "out_of_memory", NODE, "overflowed with sizes=[461168"),
    "tile beyond 64 bits": (program("tile", "none", [2**62, 4, 4]), "out_of_memory", NODE, "overflowed with sizes=[461168"),
    "expand beyond 64 bits": (program("expand", "empty", [2**62, 0, 5]), "out_of_memory", NODE, "overflowed with sizes=[461168"),
    "group_norm beyond 64 bits": (
        program("nn.functional.group_norm", "none", 2**62),
        "out_of_memory",
        NODE,
        "overflowed with sizes=[2, 46",
    ),
    # Lists that nobody could read.
    "many empty rows": (
        program("zeros", [10**12, 0]),
        "tensor_too_large",
        NODE,
        "2,000,000,000,002 bytes of brackets, more than the 268,435,456",
    ),
    "many rows of nothing": (
        program("repeat", "none", [10**12, 1]),
        "tensor_too_large",
        NODE,
        "bytes of brackets, more than the 268,435,456",
    ),
    "rows of lists of nothing": (program("expand", "empty", [10**8, 10**8, 0, 5]), "tensor_too_large", NODE, "bytes of brackets"),
    "numbers in many lists": (
        program("zeros", [10**7, *[1] * 60]),
        "tensor_too_large",
        NODE,
        "bytes of brackets, more than the 268,435,456",
    ),
    # Matrices that no algorithm can handle.
    "svd of NaN": (program("linalg.svdvals", "nan"), "not_converged", NODE, "linalg.svd: " + NOT_FINITE),
    "svd of a batch": (program("linalg.svdvals", "batch"), "not_converged", NODE, "linalg.svd: (Batch element 1): " + NOT_FINITE),
    "svd of an infinity": (program("linalg.svdvals", [["Infinity", 1.0], [1.0, 2.0]]), "not_converged", NODE, "linalg.svd: " + NOT_FINITE),
    "pinv of an infinity": (program("linalg.pinv", [["-Infinity", 1.0]]), "not_converged", NODE, "linalg.svd: " + NOT_FINITE),
    "pinv of NaN": (program("linalg.pinv", "nan"), "not_converged", NODE, "linalg.svd: " + NOT_FINITE),
    "pinverse of NaN": (program("pinverse", "nan"), "not_converged", NODE, "linalg.svd: " + NOT_FINITE),
    "pinv of a Hermitian matrix that is not square": (
        program("linalg.pinv", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], None, True),
        "shape_mismatch",
        FIRST,
        "linalg.eigh: A must be batches of square matrices, but they are 3 by 2 matrices",
    ),
    "eigh of infinities": (
        program("linalg.eigvalsh", [["Infinity"] * 4] * 4),
        "not_converged",
        NODE,
        "linalg.eigh: The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated eigenvalues",
    ),
    "cholesky of NaN": (program("linalg.cholesky", "nan"), "singular_matrix", NODE, f"linalg.cholesky: {NOT_DEFINITE}1 is not"),
    "cholesky of a batch": (program("linalg.cholesky", "batch"), "singular_matrix", NODE, f"(Batch element 1): {NOT_DEFINITE}1 is not"),
    # Numbers that a parameter cannot hold.
    "10^400 as a float": (
        program("nn.functional.softplus", "x", HUGE),
        "integer_out_of_range",
        SECOND,
        "int too large to convert to float",
    ),
    "10^400 as a later float": (
        program("nn.functional.layer_norm", "x", [3], None, None, HUGE),
        "integer_out_of_range",
        f"{NODE}/args/4",
        "int too large to convert to float",
    ),
    "10^400 as an int": (program("sum", "x", HUGE), "integer_out_of_range", SECOND, "Overflow when unpacking long long"),
    "10^400 as a number": (program("add", "x", HUGE), "integer_out_of_range", SECOND, "int too big to convert"),
    "2^64 - 1 alone": (program("div", 2**64 - 1, 3, rounding_mode="trunc"), "value_out_of_range", NODE, "to type int64_t without overflow"),
    "2^63 chosen by where": (program("where", [True, False], 2**63, -1), "value_out_of_range", NODE, "without overflow"),
    **{
        f"complex {op.rpartition('.')[2]}": (program(op, "x", {"complex": [1, 2]}), "value_out_of_range", SECOND, NO_DOUBLE)
        for op in (
            "nn.functional.softshrink",
            "nn.functional.hardshrink",
            "nn.functional.elu",
            "nn.functional.celu",
            "nn.functional.leaky_relu",
        )
    },
    **{
        f"complex correction of {op}": (
            program(op, "x", correction={"complex": [1, 2]}),
            "value_out_of_range",
            f"{NODE}/kwargs/correction",
            NO_DOUBLE,
        )
        for op in ("std", "var", "std_mean", "var_mean")
    },
    "complex factor of addcmul": (
        program("addcmul", "x", "x", "x", value={"complex": [1, 2]}),
        "value_out_of_range",
        NODE,
        "without overflow",
    ),
    # Shapes that do not fit.
    "batch_norm of a number": (
        program("nn.functional.batch_norm", "scalar", None, None, training=True),
        "dim_out_of_range",
        NODE,
        "Dimension out of range (expected to be in range of [-1, 0], but got 1)",
    ),
    "batch_norm with a weight of two dimensions": (
        program("nn.functional.batch_norm", "m", None, None, [[1.0], [1.0]], training=True),
        "shape_mismatch",
        NODE,
        "TensorAccessor expected 1 dims but tensor has 2",
    ),
    "batch_norm with a bias of two dimensions": (
        {
            **program("nn.functional.batch_norm", "m", None, None, None, "bias", training=True, backward=True),
            "inputs": {**INPUTS, "bias": {"data": [[1.0, 1.0]], "requires_grad": True}},
        },
        "shape_mismatch",
        "/backward",
        "returned an invalid gradient - got [2] but expected shape compatible with [1, 2]",
    ),
    "dist of a number": (
        program("dist", 0.5, "x", backward=True),
        "argument_type",
        FIRST,
        "'input' (position 1) must be Tensor, not float",
    ),
    "no class to be wrong about": (
        program("nn.functional.cross_entropy", "none", [0, 0], label_smoothing=0.5),
        "index_out_of_range",
        NODE,
        "Target 0 is out of bounds.",
    ),
    "tensordot over numbers": (
        program("tensordot", "scalar", "scalar", [0, -1]),
        "argument_type",
        THIRD,
        "tensordot(): argument 'dims_self' (position 3) must be tuple of ints, not int",
    ),
    "tensordot over names": (
        program("tensordot", "scalar", "scalar", ["a", "a"]),
        "argument_type",
        THIRD,
        "tensordot(): argument 'dims_self' (position 3) must be tuple of ints, not str",
    ),
    "tensordot over fractions": (
        program("tensordot", "x", "x", [[0], [0.5]]),
        "argument_type",
        THIRD,
        "tensordot(): argument 'dims_other' (position 4) must be tuple of ints, but found element of type float at pos 0",
    ),
    "tensordot of numbers": (
        program("tensordot", "scalar", "scalar", [[0], [0]]),
        "dim_out_of_range",
        NODE,
        "Dimension specified as 0 but tensor has no dimensions",
    ),
    "split over its size": (
        program("split", "x", [0] * 5000 + [2]),
        "runtime_error",
        NODE,
        "split_with_sizes expects split_sizes to sum exactly to 3",
    ),
    "tensor_split at fractions": (
        program("tensor_split", "x", "floats"),
        "dtype_mismatch",
        NODE,
        "tensor_split expected tensor_indices_or_sections to have dtype of long, but got Float",
    ),
    "an index behind two ellipses": (
        program("getitem", "m", ["...", "...", -2]),
        "index_out_of_range",
        NODE,
        "index -2 is out of bounds for dimension 2 with size 0",
    ),
    "a slice behind two ellipses": (
        program("getitem", "m", ["...", "...", {"slice": [1, 2]}]),
        "dim_out_of_range",
        NODE,
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    ),
    "a bias that is a number": (
        program("nn.functional.bilinear", "m", "m", [[[1.0, 2.0], [3.0, 4.0]]], "scalar"),
        "dim_out_of_range",
        NODE,
        "Dimension specified as 0 but tensor has no dimensions",
    ),
    "a dilation for another convolution": (
        program("convolution", *CONVOLUTION, [1], [0], [1, 1, 1], True, [0], 1),
        "shape_mismatch",
        NODE,
        "expected dilation to be a single integer value or a list of 1 values",
    ),
    "a convolution of nothing": (
        program("nn.functional.conv_transpose1d", "lines", "filters"),
        "shape_mismatch",
        NODE,
        "Only zero batch or zero channel inputs are supported, but got input shape: [1, 2, 1, 0]",
    ),
    "a transposed convolution with deep filters": (
        program("nn.functional.conv_transpose1d", "x", "d64", output_padding=3),
        "shape_mismatch",
        NODE,
        "Expected 2D (unbatched) or 3D (batched) input to conv_transpose1d, but got input of size: [3]",
    ),
    # Custom functions.
    "a backward that receives an object": (
        functions(inputs=["grad_o", {}]),
        "undefined_name",
        "/functions/f/backward/inputs/1",
        "receive {}",
    ),
    "a gradient that is a list": (functions(outputs={"a": ["x"]}), "invalid_type", "/functions/f/backward/outputs/a", "but got a list"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_in_words(case: str) -> None:
    document, code, pointer, words = REFUSED[case]
    with pytest.raises(GradwireError) as caught:
        answer(document)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert words in caught.value.detail
    assert len(caught.value.detail) < 2_200
