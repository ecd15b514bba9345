from __future__ import annotations

import threading

import pytest

from missioncontrol.kernel import organisations
from missioncontrol.kernel.organisations import (
    EVERYBODY,
    NoOrganisationContextError,
    OrganisationContext,
    acting_for,
    acting_for_everybody,
    context_or_none,
    current_context,
    process_acts_for_everybody,
)


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    """As in a web process: nothing holds by itself, and nothing was said yet."""
    monkeypatch.setattr(organisations._Process, "default", None)
    token = organisations._said.set(None)
    yield
    organisations._said.reset(token)


class TestActingFor:
    def test_holds_inside_only(self):
        with acting_for([(1, "ours")]):
            assert current_context() == OrganisationContext(
                ids=frozenset({1}), slugs=frozenset({"ours"})
            )
        assert context_or_none() is None

    def test_gives_way_to_what_is_said_inside_and_comes_back(self):
        with acting_for([(1, "ours")]):
            with acting_for_everybody():
                assert current_context() is EVERYBODY
            assert current_context().ids == {1}

    def test_ends_with_an_error_too(self):
        with pytest.raises(ZeroDivisionError), acting_for_everybody():
            _ = 1 / 0
        assert context_or_none() is None

    def test_for_none_sees_nothing_which_is_not_the_same_as_not_saying(self):
        with acting_for([]):
            assert current_context() == OrganisationContext()


class TestNothingSaid:
    def test_is_refused(self):
        with pytest.raises(NoOrganisationContextError, match="not said to be for any"):
            current_context()

    def test_holds_in_a_thread_of_its_own(self):
        seen = []
        with acting_for_everybody():
            thread = threading.Thread(target=lambda: seen.append(context_or_none()))
            thread.start()
            thread.join()
        assert seen == [None]

    def test_is_never_so_in_a_process_that_serves_the_mission(self):
        process_acts_for_everybody()
        assert current_context() is EVERYBODY
        with acting_for([(1, "ours")]):
            assert not current_context().everybody
