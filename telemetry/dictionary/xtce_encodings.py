"""Data encodings of XTCE: how the octets of one parameter are laid out.

Source: OMG XTCE 1.2, IntegerDataEncodingType and its siblings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from telemetry.dictionary.model import (
    BinaryEncoding,
    Encoding,
    FloatEncoding,
    IntegerEncoding,
    PolynomialCalibrator,
    StringEncoding,
)
from telemetry.dictionary.xml_reading import Node, local_name

MAX_INTEGER_BITS: Final = 64  # the widest column
MAX_EXPONENT: Final = 16
_BIG: Final = "mostSignificantByteFirst"
_LITTLE: Final = "leastSignificantByteFirst"
_ORDERS: Final = ("bitOrder", "byteOrder")
_CHARSETS: Final = ("US-ASCII", "ISO-8859-1", "Windows-1252", "UTF-8")


@dataclass(frozen=True, slots=True)
class ReadEncoding:
    encoding: Encoding
    calibrator: PolynomialCalibrator | None = None


def read_encoding(element: etree._Element) -> ReadEncoding:
    """Read one data encoding element, whose name must be in ``ENCODINGS``."""
    return ENCODINGS[local_name(element)](element)


def _integer(element: etree._Element) -> ReadEncoding:
    node = Node(
        element,
        attributes=("encoding", "sizeInBits", *_ORDERS),
        children=("DefaultCalibrator",),
    )
    size_bits = node.integer("sizeInBits", 8)
    if not 1 <= size_bits <= MAX_INTEGER_BITS:
        raise node.error(
            f"an integer of {size_bits} bits is not supported; the limits are 1 and"
            f" {MAX_INTEGER_BITS}. Use a binary type for longer fields"
        )
    little_endian = _is_little_endian(node)
    if little_endian and size_bits % 8:
        raise node.error(
            f"{_LITTLE} with {size_bits} bits is not supported; it needs whole octets"
        )
    signed = node.choice("encoding", ("unsigned", "twosComplement"), "unsigned")
    return ReadEncoding(
        IntegerEncoding(
            size_bits=size_bits,
            signed=signed == "twosComplement",
            little_endian=little_endian,
        ),
        _calibrator_of(node),
    )


def _float(element: etree._Element) -> ReadEncoding:
    node = Node(
        element,
        attributes=("encoding", "sizeInBits", *_ORDERS),
        children=("DefaultCalibrator",),
    )
    node.choice("encoding", ("IEEE754_1985", "IEEE754"), "IEEE754_1985")
    size_bits = int(node.choice("sizeInBits", ("32", "64"), "32"))
    encoding = FloatEncoding(size_bits=size_bits, little_endian=_is_little_endian(node))
    return ReadEncoding(encoding, _calibrator_of(node))


def _string(element: etree._Element) -> ReadEncoding:
    node = Node(element, attributes=("encoding", *_ORDERS), children=("SizeInBits",))
    charset = node.choice("encoding", _CHARSETS, "UTF-8")
    size = Node(node.needed("SizeInBits"), children=("Fixed", "TerminationChar"))
    fixed = Node(size.needed("Fixed"), children=("FixedValue",))
    found = size.child("TerminationChar")
    terminator = None
    if found is not None:
        mark = Node(found)
        terminator = mark.parse("TerminationChar", mark.text() or "00", bytes.fromhex)
    _refuse_little_endian(node)
    return ReadEncoding(
        StringEncoding(size_bits=_whole_octets(fixed), charset=charset, terminator=terminator)
    )


def _binary(element: etree._Element) -> ReadEncoding:
    node = Node(element, attributes=_ORDERS, children=("SizeInBits",))
    size = Node(node.needed("SizeInBits"), children=("FixedValue",))
    _refuse_little_endian(node)
    return ReadEncoding(BinaryEncoding(size_bits=_whole_octets(size)))


def _whole_octets(node: Node) -> int:
    """Return the FixedValue, in bits, which must be whole octets."""
    value = Node(node.needed("FixedValue"))
    size_bits = value.parse("FixedValue", value.text(), int)
    if size_bits < 8 or size_bits % 8:
        raise value.error(f"{size_bits} bits is not supported; it needs whole octets")
    return size_bits


def _is_little_endian(node: Node) -> bool:
    node.choice("bitOrder", ("mostSignificantBitFirst",), "mostSignificantBitFirst")
    return node.choice("byteOrder", (_BIG, _LITTLE), _BIG) == _LITTLE


def _refuse_little_endian(node: Node) -> None:
    if _is_little_endian(node):
        raise node.error(f"{_LITTLE} of <{node.name}> is not supported")


def _calibrator_of(node: Node) -> PolynomialCalibrator | None:
    found = node.child("DefaultCalibrator")
    if found is None:
        return None
    default = Node(
        found, attributes=("name", "shortDescription"), children=("PolynomialCalibrator",)
    )
    polynomial = Node(default.needed("PolynomialCalibrator"), children=("Term",))
    terms: dict[int, float] = {}
    for child in polynomial.children():
        term = Node(child, attributes=("coefficient", "exponent"))
        exponent = term.integer("exponent")
        if not 0 <= exponent <= MAX_EXPONENT:
            raise term.error(f"exponent {exponent} is not in 0 to {MAX_EXPONENT}")
        if exponent in terms:
            raise term.error(f"exponent {exponent} is given twice")
        terms[exponent] = term.number("coefficient")
    if not terms:
        raise polynomial.error("the polynomial has no term")
    return PolynomialCalibrator(tuple(terms.get(i, 0.0) for i in range(max(terms) + 1)))


ENCODINGS: Final[dict[str, Callable[[etree._Element], ReadEncoding]]] = {
    "IntegerDataEncoding": _integer,
    "FloatDataEncoding": _float,
    "StringDataEncoding": _string,
    "BinaryDataEncoding": _binary,
}
