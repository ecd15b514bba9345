from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.orbits.element_files import Unreadable, read_elements
from missioncontrol.orbits.elements import ElementsError, MeanElements
from missioncontrol.orbits.orbit_ephemeris import OrbitEphemeris
from tests.unit.missioncontrol.orbits.ephemeris_messages import kvn, table_of, xml

LINES = (
    "1 25544U 98067A   26223.14934248  .00003640  00000+0  73197-4 0  9993",
    "2 25544  51.6325  28.0815 0007436  34.6982 325.4490 15.49408704580271",
)
ALPHA5 = (
    "1 E8493U 98067A   26223.14934248  .00003640  00000+0  73197-4 0  9997",
    "2 E8493  51.6325  28.0815 0007436  34.6982 325.4490 15.49408704580275",
)
FIELDS = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2026-08-11T03:35:03.190272",
    "MEAN_MOTION": 15.49408704,
    "ECCENTRICITY": 0.0007436,
    "INCLINATION": 51.6325,
    "RA_OF_ASC_NODE": 28.0815,
    "ARG_OF_PERICENTER": 34.6982,
    "MEAN_ANOMALY": 325.449,
    "NORAD_CAT_ID": 25544,
    "BSTAR": 7.3197e-5,
}
START = datetime(2026, 8, 12, tzinfo=UTC)


def omm_kvn(fields: dict) -> str:
    lines = [f"{key} = {value}" for key, value in fields.items()]
    return "\n".join(["CCSDS_OMM_VERS = 3.0", "COMMENT a = b", *lines, ""])


def omm_xml(*sets: dict, namespace: str = "") -> str:
    metadata = ("OBJECT_NAME", "OBJECT_ID")
    body = "".join(
        '<omm id="CCSDS_OMM_VERS" version="3.0"><header><ORIGINATOR>18 SPCS</ORIGINATOR></header>'
        "<body><segment><metadata>"
        + "".join(f"<{key}>{one[key]}</{key}>" for key in metadata)
        + "<REF_FRAME>TEME</REF_FRAME></metadata><data><meanElements>"
        + "".join(
            f"<{key}>{value}</{key}>"
            for key, value in one.items()
            if key not in metadata and key not in ("NORAD_CAT_ID", "BSTAR")
        )
        + f"</meanElements><tleParameters><NORAD_CAT_ID>{one['NORAD_CAT_ID']}</NORAD_CAT_ID>"
        f"<BSTAR>{one['BSTAR']}</BSTAR></tleParameters></data></segment></body></omm>"
        for one in sets
    )
    return f'<?xml version="1.0"?>\n<ndm{namespace}>{body}</ndm>'


class TestEveryFormat:
    @pytest.mark.parametrize(
        "text",
        [
            "\n".join(("ISS (ZARYA)", *LINES)),
            "\n".join(("0 ISS (ZARYA)", *LINES, "")),
            "\r\n".join(("ISS (ZARYA)             ", *LINES, "")),
            "\ufeff# from a catalogue\n\nISS (ZARYA)\n" + "\n".join(LINES),
            json.dumps(FIELDS),
            json.dumps([{key: str(value) for key, value in FIELDS.items()}]),
            omm_kvn(FIELDS),
            omm_xml(FIELDS),
            omm_xml(FIELDS, namespace=' xmlns="urn:ccsds:schema:ndmxml"'),
            omm_xml(FIELDS)[len('<?xml version="1.0"?>\n<ndm>') : -len("</ndm>")],
        ],
        ids=["tle", "0-line", "crlf", "bom", "json", "json-text", "kvn", "xml", "ns", "one-omm"],
    )
    def test_gives_the_same_orbit(self, text):
        [one] = read_elements(text)
        assert isinstance(one, MeanElements)
        assert (one.name, one.designation) == ("ISS (ZARYA)", "25544")
        assert abs(one.epoch - datetime(2026, 8, 11, 3, 35, 3, 190272, tzinfo=UTC)) < timedelta(
            microseconds=2
        )
        assert one.mean_motion_rev_per_day == 15.49408704
        assert one.bstar_per_earth_radius == pytest.approx(7.3197e-5)

    def test_lines_without_a_name_are_called_by_their_number(self):
        [one] = read_elements("\n".join(LINES))
        assert (one.name, one.designation) == ("25544", "25544")

    def test_numbers_above_99999_are_read(self):
        [alpha5] = read_elements("\n".join(("ANY", *ALPHA5)))
        assert alpha5.designation == "148493"
        fields = {**FIELDS, "NORAD_CAT_ID": 799_501_234}
        for text in (json.dumps([fields]), omm_kvn(fields), omm_xml(fields)):
            [one] = read_elements(text)
            assert one.designation == "799501234"
            assert one.satrec().sgp4(2461264.5, 0.25)[0] == 0

    @pytest.mark.parametrize("write", [kvn, xml])
    def test_an_ephemeris_is_read(self, sentinel, write):
        text = write(table_of(sentinel, START, START + timedelta(minutes=10)))
        [one] = read_elements(text)
        assert isinstance(one, OrbitEphemeris)
        assert one.designation == "SENTINEL-2A"

    def test_several_sets_stay_in_their_order(self, sentinel):
        second = {**FIELDS, "OBJECT_NAME": "SECOND", "NORAD_CAT_ID": 2}
        for text in (
            "\n".join(("ISS (ZARYA)", *LINES, "SECOND", *LINES)),
            json.dumps([FIELDS, second]),
            omm_kvn(FIELDS) + omm_kvn(second),
            omm_xml(FIELDS, second),
            omm_kvn(FIELDS) + kvn(table_of(sentinel, START, START + timedelta(minutes=10))),
        ):
            first, other = read_elements(text)
            assert first.name == "ISS (ZARYA)"
            assert other.name in ("SECOND", "SENTINEL-2A")


class TestWhatCannotBeRead:
    def test_a_bad_set_does_not_spoil_the_others(self):
        wrong = LINES[0][:-1] + "4"
        for text in (
            "\n".join(("BAD", wrong, LINES[1], "ISS (ZARYA)", *LINES)),
            json.dumps([{**FIELDS, "OBJECT_NAME": "BAD", "ECCENTRICITY": 2.0}, FIELDS]),
            omm_kvn({**FIELDS, "OBJECT_NAME": "BAD", "EPOCH": "soon"}) + omm_kvn(FIELDS),
            omm_xml({**FIELDS, "OBJECT_NAME": "BAD", "MEAN_MOTION": ""}, FIELDS),
        ):
            bad, good = read_elements(text)
            assert isinstance(bad, Unreadable)
            assert bad.satellite == "BAD"
            assert "BAD" in bad.reason
            assert good.name == "ISS (ZARYA)"

    def test_a_line_out_of_place_is_told_with_its_number(self):
        found = list(read_elements("\n".join(("ONE", LINES[0], "TWO", *LINES))))
        assert [one.name if isinstance(one, MeanElements) else one.satellite for one in found] == [
            "ONE",
            "TWO",
        ]
        assert "line 3 of the file: 'TWO' is not the line of a TLE" in found[0].reason

    def test_a_file_that_ends_within_a_set_says_so(self):
        [one] = read_elements("\n".join(("ISS (ZARYA)", LINES[0])))
        assert one == Unreadable("ISS (ZARYA)", "the file ends within a TLE.")

    def test_another_kind_of_message_is_told(self):
        [one] = read_elements(
            "CCSDS_OPM_VERS = 2.0\nOBJECT_NAME = X\n" + "COMMENT CCSDS_OMM_VERS\n"
        )
        assert one == Unreadable("X", "OPM messages are not read here; give OMM or OEM.")

    @pytest.mark.parametrize("text", ["<html></html>", "<ndm>", "{", "[1]"])
    def test_a_file_in_no_format_is_refused(self, text):
        with pytest.raises(ElementsError):
            list(read_elements(text))

    def test_an_empty_file_holds_nothing(self):
        assert list(read_elements("\n\n")) == []
