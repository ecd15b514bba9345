from __future__ import annotations

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.archive import ArchiveDamagedError
from telemetry.archive.clickhouse.samples import samples_of, table_of
from telemetry.archive.merging import Rows

_DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "V1", "V5", ">u2"]


def rows(columns: dict[str, np.ndarray]) -> Rows:
    count = len(next(iter(columns.values())))
    return Rows(np.arange(count), np.arange(count, dtype=np.uint16), columns)


def answered(table: pyarrow.Table, parameter: str) -> pyarrow.Table:
    """What the server gives of one parameter: names are no dictionary any more."""
    names = table["parameter"].cast(pyarrow.string())
    found = table.filter(pyarrow.compute.equal(names, parameter))
    kinds = found["dtype"].cast(pyarrow.string()).cast(pyarrow.binary())
    return found.set_column(found.column_names.index("dtype"), "dtype", kinds)


class TestTable:
    @given(octets=st.binary(max_size=160), kinds=st.sets(st.sampled_from(_DTYPES), min_size=1))
    def test_gives_every_value_back_bit_for_bit(self, octets, kinds):
        columns = {}
        for kind in sorted(kinds):
            width = np.dtype(kind).itemsize
            columns[kind] = np.frombuffer(octets[:160][: len(octets) // 8 * width], dtype=kind)
        count = min(map(len, columns.values()))
        if not count:
            return
        columns = {name: column[:count] for name, column in columns.items()}
        table = table_of(7, [("DD-1", "Power", rows(columns))])
        assert set(table["edition"].to_pylist()) == {7}
        for name, column in columns.items():
            found = samples_of(answered(table, name), name)
            assert found.times_us.tolist() == list(range(count))
            assert found.values.dtype == column.dtype.newbyteorder("<")
            assert found.values.astype(column.dtype).tobytes() == column.tobytes()

    def test_joins_types_in_the_order_of_rows(self):
        table = table_of(
            1,
            [
                ("DD-1", "Power", rows({"VOLT": np.array([200], "u1")})),
                ("DD-1", "Power", rows({"VOLT": np.array([60_000, 7], "u2")})),
            ],
        )
        found = samples_of(answered(table, "VOLT"), "VOLT")
        # What came first stands last: of equal rows in one insert the last one stays.
        assert found.values.tolist() == [60_000, 7, 200]
        assert found.values.dtype == np.uint16

    def test_refuses_octets_that_do_not_fit_their_type(self):
        table = table_of(1, [("DD-1", "Power", rows({"T": np.frombuffer(b"abcd", "V2")}))])
        cut = pyarrow.array([b"ab", b"c"])
        table = table.set_column(table.column_names.index("octets"), "octets", cut)
        with pytest.raises(ArchiveDamagedError, match="2 values of 2 octets are 3 octets"):
            samples_of(answered(table, "T"), "T")
