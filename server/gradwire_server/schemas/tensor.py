"""Tensors in JSON."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, RootModel

from gradwire_engine.safetensors import MEDIA_TYPE

BINARY: Final[dict[str, Any]] = {
    MEDIA_TYPE: {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": "A safetensors file. The entry `request` of its `__metadata__`, in an answer `response`, is the document "
            'as JSON, with `"tensor": name` in place of the `data` of a tensor; complex numbers are pairs in a trailing axis of 2.',
        }
    }
}
"""A body that has its tensors beside the document, as OpenAPI has it."""


class ComplexNumber(BaseModel):
    """A complex number on its own; a tensor of them has a complex `dtype`, and a pair `[re, im]` in place of each number."""

    model_config = ConfigDict(extra="forbid")

    complex: tuple[float, float] = Field(description="Real and imaginary part.")


class TensorObject(BaseModel):
    """A tensor with all that can be said about it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"data": [2.0, 3.0], "requires_grad": True}})

    data: Any = Field(
        default=None,
        description="A number, or lists of numbers nested as deep as the tensor has dimensions, with a pair `[re, im]` for each "
        "number of a complex dtype. Or else `base64`.",
    )
    base64: str | None = Field(
        default=None, description="The elements as little-endian bytes in row-major order; needs `dtype` and `shape`."
    )
    dtype: str | None = Field(
        default=None, description="`float32`, `float64`, `float16`, `int8` to `int64`, `uint8`, `bool`, `complex64` or `complex128`."
    )
    shape: list[int] | None = Field(default=None, description="The sizes; needed with `base64` and where a size is 0, else it must agree.")
    requires_grad: bool = Field(default=False, description="Whether gradients flow to this tensor.")


class Tensor(RootModel[float | bool | str | list[Any] | ComplexNumber | TensorObject]):
    """A number, a nested list, or an object. `"NaN"`, `"Infinity"` and `"-Infinity"` are numbers.

    Without a dtype PyTorch's rules hold: floats take the default dtype, whole numbers are int64, `true` and `false` are bool. With
    `requires_grad` whole numbers are floats too. Mind that JavaScript writes 1.0 as 1: give a `dtype` with what it sends.
    """


class TensorAnswer(BaseModel):
    """A tensor in an answer."""

    model_config = ConfigDict(extra="allow")

    data: Any = Field(default=None, description="The elements, as in a request. `base64` stands in its place with `?encoding=base64`.")
    base64: str = Field(default="", description="The elements as little-endian bytes in row-major order, with `?encoding=base64` only.")
    dtype: str = Field(description="The dtype, such as `float32`.")
    shape: list[int] = Field(description="The sizes; `[]` is a scalar.")
    requires_grad: bool = Field(description="Whether gradients flow through this tensor.")
    is_leaf: bool = Field(description="Whether it was given rather than computed from something that requires gradients.")
    grad_fn: str | None = Field(description="PyTorch's name for the backward step of the operation that made it.")
