"""What all tests share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from gradwire.connection import Connection
from gradwire.http import HttpTransport
from gradwire.local import LocalTransport
from scripts.running import running_server

# The comparison with PyTorch needs PyTorch, which nothing else does.
HAS_TORCH = importlib.util.find_spec("torch") is not None
collect_ignore = [] if HAS_TORCH else ["parity"]


def pytest_report_header() -> list[str]:
    """Says so when the comparison with PyTorch is left out."""
    return [] if HAS_TORCH else ["torch is not installed: tests/parity is left out"]


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of a server in a process of its own, with default settings."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session", params=["local", "http"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """The client's way to services in this process, then to a server in another: a test enters it, and tensors live there."""
    transport = LocalTransport() if request.param == "local" else HttpTransport(request.getfixturevalue("server_url"))
    opened = Connection(transport)
    yield opened
    opened.close()
