"""Everything that can be configured. Each setting is also an environment variable: ``GRADWIRE_`` and its name in capitals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gradwire_engine.limits import Limits

from .keys import PREFIX, is_hash
from .services.functions.limits import FunctionLimits
from .services.sessions.limits import SessionLimits

_ENGINE = Limits()
_SESSIONS = SessionLimits()
_FUNCTIONS = FunctionLimits()


def available_cores() -> int:
    """The number of cores that this process may run on, which in a container is often fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Configuration of one server, read from the environment and overridden by keyword arguments."""

    model_config = SettingsConfigDict(env_prefix="GRADWIRE_", frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 is every IPv4 interface, :: every interface.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    workers: int = Field(
        default=1,
        ge=1,
        description="Number of processes. Limits on requests and threads hold for each process. More than one have no sessions, and "
        "functions only with a data_dir.",
    )
    data_dir: Path | None = Field(
        default=None, description="Directory for what the server keeps on disk; without one, nothing outlives the process."
    )

    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Hashes of the accepted API keys, sha256:<64 hexadecimal digits>, separated by commas. "
        "`python -m gradwire_server.keys` makes a key and its hash. Without any, every caller is let in.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins whose pages may call the server from a browser, separated by commas; * is any."
    )

    max_header_bytes: int = Field(default=64 * 2**10, ge=1, description="Size of a request's first line and headers, in bytes.")
    max_body_bytes: int = Field(default=64 * 2**20, ge=1, description="Size of a request body, in bytes, also decompressed.")
    bodies_bytes: int = Field(
        default=512 * 2**20,
        ge=1,
        description="Size of all request bodies that a process holds, in bytes; more are answered with status 503.",
    )
    json_values: int = Field(
        default=2**21,
        ge=1,
        description="Number of values and keys in a request body, every number in a list being one; all of a tensor in base64 is one.",
    )
    answer_bytes: int = Field(default=256 * 2**20, ge=1, description="Size of the body of an answer, in bytes.")
    tensor_bytes: int = Field(default=_ENGINE.tensor_bytes, ge=1, description="Size of any one tensor of a program, in bytes.")
    program_bytes: int = Field(default=_ENGINE.program_bytes, ge=1, description="Size of all tensors of a program together, in bytes.")
    nodes: int = Field(default=_ENGINE.nodes, ge=1, description="Number of nodes of a program, those of its custom functions included.")
    work: int = Field(
        default=_ENGINE.work, ge=1, description="Work of a program, in multiply-adds of matrices of floats that take the same time."
    )
    request_seconds: float = Field(
        default=30.0, gt=0, allow_inf_nan=False, description="Time that a request may take; a caller may ask for less by Request-Timeout."
    )
    header_seconds: float = Field(
        default=30.0, gt=0, allow_inf_nan=False, description="Time in which the first line and the headers of a request must arrive."
    )
    body_seconds: float = Field(default=30.0, gt=0, allow_inf_nan=False, description="Time in which the body of a request must arrive.")
    write_seconds: float = Field(
        default=60.0,
        gt=0,
        allow_inf_nan=False,
        description="Time after which an answer is broken off of which the caller took less than 64 KiB in it.",
    )
    requests_in_flight: int = Field(
        default=256, ge=1, description="Number of requests that a process works on at a time; more are answered with status 429."
    )
    compute_threads: int = Field(
        default_factory=available_cores, ge=1, description="Number of threads that compute; by default one for each core."
    )

    sessions: int = Field(default=_SESSIONS.sessions, ge=1, description="Number of sessions that a process keeps at a time.")
    session_tensors: int = Field(
        default=_SESSIONS.session_tensors, ge=1, description="Number of names in a session, for tensors and for hooks."
    )
    session_bytes: int = Field(
        default=_SESSIONS.session_bytes,
        ge=1,
        description="Memory of a session, in bytes: its tensors, what is saved for backward, and its last answer.",
    )
    sessions_bytes: int = Field(default=_SESSIONS.sessions_bytes, ge=1, description="Memory of all sessions together, in bytes.")
    batch_instructions: int = Field(default=_SESSIONS.batch_instructions, ge=1, description="Number of instructions in a batch.")
    session_queue: int = Field(
        default=_SESSIONS.session_queue, ge=0, description="Number of calls that wait for a session which is at work on another one."
    )
    session_ttl_seconds: float = Field(
        default=_SESSIONS.session_ttl_seconds,
        gt=0,
        le=10**9,
        allow_inf_nan=False,
        description="The longest time that a session may ask to be kept without being used.",
    )
    suspension_seconds: float = Field(
        default=_SESSIONS.suspension_seconds,
        gt=0,
        le=10**9,
        allow_inf_nan=False,
        description="Time for the answer to a function or a hook that runs in the client.",
    )

    functions: int = Field(default=_FUNCTIONS.functions, ge=1, description="Number of registered functions, all their versions counted.")
    functions_per_key: int = Field(
        default=_FUNCTIONS.owner_functions, ge=1, description="Number of those that were registered with the same API key, or without one."
    )
    function_bytes: int = Field(default=_FUNCTIONS.function_bytes, ge=1, description="Size of a registered function in JSON, in bytes.")
    functions_bytes: int = Field(default=_FUNCTIONS.functions_bytes, ge=1, description="Size of all of them together, in bytes.")

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe messages that are logged; probes are logged at debug."
    )
    log_format: Literal["json", "text"] = Field(default="json", description="One JSON object a line, or text for a person at a terminal.")
    drain_seconds: float = Field(
        default=35.0,
        ge=0,
        allow_inf_nan=False,
        description=(
            "Time that running requests are given to finish after SIGTERM; more than request_seconds, or the longest are cut short."
        ),
    )
    drain_delay_seconds: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Time after SIGTERM during which /readyz answers 503 while requests are still taken, "
        "so that a load balancer can look elsewhere first.",
    )
    keep_alive_seconds: int = Field(
        default=75, ge=1, description="Time after which an idle connection is closed; longer than that of the load balancer in front."
    )

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys")
    @classmethod
    def _only_hashes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        value = tuple(PREFIX + key.removeprefix(PREFIX).lower() if key.startswith(PREFIX) else key for key in value)
        for position, key in enumerate(value):
            if not is_hash(key):
                # The message must not repeat what was given: it may be the key itself, and messages end up in logs.
                raise ValueError(
                    f"API key number {position + 1} is not of the form sha256:<64 hexadecimal digits>. "
                    "Keys are configured by their hash: `python -m gradwire_server.keys` makes a key and its hash."
                )
        return value

    def limits(self) -> Limits:
        """The part of the settings that the engine checks."""
        return Limits(tensor_bytes=self.tensor_bytes, program_bytes=self.program_bytes, nodes=self.nodes, work=self.work)

    def function_limits(self) -> FunctionLimits:
        """The part of the settings that functions check."""
        return FunctionLimits(
            functions=self.functions,
            owner_functions=self.functions_per_key,
            function_bytes=self.function_bytes,
            functions_bytes=self.functions_bytes,
            program=self.limits(),
        )

    def session_limits(self) -> SessionLimits:
        """The part of the settings that sessions check."""
        return SessionLimits(
            sessions=self.sessions,
            session_tensors=self.session_tensors,
            session_bytes=self.session_bytes,
            sessions_bytes=self.sessions_bytes,
            program=self.limits(),
            batch_instructions=self.batch_instructions,
            session_queue=self.session_queue,
            session_ttl_seconds=self.session_ttl_seconds,
            suspension_seconds=self.suspension_seconds,
            answer_bytes=self.answer_bytes,
        )
