"""The committed table: written, read and compared."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from missioncontrol.accounts.policy import Role
from tests.integration.access.asking import Row

FILE = Path(__file__).resolve().parents[3] / "docs" / "security" / "access-matrix.csv"
HEAD = [
    "route",
    "by",
    "role held at",
    "stranger",
    "no role",
    *Role,
    "token without scope",
    "fresh proof",
]


class Family(StrEnum):
    """What is asked together; the value is in the order of the table."""

    ACCOUNT = "account"
    API = "api"
    COMMANDS = "commands"
    CONSOLE = "console"
    LOG = "log"
    SOCKETS = "sockets"

    @staticmethod
    def of(route: str) -> Family:
        """Return the family of a route as the table writes it."""
        method, _, address = route.partition(" ")
        if method in {"OPEN", "HEAR"}:
            return Family.SOCKETS
        if method in {"mc", "manage.py"}:
            return Family.COMMANDS
        first = address.split("/")[1]
        return _BY_FIRST_WORD.get(first, Family.CONSOLE)


_BY_FIRST_WORD = {
    "account": Family.ACCOUNT,
    "api": Family.API,
    "log": Family.LOG,
    "signin": Family.ACCOUNT,
    "signout": Family.ACCOUNT,
}


def read(family: Family | None = None) -> list[Row]:
    """Return the committed rows, of one family or all; none where there is no table yet."""
    if not FILE.exists():
        return []
    with FILE.open(encoding="utf-8", newline="") as stream:
        head, *lines = csv.reader(stream)
    assert head == HEAD, f"{FILE.name} has other columns; delete it and run make access-matrix"
    rows = [
        Row(
            route=line[0],
            by=line[1],
            at=line[2],
            stranger=line[3],
            without_role=line[4],
            roles=tuple(line[5:-2]),
            unscoped=line[-2],
            confirmed=line[-1],
        )
        for line in lines
    ]
    return [row for row in rows if family in {None, Family.of(row.route)}]


def replace(family: Family, rows: Iterable[Row]) -> None:
    """Write the rows of one family anew; those of the others stay."""
    kept = [row for row in read() if Family.of(row.route) is not family]
    with FILE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEAD)
        # One route's rows stay in their order.
        writer.writerows(map(_cells, sorted([*kept, *rows], key=_place)))


def _place(row: Row) -> tuple[str, str, str]:
    method, _, address = row.route.partition(" ")
    return Family.of(row.route), address, method


def _cells(row: Row) -> list[str]:
    return [
        *(row.route, row.by, row.at, row.stranger, row.without_role, *row.roles),
        *(row.unscoped, row.confirmed),
    ]


def differences(committed: Iterable[Row], found: Iterable[Row]) -> list[str]:
    """Return a line for each cell that is not as committed, and for each row more or less."""
    was = {(row.route, row.by, row.at): _cells(row) for row in committed}
    now = {(row.route, row.by, row.at): _cells(row) for row in found}
    lines = [f"{', '.join(key)}: is not in the table" for key in now if key not in was]
    lines += [f"{', '.join(key)}: is in the table only" for key in was if key not in now]
    for key in now.keys() & was.keys():
        lines += [
            f"{', '.join(key)}, {column}: the table says {before or 'nothing'}, it is {after}"
            for column, before, after in zip(HEAD, was[key], now[key], strict=True)
            if before != after
        ]
    return sorted(lines)
