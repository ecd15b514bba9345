from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.canonical import EntryError, canonical_entry, read_entry
from missioncontrol.audit.merkle.errors import FormatError

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda value: not (value.is_integer() and abs(value) >= 2**53)
    )
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ENTRIES = st.dictionaries(TEXT, VALUES, max_size=5)


class TestCanonicalEntry:
    def test_writes_the_example_of_rfc_8785(self):
        # RFC 8785 section 3.2.2, whose first number is written as 333333333.33333329.
        given_one = {
            "numbers": [333333333.33333329, 1e-27, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": '\u20ac$\u000f\nA\'B"\\\\"/',
            "literals": [None, True, False],
        }
        assert (
            canonical_entry(given_one)
            == (
                '{"literals":[null,true,false],"numbers":[333333333.3333333,1e-27,4.5,0.002,1e-27],'
                '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
            ).encode()
        )

    def test_orders_keys_by_utf_16_as_rfc_8785_section_3_2_3(self):
        keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
        ordered = json.loads(canonical_entry(dict.fromkeys(keys, 0)))
        assert list(ordered) == [
            "\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"
        ]  # fmt: skip

    @given(entry=ENTRIES)
    def test_reads_back_every_entry(self, entry):
        assert read_entry(canonical_entry(entry)) == entry

    @given(entry=ENTRIES)
    def test_has_one_spelling_whatever_the_order_of_keys(self, entry):
        shuffled = dict(reversed(entry.items()))
        assert canonical_entry(shuffled) == canonical_entry(entry)

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({"a": {"at": datetime(2026, 1, 1, tzinfo=UTC)}}, "/a/at is a datetime; write it as"),
            ({"a": [1, b"x"]}, "/a/1 is a bytes"),
            ({"a": 2**53}, "/a is an integer beyond 2"),
            ({"a": -(2**53)}, "/a is an integer beyond 2"),
            ({"a": 1e20}, "/a is a whole number beyond 2"),
            ({"a": float("nan")}, "/a is nan, which JSON lacks"),
            ({"a": float("inf")}, "/a is inf, which JSON lacks"),
            ({"a": "\ud800"}, "/a is not Unicode text"),
            ({"\ud800": 1}, r"has the key '\\ud800', which is not Unicode text"),
            ({1: 1}, "has the key 1, which is not a string"),
            ({"a": {None: 1}}, "/a has the key None"),
        ],
    )
    def test_names_the_place_of_what_has_no_json(self, entry, message):
        with pytest.raises(EntryError, match=message):
            canonical_entry(entry)

    @pytest.mark.parametrize("value", [[], "text", None, 7])
    def test_refuses_what_is_not_an_object(self, value):
        with pytest.raises(EntryError, match="The entry must be a JSON object, not a"):
            canonical_entry(value)

    def test_refuses_what_is_nested_too_deep_even_if_endless(self):
        endless = {}
        endless["a"] = endless
        with pytest.raises(EntryError, match="more than 32 levels deep"):
            canonical_entry(endless)

    def test_takes_32_levels_and_refuses_one_more(self):
        lists = []
        for _ in range(30):
            lists = [lists]
        assert canonical_entry({"a": lists})
        with pytest.raises(EntryError, match="more than 32 levels deep"):
            canonical_entry({"a": [lists]})

    def test_takes_65535_octets_and_refuses_one_more(self):
        frame = len(canonical_entry({"a": ""}))
        assert len(canonical_entry({"a": "x" * (65535 - frame)})) == 65535
        with pytest.raises(EntryError, match="has 65536 octets; the limit is 65535"):
            canonical_entry({"a": "x" * (65536 - frame)})


class TestReadEntry:
    @pytest.mark.parametrize(
        ("octets", "message"),
        [
            (b"", "not JSON"),
            (b"\xff", "not JSON"),
            (b"[" * 60_000, "not JSON"),
            (b"[]", "The entry is not a JSON object"),
            (b'{"a":1 }', "not in the canonical form"),
            (b'{"b":1,"a":1}', "not in the canonical form"),
            (b'{"a":1,"a":1}', "has the name 'a' twice"),
            (b'{"a":1.0}', "not in the canonical form"),
            (b'{"a":"\\u0041"}', "not in the canonical form"),
            (b'{"a":NaN}', "holds NaN, which JSON lacks"),
            (b'{"a":9007199254740993}', "integer beyond"),
            (b'{"a":"\\ud800"}', "not Unicode text"),
            (b'\xef\xbb\xbf{"a":1}', "not JSON"),
            (b"{" + b" " * 65535 + b"}", "has 65537 octets; the limit is 65535"),
        ],
    )
    def test_refuses_what_is_not_the_one_spelling_of_an_object(self, octets, message):
        with pytest.raises(FormatError, match=message):
            read_entry(octets)
