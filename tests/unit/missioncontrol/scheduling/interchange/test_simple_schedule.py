from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from missioncontrol.scheduling.interchange.simple_schedule import (
    NAMESPACE,
    ActivityStatus,
    ScheduledActivity,
    ScheduledPackage,
    ScheduleStatus,
    ServiceInfo,
    SimpleSchedule,
    SimpleScheduleError,
    read_simple_schedule,
    write_simple_schedule,
)

START = datetime(2026, 12, 1, 10, 0, 0, 123_000, tzinfo=UTC)
ACTIVITY = ScheduledActivity(
    activity_id="DD-1-4711",
    status=ActivityStatus.COMMITTED,
    site="KIRUNA",
    aperture="KIRUNA-1",
    begins_activity=START - timedelta(seconds=60),
    begins_track=START,
    ends_track=START + timedelta(minutes=9),
    ends_activity=START + timedelta(minutes=9, seconds=30),
    orbit_number=4711,
    services=(ServiceInfo(service_type="TELEMETRY", frequency_band="X-NE"),),
)
SCHEDULE = SimpleSchedule(
    originator="ORBITAL-DC",
    generated_at=START - timedelta(days=1),
    status=ScheduleStatus.OPERATIONAL,
    version=3,
    begins=START.replace(microsecond=0),
    ends=START.replace(microsecond=0) + timedelta(days=7),
    packages=(
        ScheduledPackage(
            package_id="DD-1",
            user="DD-1",
            comment="a < b & c",
            originating_request="r-1",
            service_agreement="SA-1",
            service_package="SP-1",
            activities=(ACTIVITY,),
        ),
    ),
)

# Written by hand, with the attributes that the schema makes optional left out.
SHORT = """<?xml version="1.0"?>
<simpleSchedule xmlns="urn:ccsds:schema:cssm:1.0.0" srvMgtEntityType="SIMPLE_SCHEDULE">
  <simpleScheduleHeader originatingOrganization="ESA" generationTime="2026-334T00:00:00.000Z"
    status="PROVISIONAL" inclusionType="START_INCLUSION" version="1"
    startTime="2026-335T00:00:00Z" endTime="2026-12-08T00:00:00.5Z"/>
  <scheduledPackage user="MEX" scheduledPackageId="P1">
    <scheduledActivity scheduledActivityId="A1" activityStatus="TENTATIVE" siteRef="NNO"
      apertureRef="NNO-1" beginningOfTrack="2026-335T01:00:00.000Z"
      endOfTrack="2026-335T02:00:00.000Z">
      <somethingElse name="x"/>
    </scheduledActivity>
  </scheduledPackage>
</simpleSchedule>"""


def milliseconds(at):
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


class TestSimpleSchedule:
    def test_is_read_back_as_it_was_written(self):
        assert read_simple_schedule(write_simple_schedule(SCHEDULE)) == SCHEDULE

    @given(
        names=st.lists(st.text("abc<>&\"' äö", min_size=1, max_size=8), max_size=3),
        shift_ms=st.integers(0, 10**9),
    )
    def test_keeps_any_name_and_time_to_the_millisecond(self, names, shift_ms):
        shift = timedelta(milliseconds=shift_ms)
        activities = tuple(
            ScheduledActivity(
                activity_id=name,
                status=ActivityStatus.TENTATIVE,
                site=name,
                aperture=name,
                begins_activity=milliseconds(START + shift),
                begins_track=milliseconds(START + shift),
                ends_track=milliseconds(START + 2 * shift + timedelta(seconds=1)),
                ends_activity=milliseconds(START + 3 * shift + timedelta(seconds=1)),
            )
            for name in names
        )
        package = ScheduledPackage(package_id="p", user="u", activities=activities)
        schedule = SimpleSchedule(
            originator="o",
            generated_at=START,
            status=ScheduleStatus.TEST,
            version=1,
            begins=START,
            ends=START + shift + timedelta(seconds=1),
            packages=(package,),
        )
        assert read_simple_schedule(write_simple_schedule(schedule)) == schedule

    def test_uses_the_names_of_the_schema(self):
        root = etree.fromstring(write_simple_schedule(SCHEDULE))
        assert root.tag == f"{{{NAMESPACE}}}simpleSchedule"
        [header, package] = root
        assert header.get("startTime") == "2026-335T10:00:00.000Z"
        assert header.get("inclusionType") == "START_INCLUSION"
        [reference, activity] = package
        assert etree.QName(reference).localname == "servicePackageXRef"
        assert activity.attrib["beginningOfTrack"] == "2026-335T10:00:00.123Z"
        assert set(activity.attrib) == {
            "scheduledActivityId",
            "activityStatus",
            "siteRef",
            "apertureRef",
            "orbitNumber",
            "beginningOfActivity",
            "beginningOfTrack",
            "endOfTrack",
            "endOfActivity",
        }

    def test_reads_what_leaves_out_the_optional_and_adds_its_own(self):
        schedule = read_simple_schedule(SHORT.encode())
        [package] = schedule.packages
        [activity] = package.activities
        assert (schedule.originator, schedule.status) == ("ESA", ScheduleStatus.PROVISIONAL)
        assert schedule.ends == datetime(2026, 12, 8, 0, 0, 0, 500_000, tzinfo=UTC)
        assert activity.begins_activity == activity.begins_track
        assert (package.comment, activity.orbit_number, activity.services) == ("", None, ())

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (("<simpleSchedule ", "<schedule "), "This is no XML"),
            (("urn:ccsds:schema:cssm:1.0.0", "urn:x"), "The root is"),
            (("simpleScheduleHeader", "header"), "has no simpleScheduleHeader"),
            (('siteRef="NNO"', ""), r"scheduledActivity in line \d+ has no siteRef"),
            (("TENTATIVE", "MAYBE"), "activityStatus is 'MAYBE'; it is one of COMMITTED"),
            (('version="1"\n', 'version="one"\n'), "version is 'one', not a whole number"),
            (("2026-335T01:00", "yesterday"), "not a time such as"),
            (("2026-335T02:00", "2026-335T00:30"), "endOfTrack is not after"),
        ],
    )
    def test_refuses(self, change, message):
        with pytest.raises(SimpleScheduleError, match=message):
            read_simple_schedule(SHORT.replace(*change).encode())

    def test_never_opens_what_an_entity_names(self):
        hostile = SHORT.replace(
            "<simpleSchedule ",
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><simpleSchedule ',
        ).replace('user="MEX"', 'user="&#65;"')
        assert read_simple_schedule(hostile.encode()).packages[0].user == "A"
        with pytest.raises(SimpleScheduleError):
            read_simple_schedule(hostile.replace("&#65;", "&e;").encode())

    def test_refuses_what_is_too_long(self):
        with pytest.raises(SimpleScheduleError, match="the limit is"):
            read_simple_schedule(b" " * (16 * 1024 * 1024 + 1))

    @given(noise=st.binary(max_size=200))
    def test_raises_one_error_on_noise(self, noise):
        with pytest.raises(SimpleScheduleError):
            read_simple_schedule(noise)
