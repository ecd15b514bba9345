from __future__ import annotations

import re

from missioncontrol.api.rate_limits import Quota, QuotaState, Spent
from missioncontrol.env import Rate

# RFC 9651: a String with parameters whose values are Integers.
ITEM = re.compile(r'"([a-z-]+)"((?:;[a-z]+=\d{1,15})+)')


def state(policy, *, remaining, reset_s=42, exceeded=False):
    quota = Quota(policy=policy, whose="1", rate=Rate(600, 60))
    return QuotaState(quota=quota, remaining=remaining, reset_s=reset_s, exceeded=exceeded)


def items(field):
    """Read a structured List, strictly."""
    parsed = {}
    for item in field.split(", "):
        match = ITEM.fullmatch(item)
        assert match, item
        parsed[match[1]] = dict(part.split("=") for part in match[2][1:].split(";"))
    return parsed


def test_the_header_fields_are_structured_lists():
    spent = Spent([state("token", remaining=599), state("organisation", remaining=0)])
    assert items(spent.headers["RateLimit-Policy"]) == {
        "token": {"q": "600", "w": "60"},
        "organisation": {"q": "600", "w": "60"},
    }
    assert items(spent.headers["RateLimit"]) == {
        "token": {"r": "599", "t": "42"},
        "organisation": {"r": "0", "t": "42"},
    }


def test_the_last_request_of_a_window_exceeds_nothing():
    assert Spent([state("token", remaining=0)]).exceeded is None


def test_the_first_quota_that_is_exceeded_is_told():
    over = state("token", remaining=0, exceeded=True)
    assert Spent([state("other", remaining=3), over]).exceeded is over
