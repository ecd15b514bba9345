from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.conf import settings

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.errors import RefusedError
from telemetry.archive import ArchiveReader, ClickHouseServer, open_reader
from telemetry.definition import CompiledDictionary, compiled
from telemetry.dictionary import Parameter
from telemetry.pipeline import UNIX_EPOCH


class TelemetryRefusedError(RefusedError):
    """The question cannot be answered as it was put."""


def archive_folder(spacecraft: Spacecraft) -> Path:
    """Return where the history of one spacecraft lives.

    A folder each, and so a writer each: a dump of one can be read in while
    another is on the air.
    """
    return Path(settings.ARCHIVE_DIR) / spacecraft.name


def column_server() -> ClickHouseServer | None:
    """Return the ClickHouse that holds the columns of all archives; None: their folders do."""
    return ClickHouseServer.at(settings.ARCHIVE_URL) if settings.ARCHIVE_URL else None


@contextmanager
def archive_reader(spacecraft: Spacecraft) -> Iterator[ArchiveReader]:
    """Open the archive of a spacecraft for reading; an empty one where nothing came yet."""
    folder = archive_folder(spacecraft)
    folder.mkdir(parents=True, exist_ok=True)
    with open_reader(folder, clickhouse=column_server()) as reader:
        yield reader


def parameters_of(spacecraft: Spacecraft) -> dict[str, Parameter]:
    """Return the parameters of a spacecraft's dictionary, in its order."""
    return dict(compiled(spacecraft.telemetry_dictionary).dictionary.parameters)


def known_parameter(spacecraft: Spacecraft, what: CompiledDictionary, name: str) -> Parameter:
    try:
        return what.dictionary.parameters[name]
    except KeyError:
        raise TelemetryRefusedError(
            f"{spacecraft} has no parameter {name!r}; its dictionary has "
            f"{len(what.dictionary.parameters)}, see the latest values for their names."
        ) from None


def instant(time_us: int | np.int64) -> datetime:
    return UNIX_EPOCH + timedelta(microseconds=int(time_us))
