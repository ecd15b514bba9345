from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from ninja import Schema

from missioncontrol.api.conditions import etag_of, heed_condition, tagged, unchanged
from missioncontrol.api.fields import Instant
from missioncontrol.api.problems import (
    NotModifiedError,
    PreconditionFailedError,
    PreconditionRequiredError,
)

ETAG = '"0123456789abcdef"'


class Shown(Schema):
    name: str
    number: int
    at: Instant | None = None


def asked(method="get", **headers):
    return RequestFactory().generic(method.upper(), "/thing", headers=headers)


class TestEtag:
    @given(st.text(), st.integers(), st.text(), st.integers())
    def test_is_that_of_what_is_shown(self, name, number, other_name, other_number):
        one, other = Shown(name=name, number=number), Shown(name=other_name, number=other_number)
        assert (etag_of(one) == etag_of(other)) is (one == other)

    @given(st.text())
    def test_is_strong_and_needs_no_escape(self, name):
        etag = etag_of(Shown(name=name, number=1))
        assert etag[0] == etag[-1] == '"'
        assert etag[1:-1].isalnum()


class TestRead:
    @pytest.mark.parametrize("header", [ETAG, f"W/{ETAG}", "*", f'"a", {ETAG}', f' "a" ,{ETAG} '])
    def test_of_what_is_known_ends_here(self, header):
        with pytest.raises(NotModifiedError) as known:
            heed_condition(asked(**{"If-None-Match": header}), ETAG)
        assert known.value.etag == ETAG

    @pytest.mark.parametrize("header", ['"a"', "", "a", ETAG[:-1], ETAG.upper(), 'W/"a"'])
    def test_of_anything_else_goes_on(self, header):
        heed_condition(asked(**{"If-None-Match": header}), ETAG)

    @given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
    def test_goes_on_or_ends_whatever_is_sent(self, header):
        for name in ("If-Match", "If-None-Match"):
            with suppress(NotModifiedError, PreconditionFailedError):
                heed_condition(asked(**{name: header}), ETAG)

    def test_prefers_that_the_state_is_gone(self):
        """RFC 9110 section 13.2.2: If-Match comes first."""
        with pytest.raises(PreconditionFailedError):
            heed_condition(asked(**{"If-Match": '"a"', "If-None-Match": ETAG}), ETAG)

    def test_gives_what_is_shown_its_tag(self):
        response, shown = HttpResponse(), Shown(name="x", number=1)
        assert tagged(asked(), response, shown) is shown
        assert response["ETag"] == etag_of(shown)
        assert response["Cache-Control"] == "private, no-cache"


class TestChange:
    """Without locking, which takes a database."""

    @pytest.fixture(autouse=True)
    def _no_database(self, monkeypatch):
        monkeypatch.setattr("missioncontrol.api.conditions.transaction.atomic", nullcontext)

    class Rows:
        def select_for_update(self):
            return []

    def change(self, shown, *, demanded=True, **headers):
        request = asked("put", **headers)
        with unchanged(request, self.Rows(), lambda: shown, demanded=demanded):
            pass

    SHOWN = Shown(name="x", number=1)

    @pytest.mark.parametrize("header", [etag_of(SHOWN), "*", f'"a", {etag_of(SHOWN)}'])
    def test_of_what_was_seen_is_made(self, header):
        self.change(self.SHOWN, **{"If-Match": header})

    @pytest.mark.parametrize("header", ['"a"', f"W/{etag_of(SHOWN)}", "", "a"])
    def test_of_something_else_is_not(self, header):
        with pytest.raises(PreconditionFailedError, match="has changed since you read it"):
            self.change(self.SHOWN, **{"If-Match": header})

    def test_of_what_is_not_there_is_not(self):
        for header in ("*", '"a"'):
            with pytest.raises(PreconditionFailedError):
                self.change(None, **{"If-Match": header})

    def test_that_makes_something_is_made_once(self):
        self.change(None, **{"If-None-Match": "*"})
        with pytest.raises(PreconditionFailedError, match="It is there already"):
            self.change(self.SHOWN, **{"If-None-Match": "*"})

    @pytest.mark.parametrize("headers", [{}, {"If-None-Match": '"a"'}])
    def test_says_what_was_seen_where_that_is_demanded(self, headers):
        with pytest.raises(PreconditionRequiredError):
            self.change(self.SHOWN, **headers)
        self.change(self.SHOWN, demanded=False, **headers)
