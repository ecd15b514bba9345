"""One served product for the tests of streams: it starts in seconds and serves them all."""

from __future__ import annotations

import itertools

import pytest

from tests.integration.missioncontrol.events.served import served

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def product(tmp_path_factory, broker, migrated):
    with served(tmp_path_factory.mktemp("served") / "installation", migrated) as product:
        yield product


@pytest.fixture
def mine() -> str:
    """A kind of event that no other test writes."""
    return f"test{next(_numbers)}"


@pytest.fixture
def member(product, mine):
    """The secret of a token of a payload member of its own."""
    return product.do(
        "account", username=f"member-{mine}", organisation="lab", roles=["payload_member"]
    )
