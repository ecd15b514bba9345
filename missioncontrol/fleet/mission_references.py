"""What a mission file says twice, and what it names that is not there.

No Django.
"""

from __future__ import annotations

from typing import Any

from missioncontrol.fleet.mission_errors import FieldProblem, shown


def rows_of(value: Any, key: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (path, row) of the rows of a list; what is no list or no row is left out.

    All checks here run on the raw document, so that they report beside the
    wrong fields and not only after those are mended.
    """
    rows = value.get(key) if isinstance(value, dict) else None
    if not isinstance(rows, list):
        return []
    return [(f"{key}[{at}]", row) for at, row in enumerate(rows) if isinstance(row, dict)]


def _nested(document: dict[str, Any], outer: str, inner: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{path}.{inner_path}", inner_row)
        for path, row in rows_of(document, outer)
        for inner_path, inner_row in rows_of(row, inner)
    ]


def duplicates(document: dict[str, Any]) -> list[FieldProblem]:
    """Return a problem for each row that has what only one may have."""
    problems = [
        *_repeated(rows_of(document, "organisations"), ("slug",)),
        *_repeated(rows_of(document, "stations"), ("name",)),
        *_repeated(_nested(document, "stations", "antennas"), ("name",)),
        *_repeated(rows_of(document, "spacecraft"), ("name",)),
        *_repeated(rows_of(document, "spacecraft"), ("ccsds_id",)),
        *_repeated(_nested(document, "spacecraft", "mission_profiles"), ("name",)),
    ]
    for path, spacecraft in rows_of(document, "spacecraft"):
        telecommands = [
            (f"{path}.{inner}", row) for inner, row in rows_of(spacecraft, "telecommands")
        ]
        problems += _repeated(telecommands, ("name",))
        problems += _repeated(telecommands, ("apid", "function_code"))
    return problems


def _repeated(rows: list[tuple[str, dict[str, Any]]], key: tuple[str, ...]) -> list[FieldProblem]:
    """Return a problem for each row whose *key* an earlier row has."""
    first_at: dict[str, str] = {}
    problems = []
    for path, row in rows:
        if any(row.get(name) is None for name in key):
            continue  # a missing field is reported as such
        value = ", ".join(shown(row[name]) for name in key)
        if value in first_at:
            problems.append(
                FieldProblem(
                    path=f"{path}.{key[-1]}",
                    value=value,
                    allowed=f"another {' and '.join(key)} than {first_at[value]} has",
                )
            )
        first_at.setdefault(value, path)
    return problems


def unknown_references(document: dict[str, Any]) -> list[FieldProblem]:
    """Return a problem for each name of something that the document does not hold."""
    spacecraft = rows_of(document, "spacecraft")
    owners = [
        *((f"{path}.owner", row.get("owner")) for path, row in rows_of(document, "stations")),
        *((f"{path}.operator", row.get("operator")) for path, row in spacecraft),
    ]
    relays = [
        (f"{path}.relays[{number}]", name)
        for path, row in spacecraft
        for number, name in enumerate(_list(row.get("relays")))
    ]
    slugs = {str(row.get("slug")) for _, row in rows_of(document, "organisations")}
    names = {str(row.get("name")) for _, row in spacecraft}
    itself = [
        FieldProblem(f"{path}.relays", shown(row["name"]), "other spacecraft than itself")
        for path, row in spacecraft
        if row.get("name") in _list(row.get("relays"))
    ]
    return [
        *_unknown(owners, slugs, "a slug out of organisations"),
        *_unknown(relays, names, "a name out of spacecraft"),
        *itself,
    ]


def _unknown(references: list[tuple[str, Any]], known: set[str], what: str) -> list[FieldProblem]:
    return [
        FieldProblem(path, shown(name), f"{what}: {', '.join(sorted(known))}")
        for path, name in references
        if isinstance(name, str) and name not in known
    ]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
