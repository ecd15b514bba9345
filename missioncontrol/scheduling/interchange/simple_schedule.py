"""Schedules as XML in the simple schedule format of cross support service management.

Source: CCSDS 902.1-B-1 with Technical Corrigendum 1, namespace
``urn:ccsds:schema:cssm:1.0.0``. Read and written: the header, scheduled packages with
their reference to a service package, scheduled activities and their service info.
Other elements are skipped when read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from lxml import etree

NAMESPACE: Final = "urn:ccsds:schema:cssm:1.0.0"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
# lxml writes the prefix None as the default namespace; its stubs know strings only.
_PREFIXES: Final[Any] = {None: NAMESPACE, "xsi": _XSI}
_SCHEMA: Final = f"{NAMESPACE} 902x01b1TC1-SmplSchd.xsd"
_MAX_OCTETS: Final = 16 * 1024 * 1024
_TIME_FORMS: Final = (
    "%Y-%jT%H:%M:%S.%f",
    "%Y-%jT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S",
)
_Choice = TypeVar("_Choice", bound=StrEnum)


class SimpleScheduleError(ValueError):
    """The text is no simple schedule; it says where and what is expected."""


class ScheduleStatus(StrEnum):
    TEST = "TEST"
    PROVISIONAL = "PROVISIONAL"
    OPERATIONAL = "OPERATIONAL"
    OTHER = "OTHER"


class ActivityStatus(StrEnum):
    COMMITTED = "COMMITTED"
    TENTATIVE = "TENTATIVE"
    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo:
    """What a station does during an activity, e.g. TELEMETRY in X-NE."""

    service_type: str
    frequency_band: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledActivity:
    """One pass: the activity with set-up and tear-down about the track."""

    activity_id: str
    status: ActivityStatus
    site: str
    aperture: str
    begins_activity: datetime
    begins_track: datetime
    ends_track: datetime
    ends_activity: datetime
    orbit_number: int | None = None
    services: tuple[ServiceInfo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPackage:
    """The activities of one user: a spacecraft, by its abbreviation."""

    package_id: str
    user: str
    activities: tuple[ScheduledActivity, ...]
    comment: str = ""
    originating_request: str | None = None
    service_agreement: str | None = None
    service_package: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleSchedule:
    """A whole schedule for [begins, ends)."""

    originator: str
    generated_at: datetime
    status: ScheduleStatus
    version: int
    begins: datetime
    ends: datetime
    packages: tuple[ScheduledPackage, ...]


def write_simple_schedule(schedule: SimpleSchedule) -> bytes:
    """Return a schedule as XML, times to the millisecond in CCSDS ASCII code B."""
    root = etree.Element(_name("simpleSchedule"), nsmap=_PREFIXES)
    root.set(f"{{{_XSI}}}schemaLocation", _SCHEMA)
    root.set("srvMgtEntityType", "SIMPLE_SCHEDULE")
    _child(
        root,
        "simpleScheduleHeader",
        originatingOrganization=schedule.originator,
        generationTime=_time(schedule.generated_at),
        status=schedule.status.value,
        inclusionType="START_INCLUSION",
        version=str(schedule.version),
        startTime=_time(schedule.begins),
        endTime=_time(schedule.ends),
    )
    for package in schedule.packages:
        _write_package(root, package)
    octets: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return octets


def _write_package(root: etree._Element, package: ScheduledPackage) -> None:
    element = _child(
        root,
        "scheduledPackage",
        user=package.user,
        comment=package.comment,
        scheduledPackageId=package.package_id,
        originatingRequestId=package.originating_request,
    )
    if package.service_agreement is not None and package.service_package is not None:
        _child(
            element,
            "servicePackageXRef",
            serviceAgreementRef=package.service_agreement,
            servicePackageRef=package.service_package,
        )
    for one in package.activities:
        activity = _child(
            element,
            "scheduledActivity",
            scheduledActivityId=one.activity_id,
            activityStatus=one.status.value,
            siteRef=one.site,
            apertureRef=one.aperture,
            orbitNumber=None if one.orbit_number is None else str(one.orbit_number),
            beginningOfActivity=_time(one.begins_activity),
            beginningOfTrack=_time(one.begins_track),
            endOfTrack=_time(one.ends_track),
            endOfActivity=_time(one.ends_activity),
        )
        for service in one.services:
            _child(
                activity,
                "serviceInfo",
                serviceType=service.service_type,
                frequencyBand=service.frequency_band,
            )


def read_simple_schedule(octets: bytes) -> SimpleSchedule:
    """Return the schedule that an XML text holds.

    Raises:
        SimpleScheduleError: No XML, another root, an attribute missing or not as the
            format wants it.
    """
    if len(octets) > _MAX_OCTETS:
        raise SimpleScheduleError(
            f"The schedule has {len(octets)} octets; the limit is {_MAX_OCTETS}."
        )
    try:
        # Entities could read files or grow without end.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        root = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError as error:
        raise SimpleScheduleError(f"This is no XML: {error}.") from error
    if root.tag != _name("simpleSchedule"):
        raise SimpleScheduleError(f"The root is {root.tag}, not {_name('simpleSchedule')}.")
    header = root.find(_name("simpleScheduleHeader"))
    if header is None:
        raise SimpleScheduleError("The schedule has no simpleScheduleHeader.")
    return SimpleSchedule(
        originator=_attribute(header, "originatingOrganization"),
        generated_at=_instant(header, "generationTime"),
        status=_one_of(header, "status", ScheduleStatus),
        version=_integer(header, "version"),
        begins=_instant(header, "startTime"),
        ends=_instant(header, "endTime"),
        packages=tuple(_read_package(one) for one in root.iterfind(_name("scheduledPackage"))),
    )


def _read_package(element: etree._Element) -> ScheduledPackage:
    reference = element.find(_name("servicePackageXRef"))
    return ScheduledPackage(
        package_id=_attribute(element, "scheduledPackageId"),
        user=_attribute(element, "user"),
        comment=element.get("comment", ""),
        originating_request=element.get("originatingRequestId"),
        service_agreement=None if reference is None else reference.get("serviceAgreementRef"),
        service_package=None if reference is None else reference.get("servicePackageRef"),
        activities=tuple(
            _read_activity(one) for one in element.iterfind(_name("scheduledActivity"))
        ),
    )


def _read_activity(element: etree._Element) -> ScheduledActivity:
    begins, ends = _instant(element, "beginningOfTrack"), _instant(element, "endOfTrack")
    if ends <= begins:
        raise SimpleScheduleError(f"{_place(element)}: endOfTrack is not after beginningOfTrack.")
    return ScheduledActivity(
        activity_id=_attribute(element, "scheduledActivityId"),
        status=_one_of(element, "activityStatus", ActivityStatus),
        site=_attribute(element, "siteRef"),
        aperture=_attribute(element, "apertureRef"),
        orbit_number=None
        if element.get("orbitNumber") is None
        else _integer(element, "orbitNumber"),
        # Without set-up and tear-down the activity is the track.
        begins_activity=_instant(element, "beginningOfActivity", begins),
        begins_track=begins,
        ends_track=ends,
        ends_activity=_instant(element, "endOfActivity", ends),
        services=tuple(
            ServiceInfo(
                service_type=_attribute(one, "serviceType"),
                frequency_band=_attribute(one, "frequencyBand"),
            )
            for one in element.iterfind(_name("serviceInfo"))
        ),
    )


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def _child(parent: etree._Element, local: str, **attributes: str | None) -> etree._Element:
    element = etree.SubElement(parent, _name(local))
    for name, value in attributes.items():
        if value is not None:
            element.set(name, value)
    return element


def _place(element: etree._Element) -> str:
    return f"{etree.QName(element).localname} in line {element.sourceline}"


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise SimpleScheduleError(f"{_place(element)} has no {name}.")
    return value


def _integer(element: etree._Element, name: str) -> int:
    text = _attribute(element, name)
    if not text.isascii() or not text.isdigit():
        raise SimpleScheduleError(f"{_place(element)}: {name} is {text!r}, not a whole number.")
    return int(text)


def _one_of(element: etree._Element, name: str, kind: type[_Choice]) -> _Choice:
    text = _attribute(element, name)
    try:
        return kind(text)
    except ValueError as error:
        known = ", ".join(one.value for one in kind)
        raise SimpleScheduleError(
            f"{_place(element)}: {name} is {text!r}; it is one of {known}."
        ) from error


def _time(at: datetime) -> str:
    """Return ASCII time code B (CCSDS 301.0-B-4, 3.5.1.2): day of year, to the millisecond."""
    rounded = at.astimezone(UTC) + timedelta(microseconds=500)
    return f"{rounded:%Y-%jT%H:%M:%S}.{rounded.microsecond // 1000:03d}Z"


def _instant(element: etree._Element, name: str, default: datetime | None = None) -> datetime:
    text = element.get(name)
    if text is None and default is not None:
        return default
    text = _attribute(element, name)
    for form in _TIME_FORMS:
        try:
            return datetime.strptime(text.removesuffix("Z"), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise SimpleScheduleError(
        f"{_place(element)}: {name} is {text!r}, not a time such as 2026-335T12:00:00.000Z."
    )
