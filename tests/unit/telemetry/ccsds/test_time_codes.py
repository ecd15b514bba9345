from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.time_codes import (
    CCSDS_EPOCH,
    CdsFormat,
    CfsSubseconds,
    CfsTimeFormat,
    CucFormat,
    TimeCodeError,
)

MISSION_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

instants = st.integers(0, 100 * 365 * 86_400_000_000).map(
    lambda elapsed_us: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=elapsed_us)
)


class TestCuc:
    @given(instant=instants, fine=st.integers(0, 10), preamble=st.booleans())
    def test_comes_back_to_within_half_a_tick(self, instant, fine, preamble):
        time_format = CucFormat(
            coarse_octets=4, fine_octets=fine, epoch=MISSION_EPOCH, has_p_field=preamble
        )
        field = time_format.encode(instant)
        assert len(field) == time_format.length_octets
        half_a_tick = timedelta(seconds=0.5 / 256**fine)
        assert abs(time_format.decode(field) - instant) <= half_a_tick + MICROSECOND

    @given(instant=instants)
    def test_three_fine_octets_keep_every_microsecond(self, instant):
        time_format = CucFormat(fine_octets=3, epoch=MISSION_EPOCH)
        assert time_format.decode(time_format.encode(instant)) == instant

    def test_agrees_with_yamcs(self):
        time_format = CucFormat(epoch=UNIX_EPOCH)
        decoded = time_format.decode(bytes.fromhex("5b3f555e48b4"))
        assert abs(decoded - datetime(2018, 7, 6, 11, 41, 18, 284_000, tzinfo=UTC)) <= timedelta(
            milliseconds=0.5
        )
        assert time_format.p_field == b"\x2e"

    def test_counts_tai_from_1958_by_the_leap_seconds_given(self):
        time_format = CucFormat(leap_seconds=37, fine_octets=0)
        instant = datetime(2020, 1, 1, tzinfo=UTC)
        elapsed_s = int((instant - CCSDS_EPOCH).total_seconds()) + 37
        assert time_format.encode(instant) == elapsed_s.to_bytes(4, "big")
        assert time_format.decode(time_format.encode(instant)) == instant
        assert time_format.p_field == b"\x1c"

    def test_rounds_up_into_the_next_second(self):
        time_format = CucFormat(fine_octets=1, epoch=MISSION_EPOCH)
        assert time_format.encode(MISSION_EPOCH + timedelta(seconds=0.999)) == bytes.fromhex(
            "0000000100"
        )

    def test_extends_the_preamble_beyond_seven_octets(self):
        time_format = CucFormat(
            coarse_octets=5, fine_octets=6, epoch=MISSION_EPOCH, has_p_field=True
        )
        assert time_format.p_field == bytes.fromhex("af2c")
        assert time_format.encode(MISSION_EPOCH)[:2] == time_format.p_field

    def test_takes_any_time_zone(self):
        here = timezone(timedelta(hours=8))
        time_format = CucFormat(epoch=MISSION_EPOCH)
        assert time_format.encode(datetime(2000, 1, 1, 8, 0, 1, tzinfo=here)) == bytes.fromhex(
            "000000010000"
        )

    def test_refuses_an_instant_it_cannot_hold(self):
        time_format = CucFormat(coarse_octets=1, fine_octets=0, epoch=MISSION_EPOCH)
        for seconds in (-1, 256):
            with pytest.raises(TimeCodeError, match=r"does not fit a CUC field of 1 \+ 0 octets"):
                time_format.encode(MISSION_EPOCH + timedelta(seconds=seconds))

    def test_refuses_a_naive_instant(self):
        with pytest.raises(TimeCodeError, match="has no time zone"):
            CucFormat().encode(datetime(2020, 1, 1))  # noqa: DTZ001  # the point

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"coarse_octets": 0}, "coarse octets 0 is outside 1 to 7"),
            ({"coarse_octets": 8}, "coarse octets 8 is outside 1 to 7"),
            ({"fine_octets": 11}, "fine octets 11 is outside 0 to 10"),
        ],
    )
    def test_refuses_a_format_that_the_preamble_cannot_say(self, fields, text):
        with pytest.raises(TimeCodeError, match=text):
            CucFormat(**fields)

    def test_refuses_another_preamble(self):
        time_format = CucFormat(epoch=MISSION_EPOCH, has_p_field=True)
        with pytest.raises(TimeCodeError, match="preamble 1e, expected 2e"):
            time_format.decode(bytes.fromhex("1e000000000000"))

    @given(field=st.binary(max_size=12), coarse=st.integers(1, 7), fine=st.integers(0, 4))
    def test_noise_is_a_time_or_a_time_code_error(self, field, coarse, fine):
        time_format = CucFormat(coarse_octets=coarse, fine_octets=fine, epoch=MISSION_EPOCH)
        try:
            decoded = time_format.decode(field)
        except TimeCodeError:
            return
        assert decoded >= MISSION_EPOCH


class TestCds:
    @given(
        instant=instants,
        days=st.sampled_from([2, 3]),
        submillisecond=st.sampled_from([0, 2, 4]),
        preamble=st.booleans(),
    )
    def test_comes_back_at_its_resolution(self, instant, days, submillisecond, preamble):
        time_format = CdsFormat(
            day_octets=days,
            submillisecond_octets=submillisecond,
            epoch=MISSION_EPOCH,
            has_p_field=preamble,
        )
        field = time_format.encode(instant)
        assert len(field) == time_format.length_octets
        lost = instant - time_format.decode(field)
        assert timedelta() <= lost < (MICROSECOND if submillisecond else timedelta(milliseconds=1))

    def test_puts_day_and_milliseconds_where_the_book_says(self):
        instant = CCSDS_EPOCH + timedelta(days=20_000, milliseconds=70_000, microseconds=5)
        assert CdsFormat().encode(instant) == bytes.fromhex("4e20 00011170")
        assert CdsFormat(day_octets=3, submillisecond_octets=2).encode(instant) == bytes.fromhex(
            "004e20 00011170 0005"
        )
        assert CdsFormat(submillisecond_octets=4).encode(instant)[-4:] == bytes.fromhex("004c4b40")

    @pytest.mark.parametrize(
        ("fields", "preamble"),
        [
            ({}, "40"),
            ({"epoch": MISSION_EPOCH}, "48"),
            ({"day_octets": 3}, "44"),
            ({"submillisecond_octets": 2}, "41"),
            ({"submillisecond_octets": 4}, "42"),
        ],
    )
    def test_says_in_the_preamble_what_it_is(self, fields, preamble):
        assert CdsFormat(**fields).p_field.hex() == preamble

    def test_reads_a_leap_second_as_the_first_of_the_next_day(self):
        field = (20_000).to_bytes(2, "big") + (86_400_500).to_bytes(4, "big")
        assert CdsFormat().decode(field) == CCSDS_EPOCH + timedelta(days=20_001, seconds=0.5)

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            ("4e20 05265fe8 0000", "86401000 ms of the day"),
            ("4e20 00000000 03e8", "1000 us of the millisecond"),
            ("4e20 00000000", "a time field of 6 octets, expected 8"),
        ],
    )
    def test_refuses_what_no_day_has(self, field, text):
        with pytest.raises(TimeCodeError, match=text):
            CdsFormat(submillisecond_octets=2).decode(bytes.fromhex(field))

    def test_refuses_a_day_beyond_its_field(self):
        with pytest.raises(TimeCodeError, match="holds 0 to 65535"):
            CdsFormat().encode(CCSDS_EPOCH + timedelta(days=65536))

    @pytest.mark.parametrize("fields", [{"day_octets": 4}, {"submillisecond_octets": 3}])
    def test_refuses_a_format_that_the_book_has_not(self, fields):
        with pytest.raises(TimeCodeError):
            CdsFormat(**fields)

    @given(field=st.binary(max_size=12), days=st.sampled_from([2, 3]))
    def test_noise_is_a_time_or_a_time_code_error(self, field, days):
        try:
            decoded = CdsFormat(day_octets=days).decode(field)
        except TimeCodeError:
            return
        assert decoded >= CCSDS_EPOCH


FORMATS = [
    CucFormat(epoch=MISSION_EPOCH),
    CucFormat(leap_seconds=37, fine_octets=0),
    CucFormat(coarse_octets=7, fine_octets=10, epoch=MISSION_EPOCH, has_p_field=True),
    CdsFormat(),
    CdsFormat(day_octets=3, submillisecond_octets=2, has_p_field=True),
    CdsFormat(submillisecond_octets=4, epoch=MISSION_EPOCH),
    *(CfsTimeFormat(subseconds=subseconds) for subseconds in CfsSubseconds),
]


class TestColumns:
    @pytest.mark.parametrize("time_format", FORMATS, ids=str)
    @given(fields=st.data())
    def test_decodes_many_fields_as_it_does_each(self, time_format, fields):
        length = time_format.length_octets
        octets = fields.draw(st.lists(st.binary(min_size=length, max_size=length), min_size=1))
        if getattr(time_format, "has_p_field", False) and fields.draw(st.booleans()):
            preamble = time_format.p_field
            octets = [preamble + each[len(preamble) :] for each in octets]
        rows = np.frombuffer(b"".join(octets), dtype=np.uint8).reshape(-1, length)
        instants, valid = time_format.decode_columns(rows)
        for field, instant_us, is_valid in zip(octets, instants, valid, strict=True):
            try:
                wanted = time_format.decode(field)
            except TimeCodeError:
                assert not is_valid
                continue
            assert is_valid
            assert abs((wanted - UNIX_EPOCH) // MICROSECOND - int(instant_us)) <= 1

    @given(instant=instants)
    def test_decodes_what_was_encoded_to_the_microsecond(self, instant):
        for time_format in (
            CucFormat(fine_octets=3, epoch=MISSION_EPOCH),
            CdsFormat(submillisecond_octets=2),
            CfsTimeFormat(subseconds=CfsSubseconds.MICROSECONDS_20),
        ):
            row = np.frombuffer(time_format.encode(instant), dtype=np.uint8)[None, :]
            instants_us, valid = time_format.decode_columns(row)
            assert valid.all()
            assert instants_us[0] == (instant - UNIX_EPOCH) // MICROSECOND


class TestCfs:
    def test_reads_the_clock_of_a_real_flight_executive(self):
        # Housekeeping of NASA cFS: 4 octets of seconds and 2 of subseconds since 1980.
        instant = CfsTimeFormat().decode(bytes.fromhex("000f4b48aa7e"))
        assert instant == datetime(1980, 1, 17, 14, 25, 12, 665_985, tzinfo=UTC)

    @pytest.mark.parametrize("subseconds", list(CfsSubseconds))
    @given(instant=instants)
    def test_comes_back_to_within_a_unit(self, subseconds, instant):
        time_format = CfsTimeFormat(subseconds=subseconds, leap_seconds=18)
        field = time_format.encode(instant)
        assert len(field) == time_format.length_octets
        unit = timedelta(seconds=1 / subseconds.value[1])
        assert (
            timedelta(0)
            <= instant - time_format.decode(field) + MICROSECOND
            <= unit + 2 * MICROSECOND
        )

    def test_rejects_a_second_of_subseconds(self):
        time_format = CfsTimeFormat(subseconds=CfsSubseconds.MICROSECONDS_20)
        with pytest.raises(TimeCodeError, match="the subseconds f4240000 are a second or more"):
            time_format.decode(bytes.fromhex("00000001f4240000"))
        with pytest.raises(TimeCodeError, match="a time field of 3 octets, expected 8"):
            time_format.decode(bytes(3))
        with pytest.raises(TimeCodeError, match="does not fit 32 bits"):
            time_format.encode(datetime(1979, 1, 1, tzinfo=UTC))
