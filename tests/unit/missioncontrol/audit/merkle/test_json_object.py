from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.json_object import read_object
from missioncontrol.audit.merkle.tiles import MAX_ENTRY_OCTETS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


class TestReadObject:
    @given(value=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), VALUES))
    def test_reads_what_any_program_wrote(self, value):
        for octets in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
            try:
                encoded = octets.encode()
            except UnicodeEncodeError:  # a lone surrogate, which only the escaped form can carry
                continue
            assert read_object(encoded, what="It") == value

    @pytest.mark.parametrize(
        ("octets", "text"),
        [
            (b"", "It is not JSON"),
            (b"{} {}", "It is not JSON"),
            (b"\xff", "It is not JSON"),
            (b"[" * 100_000, "the limit is 65535"),
            (b"[" * 60_000, "It is not JSON"),
            (b"3", "It is not a JSON object"),
            (b'{"a":{"b":1,"b":1}}', "It has the name 'b' twice"),
            (b'{"a":[Infinity]}', "It holds Infinity, which JSON lacks"),
            (b'{"a":-Infinity}', "It holds -Infinity"),
        ],
    )
    def test_says_what_is_wrong(self, octets, text):
        with pytest.raises(FormatError, match=text):
            read_object(octets, what="It")

    def test_takes_as_much_as_an_entry_holds(self):
        octets = b'{"a":"%s"}' % (b"x" * (MAX_ENTRY_OCTETS - 8))
        assert len(octets) == MAX_ENTRY_OCTETS
        assert read_object(octets, what="It")["a"][0] == "x"
