"""Answers of the calls that describe the server."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ServerLimits(BaseModel):
    """What one request, and all of them together, may ask of a process."""

    header_bytes: int = Field(description="Size of a request's first line and headers.")
    body_bytes: int = Field(description="Size of a request body.")
    json_values: int = Field(description="Number of values and keys in a request body; all of a tensor in base64 is one.")
    answer_bytes: int = Field(description="Size of the body of an answer.")
    tensor_bytes: int = Field(description="Size of any one tensor.")
    program_bytes: int = Field(description="Size of all tensors of a program together.")
    nodes: int = Field(description="Number of nodes of a program.")
    work: int = Field(description="Work of a program, in multiply-adds of matrices of floats that take the same time.")
    request_seconds: float = Field(description="Time that a request may take; `Request-Timeout` asks for less.")
    body_seconds: float = Field(description="Time in which a request body must arrive.")
    requests_in_flight: int = Field(description="Number of requests worked on at a time.")
    sessions: int = Field(description="Number of sessions at a time.")
    session_tensors: int = Field(description="Number of names in a session.")
    session_bytes: int = Field(description="Memory of a session: its tensors, what is saved for backward, and its last answer.")
    sessions_bytes: int = Field(description="Memory of all sessions together.")
    batch_instructions: int = Field(description="Number of instructions in a batch.")
    session_queue: int = Field(description="Number of calls that wait for a session which is at work on another one.")
    session_ttl_seconds: float = Field(description="The longest time that a session may ask to be kept without being used.")
    suspension_seconds: float = Field(description="Time for the answer to a function or a hook that runs in the client.")
    functions: int = Field(description="Number of registered functions, all their versions counted.")
    functions_per_key: int = Field(description="Number of those that were registered with the same API key, or without one.")
    function_bytes: int = Field(description="Size of a registered function in JSON.")
    functions_bytes: int = Field(description="Size of all of them together.")
    compute_threads: int = Field(description="Number of threads that compute.")


class Info(BaseModel):
    """Which server this is."""

    version: str = Field(description="The version of Gradwire.")
    api: str = Field(description="The version of this interface.")
    ops: str = Field(description="A hash of all operations and their signatures; two servers with the same one take the same programs.")
    limits: ServerLimits


class Status(BaseModel):
    """The answer of a probe."""

    status: str


class OpParameter(BaseModel):
    """One parameter of an operation."""

    name: str
    type: str = Field(description="`Tensor`, `Tensor | None` and `list[Tensor]` take tensors; everything else is given as it stands.")
    keyword_only: bool
    required: bool
    default: Any = Field(default=None, description="The value without one, unless it is required.")


class OpOverload(BaseModel):
    """One form of an operation, by the kinds of its arguments."""

    model_config = ConfigDict(extra="allow")

    overload: str = Field(description="PyTorch's name of the overload, such as `Tensor_Scalar`; empty if there is only one.")
    signature: str
    parameters: list[OpParameter]
    outputs: Any = Field(description="The names of the results, their number, or `list` where it depends on the arguments.")
    differentiable: list[str] | None = Field(description="The arguments that have a gradient; null where that of its parts decides.")
    grad_fn: str | None = Field(description="What the result's grad_fn is called; null where its parts have theirs.")
    composite: bool = Field(description="Whether it is made of other operations.")
    view: bool = Field(description="Whether the result shares the memory of an argument.")
    random: bool = Field(description="Whether it draws random numbers.")
    data_dependent_shape: bool = Field(description="Whether the result's shape depends on the values of the arguments.")


class OpDescription(BaseModel):
    """One operation."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(description="PyTorch's name.")
    doc: str = Field(description="What it computes.")
    alias_of: str | None = Field(description="The operation of which this is another name.")
    overloads: list[OpOverload]


class OpPage(BaseModel):
    """Some of the operations."""

    items: list[OpDescription]
    next: str | None = Field(description="The `cursor` of the next page; null if this is the last.")
