"""What an XTCE element says of itself: descriptions, aliases, annotations.

None of it changes a value. Source: OMG XTCE 1.2, NameDescriptionType and HeaderType.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from telemetry.dictionary.xtce.xml_reading import Node, local_name

NAMED: Final = ("name", "shortDescription")
DESCRIBED: Final = ("LongDescription", "AliasSet", "AncillaryDataSet")
_STATUSES: Final = (
    *("Unknown", "Working", "Draft", "Test"),
    *("Validated", "Released", "Withdrawn"),
)


def description_of(node: Node) -> str:
    """Return the long description, or else the short one; check what else describes it."""
    aliases_of(node)
    ancillary_data(node)
    found = node.child("LongDescription")
    long = Node(found, text=True).text() if found is not None else ""
    return long or node.get("shortDescription", "")


def aliases_of(node: Node) -> tuple[tuple[str, str], ...]:
    """Return (name space, alias) pairs."""
    found = node.child("AliasSet")
    if found is None:
        return ()
    aliases = []
    for child in Node(found, children=(("Alias",),)).some_children():
        alias = Node(child, attributes=("nameSpace", "alias"))
        aliases.append((alias.get("nameSpace"), alias.get("alias")))
    return tuple(aliases)


def ancillary_data(node: Node) -> dict[str, Node]:
    """Return the annotations by name; most of them are for other systems than this."""
    found = node.child("AncillaryDataSet")
    if found is None:
        return {}
    data: dict[str, Node] = {}
    listed = Node(found, children=(("AncillaryData",),))
    for child in listed.some_children():
        each = Node(child, attributes=("name", "mimeType", "href"), text=True)
        data[each.get("name")] = each
    return data


def check_header(element: etree._Element) -> None:
    """Check the shape of a Header: authors, notes and history."""
    header = Node(
        element,
        attributes=(
            *("version", "date", "classification"),
            *("classificationInstructions", "validationStatus"),
        ),
        children=("AuthorSet", "NoteSet", "HistorySet"),
    )
    header.choice("validationStatus", _STATUSES)
    for child in header.children():
        item = local_name(child).removesuffix("Set")
        for each in Node(child, children=((item,),)).children():
            Node(each, text=True)
