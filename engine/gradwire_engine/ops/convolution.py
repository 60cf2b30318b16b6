"""Convolution in one to three dimensions, and its transpose.

A convolution is linear in its input and in its filters. The transpose in the input is the transposed convolution, and the
transposes of that are the convolution again and the gradient of the filters, so three linear maps carry derivatives of any order.
"""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError
from ..meta import Meta, Shape, dense
from ..op import op, ops
from ..params import Dims, Size, Tensor
from .supported import only
from .windows import Windows

_C_NAMES = {"float16": "c10::Half", "float32": "float", "float64": "double", "int64": "long int", "int32": "int"}


def _check(
    input: Any, weight: Any, bias: Any, stride: Shape, padding: Shape, dilation: Shape, transposed: bool, output_padding: Shape, groups: int
) -> None:
    have, filters = list(input.shape), list(weight.shape)
    if min(padding, default=0) < 0:
        raise TensorRuntimeError("negative padding is not supported")
    if min(output_padding, default=0) < 0:
        raise TensorRuntimeError("negative output_padding is not supported")
    if min(stride, default=1) <= 0:
        raise TensorRuntimeError("non-positive stride is not supported")
    if min(dilation, default=1) <= 0:
        raise TensorRuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups <= 0:
        raise TensorRuntimeError("non-positive groups is not supported")
    if len(have) != len(filters):
        n = len(filters)
        raise TensorRuntimeError(
            f"Expected {n}-dimensional input for {n}-dimensional weight {filters}, "
            f"but got {len(have)}-dimensional input of size {have} instead",
            code="shape_mismatch",
        )
    steps = (("stride", stride), ("padding", padding), ("dilation", dilation), ("output_padding", output_padding))
    for name, values in steps:
        if len(values) != len(filters) - 2:
            raise _wrong_length(name, values, len(filters) - 2)
    if filters[0] < groups:
        raise TensorRuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size {filters} instead",
            code="shape_mismatch",
        )
    if filters[0] % groups:
        raise TensorRuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{filters}] instead",
            code="shape_mismatch",
        )
    given = f"Given transposed=1, weight of size {filters}" if transposed else f"Given groups={groups}, weight of size {filters}"
    channels = filters[0] if transposed else filters[1] * groups
    if have[1] != channels:
        raise TensorRuntimeError(
            f"{given}, expected input{have} to have {channels} channels, but got {have[1]} channels instead", code="shape_mismatch"
        )
    outputs = filters[1] * groups if transposed else filters[0]
    if bias is not None and tuple(bias.shape) != (outputs,):
        given = given if transposed else f"Given weight of size {filters}"
        raise TensorRuntimeError(
            f"{given}, expected bias to be 1-dimensional with {outputs} elements, but got bias of size {list(bias.shape)} instead",
            code="shape_mismatch",
        )
    if 0 in have[2:] and 0 not in have[:2]:
        shown = [*have[:2], 1, *have[2:]] if len(have) == 3 else list(have)
        raise TensorRuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {shown}", code="shape_mismatch"
        )
    if not transposed:
        sizes = [s + 2 * p for s, p in zip(have[2:], padding, strict=True)]
        reach = [(k - 1) * d + 1 for k, d in zip(filters[2:], dilation, strict=True)]
        if any(s < r for s, r in zip(sizes, reach, strict=True)):
            texts = [" x ".join(map(str, values)) for values in (sizes, reach)]
            raise TensorRuntimeError(
                f"Calculated padded input size per channel: ({texts[0]}). Kernel size: ({texts[1]}). "
                "Kernel size can't be greater than actual input size",
                code="shape_mismatch",
            )
    if 0 in filters[2:]:
        raise TensorRuntimeError(f"kernel size should be greater than zero, but got {_by_side('kernel', tuple(filters[2:]), 1)}")
    _check_dtypes(input, weight, bias)


def _wrong_length(name: str, values: Shape, dims: int) -> TensorRuntimeError:
    return TensorRuntimeError(
        f"expected {name} to be a single integer value or a list of {dims} values to match the convolution dimensions, "
        f"but got {name}={list(values)}",
        code="shape_mismatch",
    )


def _check_dtypes(input: Any, weight: Any, bias: Any) -> None:
    only("iufc", "slow_conv2d_cpu")(input.dtype)
    if weight.dtype != input.dtype:
        names = dtype_of(input.dtype).torch_name, dtype_of(weight.dtype).torch_name
        raise TensorRuntimeError(f"expected scalar type {names[0]} but found {names[1]}", code="dtype_mismatch")
    if bias is not None and bias.dtype != input.dtype:
        kinds = [_C_NAMES.get(t.dtype.name, t.dtype.name) for t in (input, bias)]
        raise TensorRuntimeError(f"Input type ({kinds[0]}) and bias type ({kinds[1]}) should be the same", code="dtype_mismatch")


def _out_size(size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape) -> Shape:
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True))


def _in_size(size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, output_padding: Shape) -> Shape:
    each = zip(size, kernel, stride, padding, dilation, output_padding, strict=True)
    return tuple((n - 1) * s - 2 * p + d * (k - 1) + extra + 1 for n, k, s, p, d, extra in each)


def _meta(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
) -> Meta:
    _check(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    size, kernel = input.shape[2:], weight.shape[2:]
    if not transposed:
        return dense((input.shape[0], weight.shape[0], *_out_size(size, kernel, stride, padding, dilation)), input.dtype)
    out = _in_size(size, kernel, stride, padding, dilation, output_padding)
    if min(out, default=1) <= 0:
        sizes = [" x ".join(map(str, (1, *values) if len(values) == 1 else values)) for values in (size, out)]
        raise TensorRuntimeError(
            f"Given input size per channel: ({sizes[0]}). Calculated output size per channel: ({sizes[1]}). Output size is too small",
            code="shape_mismatch",
        )
    return dense((input.shape[0], weight.shape[1] * groups, *out), input.dtype)


def _toward_input(g: Any, weight: Any, size: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int) -> Any:
    """The transpose in the input, whose spatial sizes are ``size``."""
    zeros = (0,) * len(size)
    least = _in_size(tuple(g.shape[2:]), tuple(weight.shape[2:]), stride, padding, dilation, zeros)
    extra = tuple(n - m for n, m in zip(size, least, strict=True))
    return ops.convolution(g, weight, None, stride, padding, dilation, True, extra, groups)


def _toward_output(x: Any, weight: Any, size: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int) -> Any:
    """The convolution, cut to ``size``: with an output padding of a whole stride there are more windows than were asked for."""
    out = ops.convolution(x, weight, None, stride, padding, dilation, False, (0,) * len(size), groups)
    for axis, n in enumerate(size, 2):
        if out.shape[axis] != n:
            out = ops.narrow(out, axis, 0, n)
    return out


def _rule(
    g: Any, input: Any, weight: Any, stride: Shape, padding: Shape, dilation: Shape, transposed: bool, groups: int, needs: Any
) -> tuple[Any, ...]:
    how = (stride, padding, dilation, groups)
    size, kernel = tuple(input.shape[2:]), tuple(weight.shape[2:])
    past = through = shift = None
    if needs[0]:
        past = (_toward_output if transposed else _toward_input)(g, weight, size, *how)
    if needs[1]:
        through = ops._convolution_weight(*((input, g) if transposed else (g, input)), kernel, *how)
    if needs[2]:
        shift = ops.sum(g, (0, *range(2, len(input.shape))))
    return past, through, shift


def _scratch(
    input: Meta,
    weight: Meta,
    bias: Meta | None,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
) -> int:
    made = _meta(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    near, far = (made, input) if transposed else (input, made)
    windows = Windows(weight.shape[2:], stride, padding, dilation, groups)
    held = windows.scratch(near.shape, far.shape[1], far.shape[2:], input.dtype.itemsize)
    return held + (0 if bias is None else made.nbytes)


def _work(
    input: Meta,
    weight: Meta,
    bias: Meta | None,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
) -> int:
    made = _meta(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    near, far = (made, input) if transposed else (input, made)
    return Windows(weight.shape[2:], stride, padding, dilation, groups).work(near.shape, far.shape[1], far.shape[2:], input.dtype)


@op("convolution", method=False, meta=_meta, scratch=_scratch, work=_work, vjp={("input", "weight", "bias"): _rule}, batch="convolution")
def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size,
    dilation: Size,
    transposed: bool,
    output_padding: Size,
    groups: int,
) -> Array:
    """Cross-correlation of ``input`` (N, C, ...) with the filters ``weight`` (O, C / groups, ...), or its transpose."""
    size = _meta(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups).shape[2:]
    kernel = weight.shape[2:]
    windows = Windows(kernel, stride, padding, dilation, groups)
    out = windows.spread(input, weight, size) if transposed else windows.correlate(input, weight, size)
    return out if bias is None else out + bias.reshape(-1, *[1] * len(kernel))


def _weight_work(grad_output: Meta, input: Meta, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int) -> int:
    windows = Windows(kernel, stride, padding, dilation, groups)
    return windows.work(input.shape, grad_output.shape[1], grad_output.shape[2:], input.dtype)


def _weight_scratch(grad_output: Meta, input: Meta, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int) -> int:
    windows = Windows(kernel, stride, padding, dilation, groups)
    outputs, filters = grad_output.shape[1], input.shape[1] // groups * math.prod(kernel)
    held = windows.scratch(input.shape, outputs, grad_output.shape[2:], input.dtype.itemsize)
    return held + outputs * filters * input.dtype.itemsize


@op(
    "_convolution_weight",
    method=False,
    batch="convolution_weight",
    meta=lambda grad_output, input, kernel, groups: dense((grad_output.shape[1], input.shape[1] // groups, *kernel), input.dtype),
    scratch=_weight_scratch,
    work=_weight_work,
    vjp=dict(
        grad_output=lambda g, grad_output_meta, input, stride, padding, dilation, groups: _toward_output(
            input, g, grad_output_meta.shape[2:], stride, padding, dilation, groups
        ),
        input=lambda g, grad_output, input_meta, stride, padding, dilation, groups: _toward_input(
            grad_output, g, input_meta.shape[2:], stride, padding, dilation, groups
        ),
    ),
)
def convolution_weight(grad_output: Tensor, input: Tensor, kernel: Size, stride: Size, padding: Size, dilation: Size, groups: int) -> Array:
    """The transpose of a convolution of ``input`` in its filters, whose spatial sizes are ``kernel``."""
    return Windows(kernel, stride, padding, dilation, groups).weigh(grad_output, input)


def _expand(name: str, value: int | Shape, spatial: int, dims: int) -> Shape:
    """A parameter for each of ``dims`` dimensions of the filters; a number stands for the ``spatial`` ones of the function."""
    if dims < 1:
        raise TensorRuntimeError("weight should have at least three dimensions", code="shape_mismatch")
    values = (value,) * spatial if isinstance(value, int) else value
    if len(values) == 1:
        values = values * dims
    if len(values) != dims:
        raise _wrong_length(name, values, dims)
    return values


def _batched(input: Any, weight: Any, spatial: int, name: str, run: Any) -> Any:
    """Runs ``run`` on a batch, or on a batch of one where ``input`` has no batch dimension."""
    ndim = len(input.shape)
    if ndim not in (spatial + 1, spatial + 2):
        raise TensorRuntimeError(
            f"Expected {spatial + 1}D (unbatched) or {spatial + 2}D (batched) input to {name}, but got input of size: {list(input.shape)}",
            code="shape_mismatch",
        )
    return run(input) if ndim == spatial + 2 else ops.squeeze(run(ops.unsqueeze(input, 0)), 0)


def _declare(spatial: int) -> None:
    """Declares the convolutions over ``spatial`` dimensions."""
    name, transposed = f"conv{spatial}d", f"conv_transpose{spatial}d"

    @op(f"nn.functional.{name}", overload="default", aliases=(name,), composite=True, method=False)
    def conv(
        input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Dims = 1, padding: Dims = 0, dilation: Dims = 1, groups: int = 1
    ) -> Any:
        """Cross-correlation of ``input`` (N, C, ...) or (C, ...) with the filters ``weight`` (O, C / groups, ...).

        ``padding`` may also be ``"valid"`` (none) or ``"same"`` (as much as keeps the size).
        """
        dims = len(weight.shape) - 2
        steps = [_expand(n, v, spatial, dims) for n, v in (("stride", stride), ("padding", padding), ("dilation", dilation))]
        return _batched(input, weight, spatial, name, lambda x: ops.convolution(x, weight, bias, *steps, False, (0,) * dims, groups))

    @op(f"nn.functional.{name}", overload="padding", aliases=(name,), composite=True, method=False)
    def conv_padding(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Dims = 1,
        padding: str = "valid",
        dilation: Dims = 1,
        groups: int = 1,
    ) -> Any:
        """Cross-correlation with the padding ``"valid"`` (none) or ``"same"`` (as much as keeps the size)."""
        dims = len(weight.shape) - 2
        step, spread = _expand("stride", stride, spatial, dims), _expand("dilation", dilation, spatial, dims)
        if padding not in ("same", "valid"):
            raise TensorRuntimeError(f"Invalid padding string: '{padding}'")
        total = (0,) * dims
        if padding == "same":
            if any(s != 1 for s in step):
                raise TensorRuntimeError("padding='same' is not supported for strided convolutions")
            total = tuple(d * (k - 1) for d, k in zip(spread, weight.shape[2:], strict=True))

        def run(x: Any) -> Any:
            # What does not divide by two goes after the last element.
            odd = [v for t in reversed(total) for v in (0, t % 2)]
            x = ops.constant_pad_nd(x, odd) if any(odd) else x
            return ops.convolution(x, weight, bias, step, tuple(t // 2 for t in total), spread, False, (0,) * dims, groups)

        return _batched(input, weight, spatial, name, run)

    @op(f"nn.functional.{transposed}", aliases=(transposed,), composite=True, method=False)
    def conv_transpose(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Dims = 1,
        padding: Dims = 0,
        output_padding: Dims = 0,
        groups: int = 1,
        dilation: Dims = 1,
    ) -> Any:
        """The transpose of a convolution: ``input`` (N, C, ...) or (C, ...), ``weight`` (C, O / groups, ...)."""
        dims = len(weight.shape) - 2
        given = (("stride", stride), ("padding", padding), ("dilation", dilation), ("output_padding", output_padding))
        steps = [_expand(n, v, spatial, dims) for n, v in given]
        # A weight of other dimensions is refused below.
        for extra, step, gap in zip(steps[3], steps[0], steps[2], strict=True) if dims == spatial else ():
            if extra >= step and extra >= gap:
                listed = " ".join(
                    (_by_side("output_padding", steps[3], 0), _by_side("stride", steps[0], 1), _by_side("dilation", steps[2], 1))
                )
                raise TensorRuntimeError(f"output padding must be smaller than either stride or dilation, but got {listed}")
        return _batched(input, weight, spatial, transposed, lambda x: ops.convolution(x, weight, bias, *steps[:3], True, steps[3], groups))


def _by_side(name: str, values: Shape, fill: int) -> str:
    """``values`` as torch's messages list them; one spatial dimension counts as the width beside a height of ``fill``."""
    values = (fill, *values) if len(values) == 1 else values
    sides = ("depth", "height", "width")[-len(values) :]
    return " ".join(f"{name}_{side}: {v}" for side, v in zip(sides, values, strict=True))


for _spatial in (1, 2, 3):
    _declare(_spatial)
