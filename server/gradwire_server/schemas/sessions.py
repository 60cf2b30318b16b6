"""Requests and answers of the calls on sessions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .evaluate import Graph as Graph
from .tensor import Tensor, TensorAnswer

_FORBID = ConfigDict(extra="forbid")
_REFERENCE = "A name; `name.<k>` is one of several outputs, `name.grad` a gradient, `name.data` the same storage without history."

Reference = Annotated[str, Field(description=_REFERENCE)]


class SessionRequest(BaseModel):
    """What a new session is to be like."""

    model_config = _FORBID

    ttl_seconds: float = Field(default=600, gt=0, description="How long it is kept without being used. Every use starts the time over.")
    default_dtype: str = Field(default="float32", description="The dtype of floats that have none.")
    seed: int | None = Field(default=None, description="Where random operations start, for sessions that can be repeated.")


class SessionCreated(BaseModel):
    """A new session."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="What the other calls name it by. Whoever knows it, and has the key that made it, may use the session.")
    expires_at: str = Field(description="When it ends unless it is used.")
    seq: int = Field(description="The number of its last batch: 0.")
    version: str = Field(description="The version of Gradwire.")
    api: str = Field(description="The version of this interface.")
    ops: str = Field(description="A hash of all operations and their signatures.")


class SessionDescription(BaseModel):
    """A session as it stands."""

    model_config = ConfigDict(extra="allow")

    id: str
    created_at: str
    expires_at: str = Field(description="When it ends unless it is used.")
    ttl_seconds: float
    seq: int = Field(description="The number of its last batch.")
    default_dtype: str
    tensors: int = Field(description="The number of names.")
    bytes: int = Field(description="The memory that it takes: tensors, what is saved for backward, and the last answer.")
    suspensions: list[str] = Field(description="The backward passes that wait for an answer, the innermost last.")


class SessionPage(BaseModel):
    """Some of the sessions."""

    items: list[SessionDescription]
    next: str | None = Field(description="The `cursor` of the next page; null if this is the last.")


class Create(BaseModel):
    """Makes a tensor."""

    model_config = _FORBID

    do: Literal["create"]
    name: str = Field(description="What it will be called.")
    tensor: Tensor = Field(description="The tensor; or a reference, to give that tensor another name.")


class Operation(BaseModel):
    """Calls an operation."""

    model_config = _FORBID

    do: Literal["op"]
    name: str | list[str | None] | None = Field(
        default=None,
        description="What the result is called. An operation with several results has `name.0`, `name.1`, ..., or a list names each. "
        "An operation in place needs none.",
    )
    op: str = Field(
        description="PyTorch's name: `mul`, `nn.functional.relu`; in place the method's, `mul_`; `setitem` is x[index] = value."
    )
    args: list[Any] = Field(
        default_factory=list, description="Arguments in PyTorch's order. Where a tensor is expected a string is a reference."
    )
    kwargs: dict[str, Any] = Field(default_factory=dict, description="Arguments by name.")
    no_grad: bool = Field(default=False, description="Compute, but record nothing for gradients.")


class Backward(BaseModel):
    """Adds gradients to the tensors that a result was computed from."""

    model_config = _FORBID

    do: Literal["backward"]
    of: Reference | list[Reference]
    gradient: Tensor | list[Tensor | None] | None = Field(
        default=None, description="The gradient that arrives, or one for each; `null` is 1, for a scalar only."
    )
    retain_graph: bool | None = Field(default=None, description="Keep what was saved, for another backward; by default as `create_graph`.")
    create_graph: bool = Field(default=False, description="Record the walk, for derivatives of higher order.")
    inputs: Reference | list[Reference] | None = Field(default=None, description="Only these get gradients.")


class Grad(BaseModel):
    """Gives names to gradients, and adds them to nothing. The result says which of them there are."""

    model_config = _FORBID

    do: Literal["grad"]
    name: str | list[str | None]
    outputs: Reference | list[Reference]
    inputs: Reference | list[Reference]
    grad_outputs: Tensor | list[Tensor | None] | None = None
    retain_graph: bool | None = None
    create_graph: bool = False
    allow_unused: bool | None = None
    materialize_grads: bool = False


class Set(BaseModel):
    """Sets what a tensor has beside its values."""

    model_config = _FORBID

    do: Literal["set"]
    name: Reference
    requires_grad: bool | None = None
    grad: Reference | None = Field(default=None, description="The tensor that becomes the gradient; `null` takes the gradient away.")
    retain_grad: bool = Field(default=False, description="Keep the gradient of a tensor that was computed, too.")
    data: Reference | None = Field(default=None, description="The tensor whose values it takes over: `x.data = y`.")


class Read(BaseModel):
    """Gives the value of a tensor, its gradient, or what is known of it without its elements."""

    model_config = _FORBID

    do: Literal["read"]
    name: Reference
    what: list[Literal["value", "grad", "meta"]] = Field(default=["value"])


class Delete(BaseModel):
    """Takes names away."""

    model_config = _FORBID

    do: Literal["delete"]
    names: list[str]


class Seed(BaseModel):
    """Starts the random numbers anew."""

    model_config = _FORBID

    do: Literal["seed"]
    value: int


class DefaultDtype(BaseModel):
    """Sets the dtype of floats that have none."""

    model_config = _FORBID

    do: Literal["default_dtype"]
    value: str


class Function(BaseModel):
    """Makes tensors the outputs of a function whose backward runs in the client."""

    model_config = _FORBID

    do: Literal["function"]
    name: str | list[str | None] = Field(description="What the outputs are called from now on.")
    function: str = Field(description="Its name, which the grad_fn bears.")
    inputs: list[Reference | None] = Field(description="Its arguments; null for those that are no tensors.")
    outputs: list[Reference] = Field(description="What its forward made.")
    saved: list[Reference | None] = Field(default_factory=list, description="What its backward needs; it may not be overwritten before.")
    non_differentiable: list[Reference] = Field(default_factory=list)
    dirty: list[Reference] = Field(default_factory=list, description="The inputs that it wrote in place.")
    materialize_grads: bool = Field(default=True, description="Give zeros where no gradient arrived.")


class Hook(BaseModel):
    """Lets backward wait for the client where it passes a tensor or a node of the graph."""

    model_config = _FORBID

    do: Literal["hook"]
    name: str
    of: Reference
    kind: Literal["tensor", "post_accumulate", "node", "node_pre"]


class Unhook(BaseModel):
    """Takes hooks away."""

    model_config = _FORBID

    do: Literal["unhook"]
    names: list[str]


class Resume(BaseModel):
    """Answers a suspension; its result is that of the backward pass that waited, or the next suspension."""

    model_config = _FORBID

    do: Literal["resume"]
    suspension: str
    grads: list[Tensor | None] | None = Field(
        default=None,
        description="Of a function one for each input. Of a hook what takes the place of the gradients, `null` to leave them as they are.",
    )
    error: str | None = Field(default=None, description="In place of `grads`: the backward pass fails with this text.")


Instruction = Annotated[
    Create | Operation | Backward | Grad | Set | Read | Delete | Seed | DefaultDtype | Function | Hook | Unhook | Resume,
    Field(discriminator="do"),
]


class BatchRequest(BaseModel):
    """Instructions, carried out in order until one fails or waits."""

    model_config = _FORBID

    seq: int | None = Field(
        default=None,
        ge=1,
        description="One more than that of the last batch. The same number with the same instructions gets the last answer again and "
        "does nothing, so that a batch whose answer was lost can be sent once more. Without it the batch is the next one.",
    )
    instructions: list[Instruction]


class ReadResult(BaseModel):
    """What was read of a tensor."""

    model_config = ConfigDict(extra="allow")

    value: TensorAnswer | None = None
    grad: TensorAnswer | None = Field(default=None, description="The gradient; null if there is none.")
    meta: dict[str, Any] | None = Field(default=None, description="The tensor without `data`.")


class Suspended(BaseModel):
    """What the last instruction waits for; `resume` answers it."""

    model_config = ConfigDict(extra="allow")

    id: str
    instruction: int = Field(description="The number of the instruction that waits. Those behind it were not carried out.")
    kind: Literal["function", "tensor", "post_accumulate", "node", "node_pre"]
    function: str | None = Field(default=None, description="The function whose backward is wanted.")
    hook: str | None = Field(default=None, description="The hook that was reached.")
    of: str | None = Field(description="The name of the tensor that the function made, or that the hook is of.")
    grads: list[str | None] = Field(description="The names of the gradients that arrived, which live until the resume.")
    grad_inputs: list[str | None] | None = Field(default=None, description="For `node`: the names of the gradients that leave it.")
    needs_input_grad: list[bool] | None = Field(default=None, description="For a function: which of its inputs need a gradient.")
    create_graph: bool = Field(description="Whether what is done with the gradients is to be recorded.")
    expires_at: str = Field(description="When the backward pass is ended if it has no answer.")


class BatchAnswer(BaseModel):
    """What came of a batch."""

    model_config = ConfigDict(extra="allow")

    seq: int
    results: list[Any] = Field(description="One for each instruction: of `read` and `grad` an object, else null.")
    suspended: Suspended | None = Field(default=None, description="Only where the last instruction waits.")
