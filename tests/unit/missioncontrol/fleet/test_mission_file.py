from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.fleet.mission_file import MissionFileError, parse_mission
from missioncontrol.fleet.profiles import parse_link_profile
from tests.unit.missioncontrol.fleet.demo_mission import (
    TEXT,
    document,
    parse,
    read_attachment,
)
from tests.unit.missioncontrol.orbits.ephemeris_messages import kvn, table_of
from tests.vectors.contact_windows import load_reference

DD1 = ("spacecraft", 0)
SET_TM_RATE = (*DD1, "telecommands", 1)
PAYLOAD_POWER = (*DD1, "telecommands", 2)


def problems(changed) -> dict[str, tuple[str, str]]:
    with pytest.raises(MissionFileError) as caught:
        parse(changed)
    return {p.path: (p.value, p.allowed) for p in caught.value.problems}


def with_field(*path_and_value) -> dict:
    """Return the demo document with the field at a path set to the last argument."""
    *path, last, value = path_and_value
    changed = document()
    place = changed
    for part in path:
        place = place[part]
    place[last] = value
    return changed


class TestTheDemoMission:
    def test_is_accepted_and_complete(self):
        mission = parse_mission(TEXT, read_attachment)
        assert len(mission.organisations) == 24
        assert len(mission.stations) == 8
        assert {s.name: len(s.antennas) for s in mission.stations if len(s.antennas) > 1} == {
            "SVALBARD": 2
        }
        assert [s.name for s in mission.stations if not s.leased] == [
            "KASHI", "MIYUN", "SANYA", "MOHE",
        ]  # fmt: skip
        assert mission.clock.start == datetime(2026, 12, 1, 12, tzinfo=UTC)
        assert mission.clock.factor == 30

    def test_knows_its_digest_and_its_attachment(self):
        mission = parse_mission(TEXT, read_attachment)
        assert mission.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
        assert mission.attachment("dd1.xtce.xml").startswith("<SpaceSystem")

    def test_defines_the_four_telecommands(self):
        telecommands = parse_mission(TEXT, read_attachment).spacecraft[0].telecommands
        assert [
            (t.name, t.apid, t.function_code, t.hazardous, t.approval) for t in telecommands
        ] == [
            ("PING", 200, 1, False, "two_person"),
            ("SET_TM_RATE", 200, 2, False, "two_person"),
            ("PAYLOAD_POWER", 201, 1, True, "two_person"),
            ("RUN_JOB", 202, 1, False, "policy"),
        ]  # fmt: skip

    def test_reads_on_and_off_as_words(self):
        telecommands = parse_mission(TEXT, read_attachment).spacecraft[0].telecommands
        assert telecommands[2].arguments[1].values == {"OFF": 0, "ON": 1}


class TestFieldProblems:
    @pytest.mark.parametrize(
        ("change", "path", "value", "allowed"),
        [
            (("stations", 2, "latitude_deg", 100), "stations[2].latitude_deg", "100", "-90 to 90"),
            (
                ("stations", 2, "mask_deg", 90),
                "stations[2].mask_deg",
                "90",
                "0 to 90 (90 itself excluded)",
            ),
            (("clock", "factor", 0), "clock.factor", "0", "0 to 1000 (0 itself excluded)"),
            (("clock", "factor", True), "clock.factor", "True", "a valid number"),
            (("stations", 0, "leased", "no"), "stations[0].leased", "'no'", "a valid boolean"),
            (
                ("clock", "start", datetime(2026, 12, 1, 12)),  # noqa: DTZ001
                "clock.start",
                "2026-12-01T12:00:00",
                "a time with its zone, e.g. 2026-12-01T12:00:00Z",
            ),
            (
                (*DD1, "cfdp_profile", "checksum", "crc16"),
                "spacecraft[0].cfdp_profile.checksum",
                "'crc16'",
                "'crc32' or 'modular'",
            ),
            (
                (*DD1, "name", "dd 1"),
                "spacecraft[0].name",
                "'dd 1'",
                "capital letters, digits and -, 40 characters at most",
            ),
            (
                ("stations", 0, "antennas", []),
                "stations[0].antennas",
                "[]",
                "at least one antenna",
            ),
            (
                ("stations", 0, "antennas", 0, "link", "udp://here:1"),
                "stations[0].antennas[0].link",
                "'udp://here:1'",
                "simulator, or tcp://HOST:PORT, e.g. tcp://192.0.2.7:18400",
            ),
            (
                ("stations", 0, "antennas", 0, "link", "tcp://192.0.2.7:70000"),
                "stations[0].antennas[0].link",
                "'tcp://192.0.2.7:70000'",
                "simulator, or tcp://HOST:PORT, e.g. tcp://192.0.2.7:18400",
            ),
            (
                ("stations", 1, "horizon_mask", [[10.0, 5.0], [10.0, 6.0]]),
                "stations[1].horizon_mask",
                "[[10.0, 5.0], [10.0, 6.0]]",
                "azimuths from 0 to less than 360, each greater than the one before",
            ),
            (
                ("stations", 5, "owner", "nobody"),
                "stations[5].owner",
                "'nobody'",
                None,
            ),
            (
                (*DD1, "telemetry_dictionary", "other.xml"),
                "spacecraft[0].telemetry_dictionary",
                "'other.xml'",
                "an XTCE file beside the mission file; none of that name can be read there",
            ),
            (
                ("stations", 1, "name", "KASHI"),
                "stations[1].name",
                "'KASHI'",
                "another name than stations[0] has",
            ),
            (
                ("stations", 1, "antennas", 0, "name", "KASHI-1"),
                "stations[1].antennas[0].name",
                "'KASHI-1'",
                "another name than stations[0].antennas[0] has",
            ),
            (
                (*PAYLOAD_POWER, "name", "PING"),
                "spacecraft[0].telecommands[2].name",
                "'PING'",
                "another name than spacecraft[0].telecommands[0] has",
            ),
            (
                (*SET_TM_RATE, "function_code", 1),
                "spacecraft[0].telecommands[1].function_code",
                "200, 1",
                "another apid and function_code than spacecraft[0].telecommands[0] has",
            ),
        ],
    )  # fmt: skip
    def test_are_named_with_path_value_and_what_is_allowed(self, change, path, value, allowed):
        found = problems(with_field(*change))
        assert list(found) == [path]
        assert found[path][0] == value
        assert allowed is None or found[path][1] == allowed

    def test_of_a_reference_list_what_there_is(self):
        found = problems(with_field("stations", 5, "owner", "nobody"))
        assert "station-provider-3" in found["stations[5].owner"][1]

    def test_are_all_listed_at_once(self):
        changed = with_field("stations", 2, "latitude_deg", -91)
        changed["stations"][3]["longitude_deg"] = 181
        changed["stations"][4]["name"] = "MOHE"
        changed["spacecraft"][0]["operator"] = "nobody"
        del changed["clock"]["factor"]
        assert set(problems(changed)) == {
            "clock.factor",
            "stations[2].latitude_deg",
            "stations[3].longitude_deg",
            "stations[4].name",
            "spacecraft[0].operator",
        }

    def test_name_the_fields_there_are_when_one_is_unknown(self):
        found = problems(with_field("stations", 0, "hight_m", 3))
        value, allowed = found["stations[0].hight_m"]
        assert value == "3"
        assert allowed.startswith("there is no such field; the fields here are name, title,")

    def test_name_the_fields_of_the_right_kind_of_elements(self):
        found = problems(with_field(*DD1, "ephemerides", 0, "prioriti", 3))
        assert list(found) == ["spacecraft[0].ephemerides[0].prioriti"]
        assert "line1, line2" in found["spacecraft[0].ephemerides[0].prioriti"][1]

    def test_say_that_a_field_is_missing(self):
        changed = document()
        del changed["spacecraft"][0]["ccsds_id"]
        assert problems(changed) == {
            "spacecraft[0].ccsds_id": ("missing", "this field must be given")
        }

    def test_show_a_long_value_short(self):
        found = problems(with_field("mission", "title", "x" * 5000))
        value, _ = found["mission.title"]
        assert len(value) < 100
        assert "5002 characters" in value

    def test_count_in_the_message(self):
        with pytest.raises(MissionFileError, match=r"^1 field is wrong .* nothing was changed"):
            parse(with_field("clock", "factor", 0))
        changed = with_field("clock", "factor", 0)
        changed["stations"][0]["height_m"] = 90_000
        with pytest.raises(MissionFileError, match=r"^2 fields are wrong"):
            parse(changed)


class TestElements:
    def test_refuses_a_wrong_checksum(self):
        changed = document()
        line = changed["spacecraft"][0]["ephemerides"][0]["line2"]
        changed["spacecraft"][0]["ephemerides"][0]["line2"] = line.replace(
            " 90.0000 ", " 90.0001 "
        )
        [(_, allowed)] = problems(changed).values()
        assert f"ends with checksum '{line[-1]}'" in allowed

    def test_refuses_lines_of_two_objects(self):
        changed = document()
        elements = changed["spacecraft"][0]["ephemerides"][0]
        line, checksum = elements["line2"][:-1], int(elements["line2"][-1])
        elements["line2"] = f"{line.replace('2 99001', '2 99002')}{(checksum + 1) % 10}"
        [(_, allowed)] = problems(changed).values()
        assert "different objects" in allowed

    def test_accepts_an_omm_whose_epoch_yaml_reads_as_a_time(self):
        omm = {
            "OBJECT_NAME": "DD-1",
            "OBJECT_ID": "2026-301A",
            "EPOCH": datetime(2026, 12, 1, tzinfo=UTC),
            "MEAN_MOTION": 14.42577,
            "ECCENTRICITY": 0.0001,
            "INCLINATION": 98.394,
            "RA_OF_ASC_NODE": 339.8728,
            "ARG_OF_PERICENTER": 90,
            "MEAN_ANOMALY": 137.5394,
            "NORAD_CAT_ID": 199001,
            "BSTAR": 0.00002,
        }
        entry = {"kind": "OMM", "name": "DD-1", "omm": omm}
        mission = parse(with_field(*DD1, "ephemerides", [entry]))
        elements = mission.spacecraft[0].ephemerides[0].mean_elements()
        assert elements.epoch == datetime(2026, 12, 1, tzinfo=UTC)
        assert elements.catalogue_number == 199001

    def test_refuses_an_omm_without_its_mean_motion(self):
        entry = {"kind": "OMM", "name": "DD-1", "omm": {"EPOCH": "2026-12-01T00:00:00"}}
        found = problems(with_field(*DD1, "ephemerides", [entry]))
        assert "MEAN_MOTION is missing" in found["spacecraft[0].ephemerides[0]"][1]


class TestProfiles:
    def test_refuses_two_uses_of_one_virtual_channel(self):
        found = problems(with_field(*DD1, "link_profile", "tm", "vc_files", 1))
        assert found["spacecraft[0].link_profile.tm"][1] == (
            "vc_realtime, vc_recorded and vc_files must be three channels"
        )

    def test_refuses_one_apid_for_two_services(self):
        found = problems(with_field(*DD1, "link_profile", "apids", "files_up", 120))
        assert "three APIDs" in found["spacecraft[0].link_profile.apids"][1]

    def test_refuses_a_telecommand_on_the_apid_of_files(self):
        found = problems(with_field(*PAYLOAD_POWER, "apid", 121))
        assert "PAYLOAD_POWER has the APID 121 of the files sent up" in found["spacecraft[0]"][1]

    def test_refuses_an_entity_identifier_that_does_not_fit(self):
        found = problems(with_field(*DD1, "cfdp_profile", "spacecraft_entity_id", 65_536))
        assert "go from 0 to 65535" in found["spacecraft[0].cfdp_profile"][1]

    def test_refuses_one_identifier_for_both_entities(self):
        found = problems(with_field(*DD1, "cfdp_profile", "spacecraft_entity_id", 1))
        assert "must differ" in found["spacecraft[0].cfdp_profile"][1]


class TestSourceOfPackets:
    """A spacecraft that is known by its recorded space packets only."""

    def source(self, **fields):
        changed = document()
        changed["spacecraft"].append(
            {
                "name": "RECORDED-1",
                "ccsds_id": 66,
                "phase": "NOMINAL",
                "operator": "operator",
                "link_profile": {
                    "kind": "space_packets",
                    "packet_time": {
                        "code": "CUC",
                        "coarse_octets": 4,
                        "fine_octets": 2,
                        "epoch": datetime(1980, 1, 6, tzinfo=UTC),
                    },
                },
                "telemetry_dictionary": "dd1.xtce.xml",
                **fields,
            }
        )
        return changed

    def test_needs_no_orbit_and_no_forward_link(self):
        recorded = parse(self.source()).spacecraft[1]
        stored = recorded.link_profile.model_dump(mode="json")
        assert parse_link_profile(stored) == recorded.link_profile

    def test_can_have_no_telecommands(self):
        found = problems(self.source(telecommands=document()["spacecraft"][0]["telecommands"]))
        assert "leave out telecommands and cfdp_profile" in found["spacecraft[1]"][1]

    def test_has_its_wrong_fields_named_without_the_tags_of_the_unions(self):
        changed = self.source()
        changed["spacecraft"][1]["link_profile"]["packet_time"]["fine_octets"] = 9
        found = problems(changed)
        assert found == {"spacecraft[1].link_profile.packet_time.fine_octets": ("9", "0 to 3")}

    def test_is_told_from_a_spacecraft_that_is_flown(self):
        changed = with_field(*DD1, "ephemerides", [])
        del changed["spacecraft"][0]["cfdp_profile"]
        found = problems(changed)
        assert found["spacecraft[0]"][1] == (
            "a spacecraft whose link_profile is tm_tc_frames needs cfdp_profile and ephemerides"
        )

    def test_names_the_kinds_there_are(self):
        found = problems(self.source(link_profile={"kind": "smoke_signals"}))
        assert "'tm_tc_frames', 'space_packets'" in found["spacecraft[1].link_profile"][1]


class TestTelecommandDefinitions:
    @pytest.mark.parametrize(
        ("field", "value", "allowed"),
        [
            ("max", 256, "min 1 and max 256 of a uint8 must be in order and within 0 to 255"),
            ("max", 0, "min 1 and max 0 of a uint8 must be in order and within 0 to 255"),
            ("length", 3, "an argument of type uint8 has no length; it may have max, min, unit"),
            ("type", "enum", "an argument of type enum has no max and no min and no unit; "
             "it may have values"),
        ],
    )  # fmt: skip
    def test_refuse_options_that_do_not_fit_the_type(self, field, value, allowed):
        found = problems(with_field(*SET_TM_RATE, "arguments", 0, field, value))
        assert found["spacecraft[0].telecommands[1].arguments[0]"][1] == allowed

    def test_refuse_an_enum_without_values_and_octets_without_a_length(self):
        for kind, needed in (("enum", "values"), ("octets", "length"), ("string", "length")):
            argument = {"name": "X", "type": kind}
            [(_, allowed)] = problems(with_field(*SET_TM_RATE, "arguments", [argument])).values()
            assert allowed == f"an argument of type {kind} needs {needed}"

    def test_refuse_two_labels_with_one_value(self):
        changed = with_field(*PAYLOAD_POWER, "arguments", 1, "values", {"OFF": 0, "ON": 0})
        [(_, allowed)] = problems(changed).values()
        assert "two labels" in allowed

    def test_refuse_an_argument_defined_twice(self):
        argument = {"name": "X", "type": "uint8"}
        [(_, allowed)] = problems(
            with_field(*SET_TM_RATE, "arguments", [argument, argument])
        ).values()
        assert allowed == "the argument X is defined twice"

    def test_refuse_to_open_a_hazardous_telecommand_to_a_policy(self):
        [(_, allowed)] = problems(with_field(*PAYLOAD_POWER, "approval", "policy")).values()
        assert allowed == "a hazardous telecommand needs approval: two_person"


class TestYaml:
    def test_names_the_line_of_a_syntax_error(self):
        with pytest.raises(MissionFileError) as caught:
            parse_mission("mission:\n  name: demo\nclock: [1, }\n", read_attachment)
        [problem] = caught.value.problems
        assert problem.path == "line 3, column 12"

    def test_refuses_a_field_that_stands_twice(self):
        text = TEXT.replace("clock:\n", "clock:\n  factor: 1\n", 1)
        with pytest.raises(MissionFileError) as caught:
            parse_mission(text, read_attachment)
        [problem] = caught.value.problems
        assert problem.value == "the field factor stands here a second time"

    @pytest.mark.parametrize("text", ["", "- a\n", "demo", "12"])
    def test_refuses_what_is_no_mapping(self, text):
        with pytest.raises(MissionFileError, match="a mapping with the fields mission, clock"):
            parse_mission(text, read_attachment)

    def test_makes_no_objects(self):
        with pytest.raises(MissionFileError, match="could not determine a constructor"):
            parse_mission("mission: !!python/object/apply:os.getcwd []", read_attachment)

    def test_refuses_a_dictionary_that_is_no_xml(self):
        with pytest.raises(MissionFileError, match="this one is no XML"):
            parse_mission(TEXT, lambda _name: "no xml")

    @settings(deadline=None)  # a busy machine is no fault of the file
    @given(st.text(max_size=200))
    def test_never_raises_anything_else_on_noise(self, text):
        with pytest.raises(MissionFileError):
            parse_mission(text, read_attachment)

    @settings(max_examples=60, deadline=None)
    @given(
        field=st.sampled_from(["mission", "clock", "organisations", "stations", "spacecraft"]),
        value=st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        ),
    )
    def test_never_raises_anything_else_on_a_part_of_another_shape(self, field, value):
        changed = document()
        changed[field] = value
        try:
            parse(changed)
        except MissionFileError as refusal:
            listed = refusal.problems
            assert listed
        else:
            # Only what may be empty: no stations, no spacecraft, no clock of its own.
            assert (field, value) in [("stations", []), ("spacecraft", []), ("clock", None)]


class TestEphemeridesAndRelays:
    @pytest.fixture(scope="class")
    @staticmethod
    def oem() -> str:
        start = datetime(2026, 8, 12, tzinfo=UTC)
        elements = load_reference().named("SENTINEL-2A")
        return kvn(table_of(elements, start, start + timedelta(minutes=10)))

    def test_an_orbit_ephemeris_message_stands_in_the_file_as_text(self, oem):
        entry = {"kind": "OEM", "name": "DD-1", "oem": oem, "priority": 5}
        mission = parse(with_field(*DD1, "ephemerides", [entry]))
        [ephemeris] = mission.spacecraft[0].ephemerides
        assert ephemeris.orbit_ephemeris().name == "SENTINEL-2A"

    def test_a_message_that_cannot_be_read_is_told(self, oem):
        entry = {"kind": "OEM", "name": "DD-1", "oem": oem.replace("EME2000", "MOON")}
        found = problems(with_field(*DD1, "ephemerides", [entry]))
        [(_, allowed)] = found.values()
        assert "an OEM that can be read. OEM of SENTINEL-2A: REF_FRAME is 'MOON'" in allowed

    def test_relays_are_other_spacecraft_of_the_file(self):
        changed = with_field(*DD1, "relays", ["RELAY-1"])
        relay = {
            **changed["spacecraft"][0],
            "name": "RELAY-1",
            "ccsds_id": 172,
            "relays": [],
            "mission_profiles": [
                {**changed["spacecraft"][0]["mission_profiles"][0], "name": "relay-standard"}
            ],
        }
        changed["spacecraft"].append(relay)
        assert parse(changed).spacecraft[0].relays == ["RELAY-1"]

    @pytest.mark.parametrize(
        ("relays", "path", "allowed"),
        [
            (["NOBODY"], "spacecraft[0].relays[0]", "a name out of spacecraft: DD-1"),
            (["DD-1"], "spacecraft[0].relays", "other spacecraft than itself"),
        ],
    )
    def test_other_relays_are_refused(self, relays, path, allowed):
        assert problems(with_field(*DD1, "relays", relays))[path][1] == allowed
