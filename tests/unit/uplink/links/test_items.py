from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uplink.links.items import Item, ItemKind, decode_item

items = st.builds(
    Item,
    kind=st.sampled_from(ItemKind),
    number=st.integers(0, 2**28 - 1),
    epoch=st.integers(0, 4095),
    attempt=st.integers(0, 4095),
)


class TestItem:
    @given(item=items)
    def test_comes_back_from_its_number(self, item):
        assert decode_item(item.encode()) == item

    @given(first=items, second=items)
    def test_has_a_number_of_its_own(self, first, second):
        assert (first.encode() == second.encode()) == (first == second)

    @given(item=items)
    def test_stays_exact_in_every_json_reader(self, item):
        assert item.encode() < 2**53

    def test_refuses_a_number_that_does_not_fit(self):
        with pytest.raises(ValueError, match="item 268435456 is outside 0 to 268435455"):
            Item(kind=ItemKind.FILE, number=2**28, epoch=1).encode()

    @given(value=st.integers(min_value=2**53, max_value=2**64 - 1))
    def test_is_not_read_into_what_is_none_of_ours(self, value):
        assert decode_item(value) is None
