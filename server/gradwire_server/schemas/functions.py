"""Requests and answers of the calls about functions."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from gradwire_engine.optimisers import OPTIMISERS

from .evaluate import CustomFunction, ProgramNode
from .tensor import Tensor, TensorAnswer

_FORBID = ConfigDict(extra="forbid")
_ALLOW = ConfigDict(extra="allow")


class InputDeclaration(BaseModel):
    """What an input is."""

    model_config = _FORBID

    dtype: str = Field(description="Its dtype, which numbers and lists take.")
    shape: list[int | str] = Field(description="Its sizes, numbers or names; `[]` is a scalar.")
    default: Tensor | None = Field(default=None, description="What stands for it in calls that leave it out.")


class FunctionRequest(BaseModel):
    """A function."""

    model_config = _FORBID

    inputs: dict[str, InputDeclaration] = Field(description="The inputs by name.")
    nodes: list[ProgramNode] = Field(default_factory=list, description="The operations, as in `POST /v1/evaluate`.")
    program: str = Field(default="", description="In place of `nodes`: the same as text, in PyTorch's Python.")
    outputs: list[str] = Field(description="The names of the values that it gives; of a text, its variables.")
    functions: dict[str, CustomFunction] = Field(default_factory=dict, description="Custom functions, called as `functions.<name>`.")
    description: str | None = Field(default=None, description="What it is for.")
    default_dtype: str | None = Field(default=None, description="The dtype of floats that have none; `float32` if left out.")


class DescribedInput(BaseModel):
    """What an input is."""

    model_config = _ALLOW

    dtype: str
    shape: list[int | str]


class DescribedOutput(BaseModel):
    """What is known of an output before a call."""

    dtype: str
    shape: list[int | str | None] = Field(description="Its sizes: numbers, names, or null where they depend on those in another way.")


class FunctionDescription(BaseModel):
    """A registered function."""

    model_config = _ALLOW

    name: str
    hash: str = Field(description="The identity of this version, which depends on its inputs, its program and its outputs alone.")
    version: str = Field(description="By which this version can be called, whatever the current one is: `name@hash`.")
    signature: str = Field(description="Its inputs and outputs in one line.")
    description: str
    inputs: dict[str, DescribedInput]
    outputs: dict[str, DescribedOutput]
    created_at: str = Field(description="When this version was registered first.")


class FunctionVersion(BaseModel):
    """One version of a function."""

    hash: str
    created_at: str


class FunctionWithDocument(FunctionDescription):
    """A registered function, and what it was registered as."""

    function: dict[str, Any] = Field(description="What was put.")
    versions: list[FunctionVersion] = Field(description="All its versions, the oldest first.")


class FunctionPage(BaseModel):
    """Some of the functions."""

    items: list[FunctionDescription]
    next: str | None = Field(description="The `cursor` of the next page; null if this is the last.")


_OUTPUT: Final = Field(default=None, description="The output that is differentiated; needed if there are several.")
_WRT: Final = Field(default=None, description="The inputs by which; by default all that are floating point.")
_OUTPUTS: Final = Field(default=None, description="The outputs that are answered; by default all.")
_GRAD_OUTPUTS: Final = "The gradients of outputs, of their dtypes and shapes; null is 1, for a scalar only. One that is left out is 0."
_TANGENTS: Final = "The tangents of inputs, of their dtypes and shapes. One that is left out is 0."
_VECTORS: Final = (
    "For inputs a vector of their shape, or a stack of them with one dimension more: in front or, for an input in `batch`, behind the "
    "dimension of the batch. One that is left out is 0."
)


class _Run(BaseModel):
    model_config = _FORBID

    inputs: dict[str, Tensor] = Field(default_factory=dict, description="The inputs by name, of the declared dtypes and shapes.")
    seed: int | None = Field(default=None, description="Where random operations start, for answers that can be repeated.")


class _Call(_Run):
    batch: list[str] | None = Field(
        default=None, description="Inputs that have an axis in front of the declared ones: the call is made for every item, all at once."
    )
    randomness: str | None = Field(
        default=None, description="With `batch`, whether random operations draw the `same` for all items or `different`; else an `error`."
    )


class EvaluateCall(_Call):
    """A call."""

    outputs: list[str] | None = _OUTPUTS


class ValueAndGradCall(_Call):
    """A call for a value and its gradients."""

    output: str | None = _OUTPUT
    wrt: list[str] | None = _WRT


class VjpCall(_Call):
    """A call for gradients that start from given ones."""

    grad_outputs: dict[str, Tensor | None] = Field(description=_GRAD_OUTPUTS)
    outputs: list[str] | None = _OUTPUTS
    wrt: list[str] | None = _WRT


class JvpCall(_Call):
    """A call for derivatives along tangents."""

    tangents: dict[str, Tensor] = Field(description=_TANGENTS)
    outputs: list[str] | None = _OUTPUTS


class JacobianCall(_Call):
    """A call for the derivatives of outputs by inputs."""

    outputs: list[str] | None = _OUTPUTS
    wrt: list[str] | None = _WRT


class HessianCall(_Call):
    """A call for second derivatives."""

    output: str | None = _OUTPUT
    wrt: list[str] | None = _WRT


class HvpCall(_Call):
    """A call for products of the Hessian with vectors."""

    vectors: dict[str, Tensor] = Field(description=_VECTORS)
    output: str | None = _OUTPUT
    wrt: list[str] | None = _WRT


class ComputeCall(_Call):
    """A call for several things at once."""

    want: list[str] = Field(
        description="Some of `value`, `outputs`, `grads`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`; the answer has all of their parts. "
        "`vjp` cannot be asked for with `grads`, `hessian` or `hvp`, whose gradients would have the same place in the answer."
    )
    output: str | None = _OUTPUT
    outputs: list[str] | None = _OUTPUTS
    wrt: list[str] | None = _WRT
    grad_outputs: dict[str, Tensor | None] | None = Field(default=None, description=f"For `vjp`. {_GRAD_OUTPUTS}")
    tangents: dict[str, Tensor] | None = Field(default=None, description=f"For `jvp`. {_TANGENTS}")
    vectors: dict[str, Tensor] | None = Field(default=None, description=f"For `hvp`. {_VECTORS}")


class GradcheckCall(_Run):
    """A comparison of gradients with differences."""

    outputs: list[str] | None = Field(default=None, description="The outputs that are differentiated; by default all.")
    wrt: list[str] | None = Field(default=None, description="The inputs by which, of float64 or complex128; by default all floating ones.")
    eps: float = Field(default=1e-6, gt=0, description="The step.")
    atol: float = Field(default=1e-5, gt=0, description="The absolute tolerance.")
    rtol: float = Field(default=1e-3, gt=0, description="The relative tolerance.")


class NanCheckCall(_Run):
    """A search for a NaN."""

    output: str | None = Field(default=None, description="A scalar output whose gradients are looked at too.")
    wrt: list[str] | None = Field(default=None, description="With `output`: the inputs by which it is differentiated.")


class MinimizeCall(_Run):
    """A search for the inputs at which a function is smallest."""

    output: str | None = Field(default=None, description="The scalar output that is minimised; needed if there are several.")
    wrt: list[str] | None = Field(default=None, description="The inputs that vary; by default all that are floating point.")
    method: str | None = Field(default=None, description=f"The method, by SciPy's name: {', '.join(OPTIMISERS)}. The first if left out.")
    bounds: dict[str, list[Tensor | None] | None] | None = Field(
        default=None,
        description="For inputs that vary: the smallest and the largest that they may be, each a number for all elements, a tensor of the "
        f"input's shape, or null. {', '.join(method.name for method in OPTIMISERS.values() if method.bounds)} take them.",
    )
    options: dict[str, float] | None = Field(
        default=None,
        description="Options of the method, as SciPy has them: "
        + "; ".join(f"{method.name}: {', '.join(method.options)}" for method in OPTIMISERS.values())
        + ".",
    )


class CallAnswer(BaseModel):
    """Values."""

    model_config = _ALLOW

    outputs: dict[str, TensorAnswer]


class ValueAndGradAnswer(BaseModel):
    """A value and its gradients."""

    model_config = _ALLOW

    value: TensorAnswer
    grads: dict[str, TensorAnswer]


class VjpAnswer(BaseModel):
    """Values, and gradients for what was given."""

    model_config = _ALLOW

    outputs: dict[str, TensorAnswer]
    grads: dict[str, TensorAnswer]


class JvpAnswer(BaseModel):
    """Values, and derivatives along the tangents."""

    model_config = _ALLOW

    outputs: dict[str, TensorAnswer]
    tangents: dict[str, TensorAnswer]


class JacobianAnswer(BaseModel):
    """Values and Jacobians."""

    model_config = _ALLOW

    outputs: dict[str, TensorAnswer]
    jacobian: dict[str, dict[str, TensorAnswer]] = Field(
        description="By output and by input, of the shape of the output followed by that of the input."
    )


class HessianAnswer(ValueAndGradAnswer):
    """A value, its gradients and its Hessian."""

    hessian: dict[str, dict[str, TensorAnswer]] = Field(description="By two inputs, of the shape of the one followed by that of the other.")


class HvpAnswer(ValueAndGradAnswer):
    """A value, its gradients and products of its Hessian."""

    hvps: dict[str, TensorAnswer] = Field(description="By input, of the shapes of the vectors.")


class ComputeAnswer(BaseModel):
    """What was asked for."""

    model_config = _ALLOW

    value: TensorAnswer | None = None
    outputs: dict[str, TensorAnswer] | None = None
    grads: dict[str, TensorAnswer] | None = None
    tangents: dict[str, TensorAnswer] | None = None
    jacobian: dict[str, dict[str, TensorAnswer]] | None = None
    hessian: dict[str, dict[str, TensorAnswer]] | None = None
    hvps: dict[str, TensorAnswer] | None = None


class GradcheckAnswer(BaseModel):
    """Whether gradients and differences agree."""

    model_config = _ALLOW

    ok: bool
    detail: str | None = Field(description="PyTorch's message where they do not: which output, by which input, and both derivatives.")


class FoundNan(BaseModel):
    """The first NaN."""

    model_config = _ALLOW

    where: str = Field(description="In an `input`, in the result of a node (`value`), or in the `gradient` that arrives at one of those.")
    name: str = Field(description="The name of the input or of the result.")
    op: str | None = Field(description="The operation that gave the result; null for an input.")
    pointer: str = Field(description="A JSON pointer to the node, or the input, in the function.")
    shape: list[int]
    count: int = Field(description="How many elements are NaN.")
    line: int = Field(default=0, description="Of a program as text: the line.")
    column: int = Field(default=0, description="With `line`: the character in it.")


class NanCheckAnswer(BaseModel):
    """What was found."""

    model_config = _ALLOW

    ok: bool = Field(description="Whether there is no NaN.")
    found: FoundNan | None


class MinimizeAnswer(BaseModel):
    """Where a search ended."""

    model_config = _ALLOW

    inputs: dict[str, TensorAnswer] = Field(description="The inputs that varied, as they are now.")
    value: TensorAnswer
    grads: dict[str, TensorAnswer]
    success: bool = Field(description="Whether the method takes this for a minimum.")
    message: str = Field(description="Why the search ended.")
    iterations: int
    evaluations: int = Field(description="How many times the value and its gradients were computed.")
