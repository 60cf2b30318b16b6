"""Request and answer of ``POST /v1/evaluate``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .tensor import Tensor, TensorAnswer

_FORBID = ConfigDict(extra="forbid")


class ProgramNode(BaseModel):
    """One operation of a program."""

    model_config = _FORBID

    name: str | list[str | None] = Field(
        description="What the result is called. An operation with several results has `name.0`, `name.1`, ..., or a list names each."
    )
    op: str = Field(description="PyTorch's name: `mul`, `sum`, `nn.functional.relu`, `linalg.inv`; or `functions.<name>`.")
    args: list[Any] = Field(
        default_factory=list,
        description="Arguments in PyTorch's order. Where a tensor is expected a string is the name of an input or of an earlier node.",
    )
    kwargs: dict[str, Any] = Field(default_factory=dict, description="Arguments by name.")
    no_grad: bool = Field(default=False, description="Compute, but record nothing for gradients.")


class FunctionForward(BaseModel):
    """How a custom function computes."""

    model_config = _FORBID

    inputs: list[str]
    nodes: list[ProgramNode] = []
    program: str = Field(default="", description="In place of `nodes`: the same as text.")
    outputs: list[str]


class FunctionBackward(BaseModel):
    """How a custom function propagates gradients."""

    model_config = _FORBID

    inputs: list[str] = Field(description="`grad_<output>` for each output, and whatever is in `save`.")
    nodes: list[ProgramNode] = []
    program: str = Field(default="", description="In place of `nodes`: the same as text.")
    outputs: dict[str, str | None] = Field(description="For each input the name of its gradient, or null.")


class FunctionJvp(BaseModel):
    """How a custom function propagates tangents: forward mode."""

    model_config = _FORBID

    inputs: list[str] = Field(description="`tangent_<input>` for each input, and whatever is in `save`.")
    nodes: list[ProgramNode] = []
    program: str = Field(default="", description="In place of `nodes`: the same as text.")
    outputs: dict[str, str | None] = Field(description="For each output the name of its tangent, or null.")


class CustomFunction(BaseModel):
    """A function with a gradient of its own, like `torch.autograd.Function`."""

    model_config = _FORBID

    forward: FunctionForward
    save: list[str] = Field(default_factory=list, description="Inputs and outputs that the backward program needs.")
    backward: FunctionBackward
    jvp: FunctionJvp | None = Field(default=None, description="Needed for derivatives along tangents, which are refused without it.")


class EvaluateRequest(BaseModel):
    """A program, and what is wanted of it."""

    model_config = _FORBID

    inputs: dict[str, Tensor] = Field(default_factory=dict, description="The tensors that the program starts from, by name.")
    nodes: list[ProgramNode] = Field(default_factory=list, description="The operations, each using only what comes before it.")
    program: str = Field(
        default="",
        description="In place of `nodes`: the same as text, in PyTorch's Python: assignments such as `y = x * 2`, each in a line.",
    )
    outputs: list[str] = Field(description="The names whose values are answered; of a text, its variables.")
    functions: dict[str, CustomFunction] = Field(default_factory=dict, description="Custom functions, called as `functions.<name>`.")
    backward: str | list[str] | dict[str, Tensor | None] | None = Field(
        default=None,
        description="Where gradients start: an output, several, or each with the gradient that arrives there "
        "(`null` is 1, for a scalar only). Without it no gradients are computed.",
    )
    wrt: list[str] | None = Field(
        default=None,
        description="What gradients are taken with respect to; by default every input with `requires_grad`. Nodes may be named.",
    )
    create_graph: bool = Field(default=False, description="Record the backward walk too, so that the gradients have a grad_fn.")
    seed: int | None = Field(default=None, description="Where random operations start, for answers that can be repeated.")
    default_dtype: str = Field(default="float32", description="The dtype of floats that have none.")
    include: list[Literal["graph"]] = Field(default_factory=list, description='What else to answer: `["graph"]`, the recorded graph.')


class GraphOutput(BaseModel):
    """One result of a node."""

    shape: list[int]
    dtype: str


class GraphNode(BaseModel):
    """One step of the backward walk."""

    model_config = ConfigDict(extra="allow")

    id: Any = Field(description="What edges call it.")
    grad_fn: str = Field(description="PyTorch's name, such as `MulBackward0`; `AccumulateGrad` is a leaf.")
    op: str | None = Field(description="The operation that recorded it.")
    name: str | None = Field(description="The name in the program.")
    outputs: list[GraphOutput]


class GraphEdge(BaseModel):
    """A gradient's way from one step to the next."""

    model_config = ConfigDict(populate_by_name=True, extra="allow")

    from_: Any = Field(alias="from", description="The node whose result is used.")
    output: int = Field(description="Which of its results.")
    to: Any = Field(description="The node that uses it.")
    input: int = Field(description="As which of its inputs.")


class Graph(BaseModel):
    """The graph that was recorded for gradients."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]


class EvaluateAnswer(BaseModel):
    """Values and gradients."""

    model_config = ConfigDict(extra="allow")

    outputs: dict[str, TensorAnswer] = Field(description="The value of each output.")
    grads: dict[str, TensorAnswer | None] = Field(
        default={}, description="The gradients, where `backward` asked for them; null if none arrived."
    )
    graph: Graph | None = Field(default=None, description="The recorded graph, where `include` asked for it.")
