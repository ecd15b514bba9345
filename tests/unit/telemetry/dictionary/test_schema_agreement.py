"""The reader against the schema of XTCE 1.2: what the schema refuses is refused here too.

The schema itself is not part of the project (its licence does not allow that to be
certain); where it is beside the checkout, thousands of spoilt documents are put to both.
"""

from __future__ import annotations

import random
from copy import deepcopy

import pytest
from lxml import etree

from telemetry.dictionary import XtceError, compile_dictionary, parse_xtce
from tests.unit.telemetry.dictionary.every_feature import DOCUMENT
from tests.vectors import shared_vector

SCHEMA_NAMESPACE = "{http://www.w3.org/2001/XMLSchema}"
ROUNDS = 3000


@pytest.fixture(scope="module")
def schema():
    tree = etree.parse(shared_vector("xtce_SpaceSystem_1.2.xsd"))
    # xml:base comes from a second schema, on the network; nothing here uses it.
    for attribute in list(tree.iter(f"{SCHEMA_NAMESPACE}attribute")):
        if attribute.get("ref", "").startswith("xml:"):
            attribute.getparent().remove(attribute)
    for imported in list(tree.iter(f"{SCHEMA_NAMESPACE}import")):
        imported.getparent().remove(imported)
    return etree.XMLSchema(tree)


def spoil(root, rng):
    """Change one thing in a copy of a document; return it and what was done."""
    copy = deepcopy(root)
    elements = [e for e in copy.iter(etree.Element) if e.getparent() is not None]
    element = rng.choice(elements)
    parent = element.getparent()
    deed = rng.choice(["drop", "double", "swap", "attribute", "value", "text", "stray", "rename"])
    if deed == "drop":
        parent.remove(element)
    elif deed == "double":
        parent.insert(parent.index(element), deepcopy(element))
    elif deed == "swap":
        other = rng.choice(list(parent))
        parent[parent.index(element)] = deepcopy(other)
    elif deed == "attribute" and element.attrib:
        del element.attrib[rng.choice(list(element.attrib))]
    elif deed == "value" and element.attrib:
        name = rng.choice(list(element.attrib))
        element.set(name, rng.choice(["", "x", "-1", "1.5", "true", "a b", "a/b", "1_0", "nan"]))
    elif deed == "text" and element.text and element.text.strip():
        element.text = rng.choice(["", "x", "-1", "1.5", "1_0", "zz"])
    elif deed == "stray":
        element.text = "stray"
    else:
        element.tag = rng.choice(elements).tag
    return copy, f"{deed} at line {element.sourceline} <{etree.QName(element).localname}>"


def read_anyhow(xml, message):
    parse_xtce(xml)
    pytest.fail(message)


def test_the_document_of_every_feature_is_valid_by_the_schema_and_compiles(schema):
    assert schema.validate(etree.fromstring(DOCUMENT)), schema.error_log
    dictionary = parse_xtce(DOCUMENT)
    assert compile_dictionary(dictionary).containers == ("Fixed", "Varying")


def test_refuses_with_a_line_what_the_schema_refuses(schema):
    rng = random.Random(12)
    root = etree.fromstring(DOCUMENT)
    refused = 0
    for _ in range(ROUNDS):
        spoilt, deed = spoil(root, rng)
        if schema.validate(spoilt):
            continue
        message = schema.error_log.last_error.message
        with pytest.raises(XtceError) as caught:
            read_anyhow(etree.tostring(spoilt), f"{deed}: read, but by the schema: {message}")
        assert caught.value.line > 0, deed
        refused += 1
    assert refused > ROUNDS / 3
