from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.api.paging import in_order
from missioncontrol.api.problems import InvalidInputError


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 7))
def test_pages_in_order_hold_every_item_once(names, limit):
    seen, cursor, pages = [], None, 0
    while True:
        page, cursor = in_order(names, name_of=str, cursor=cursor, limit=limit)
        assert len(page) <= limit
        seen += page
        pages += 1
        if cursor is None:
            break
    assert seen == names
    assert pages == max(1, -(-len(names) // limit))


def test_a_cursor_that_names_nothing_is_refused():
    with pytest.raises(InvalidInputError, match="'next' of the page before"):
        in_order(["a", "b"], name_of=str, cursor="c", limit=1)
