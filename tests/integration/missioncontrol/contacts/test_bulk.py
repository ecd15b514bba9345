from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from missioncontrol.contacts.bulk import insert_columns
from missioncontrol.contacts.models import ContactWindow
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 8, 12, 1, 30, 20, 954_863, tzinfo=UTC)


@pytest.fixture
def columns():
    craft = factories.spacecraft()
    ephemeris, station = factories.ephemeris(craft), factories.ground_station()
    count = 3
    aos = np.datetime64(AT.replace(tzinfo=None), "us") + np.arange(count) * np.timedelta64(1, "h")
    return {
        "spacecraft_id": np.full(count, craft.pk),
        "station_id": np.full(count, station.pk),
        "aos": aos,
        "tca": aos + np.timedelta64(300, "s"),
        "los": aos + np.timedelta64(600_000_001, "us"),
        "max_elevation_deg": np.array([10.471329, 45.0, 89.999999]),
        "aos_azimuth_deg": np.array([0.0, 180.5, 359.999]),
        "los_azimuth_deg": np.array([1e-9, -0.0, 12.25]),
        "clipped_start": np.array([True, False, False]),
        "clipped_end": np.array([False, False, True]),
        "ephemeris_id": np.full(count, ephemeris.pk),
        "computed_at": np.full(count, np.datetime64("1999-12-31T23:59:59.999999", "us")),
    }


def test_what_is_read_is_what_was_written_to_the_last_digit(columns):
    insert_columns(ContactWindow, columns)
    rows = list(ContactWindow.objects.order_by("aos"))
    assert [row.aos for row in rows] == [AT + timedelta(hours=hours) for hours in range(3)]
    for number, row in enumerate(rows):
        assert row.los - row.aos == timedelta(seconds=600, microseconds=1)
        for name in ("max_elevation_deg", "aos_azimuth_deg", "los_azimuth_deg"):
            assert getattr(row, name) == columns[name][number]
        assert row.clipped_start is bool(columns["clipped_start"][number])
        assert row.clipped_end is bool(columns["clipped_end"][number])
        assert row.computed_at == datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def test_all_are_inserted_or_none(columns):
    columns["aos"][2] = columns["aos"][1]  # the same window twice
    with pytest.raises(IntegrityError, match=r"contact_?window"), transaction.atomic():
        insert_columns(ContactWindow, columns)
    assert not ContactWindow.objects.exists()


@pytest.mark.only_on("postgresql")
def test_postgresql_gets_one_command_for_all(columns):
    with CaptureQueriesContext(connection) as queries:
        insert_columns(ContactWindow, columns)
    [query] = queries
    assert "COPY" in query["sql"]
    assert ContactWindow.objects.count() == 3
