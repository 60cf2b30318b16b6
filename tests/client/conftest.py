"""The two ways to the services, which every test that asks for ``transport`` or ``client`` goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradwire.api import Client
from gradwire.http import HttpTransport
from gradwire.local import LocalTransport
from gradwire.transport import Transport


@pytest.fixture(params=["http", "local"])
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    """A transport to a server, and one to the services in this process."""
    made: Transport = HttpTransport(request.getfixturevalue("server_url")) if request.param == "http" else LocalTransport()
    yield made
    made.close()


@pytest.fixture
def client(transport: Transport) -> Client:
    """A client over each transport."""
    return Client(transport=transport)
