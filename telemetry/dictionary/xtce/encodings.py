"""Data encodings of XTCE: how the octets of one value are laid out.

Source: OMG XTCE 1.2, IntegerDataEncodingType and its siblings.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from telemetry.dictionary.model import (
    BinaryEncoding,
    Calibrator,
    ContextCalibrator,
    Encoding,
    FloatEncoding,
    FloatForm,
    IntegerEncoding,
    IntegerForm,
    IntegerValue,
    StringEncoding,
    least_significant_first,
)
from telemetry.dictionary.xtce.calibrators import read_calibrator, read_context_calibrators
from telemetry.dictionary.xtce.criteria import read_dynamic, read_integer, read_lookup
from telemetry.dictionary.xtce.names import Scope
from telemetry.dictionary.xtce.xml_reading import (
    Node,
    local_name,
    positive_number,
    real_number,
    whole_number,
)

MAX_INTEGER_BITS: Final = 1024
WORD_BITS: Final = 64  # the widest integer that calibrators and comparisons take
_BIG: Final = "mostSignificantByteFirst"
_LITTLE: Final = "leastSignificantByteFirst"
_ORDERS: Final = ("bitOrder", "byteOrder")
_CALIBRATORS: Final = ("DefaultCalibrator", "ContextCalibratorList")
_FORMS: Final = tuple(form.value for form in IntegerForm)
_FLOAT_SIZES: Final = {
    "IEEE754_1985": (FloatForm.IEEE754, ("16", "32", "64")),
    "IEEE754": (FloatForm.IEEE754, ("16", "32", "64")),
    "MILSTD_1750A": (FloatForm.MIL_STD_1750A, ("32", "48")),
}
_CHARSETS: Final = (
    *("US-ASCII", "ISO-8859-1", "Windows-1252", "UTF-8"),
    *("UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE"),
)


@dataclass(frozen=True, slots=True)
class ReadEncoding:
    encoding: Encoding
    calibrator: Calibrator | None = None
    contexts: tuple[ContextCalibrator, ...] = ()


def read_encoding(element: etree._Element, scope: Scope) -> ReadEncoding:
    """Read one data encoding element, whose name must be in ``ENCODINGS``."""
    return ENCODINGS[local_name(element)](element, scope)


def _integer(element: etree._Element, scope: Scope) -> ReadEncoding:
    node = Node(
        element,
        attributes=("encoding", "sizeInBits", "changeThreshold", *_ORDERS),
        children=_CALIBRATORS,
    )
    size_bits = node.integer("sizeInBits", 8)
    if not 1 <= size_bits <= MAX_INTEGER_BITS:
        raise node.error(
            f"an integer of {size_bits} bits is not supported; the limits are 1 and"
            f" {MAX_INTEGER_BITS}. Use a binary type for longer fields"
        )
    node.optional("changeThreshold", whole_number)  # for archives that leave out small changes
    form = IntegerForm(node.choice("encoding", _FORMS, "unsigned"))
    encoding = IntegerEncoding(
        size_bits=size_bits, form=form, byte_order=_byte_order(node, size_bits)
    )
    read = _with_calibrators(node, encoding, scope)
    if size_bits > WORD_BITS and (form is not IntegerForm.UNSIGNED or encoding.byte_order):
        raise node.error(
            f"{form} or another byte order with {size_bits} bits is not supported; above"
            f" {WORD_BITS} bits an integer is unsigned and {_BIG}"
        )
    if size_bits > WORD_BITS and (read.calibrator or read.contexts):
        raise node.error(
            f"a calibrator of an integer of {size_bits} bits is not supported; the limit is"
            f" {WORD_BITS}"
        )
    return read


def _float(element: etree._Element, scope: Scope) -> ReadEncoding:
    node = Node(
        element,
        attributes=("encoding", "sizeInBits", "changeThreshold", *_ORDERS),
        children=_CALIBRATORS,
    )
    node.optional("changeThreshold", real_number)
    form, sizes = _FLOAT_SIZES[node.choice("encoding", tuple(_FLOAT_SIZES), "IEEE754_1985")]
    size_bits = int(node.choice("sizeInBits", sizes, "32"))
    encoding = FloatEncoding(
        size_bits=size_bits, form=form, byte_order=_byte_order(node, size_bits)
    )
    return _with_calibrators(node, encoding, scope)


def _with_calibrators(node: Node, encoding: Encoding, scope: Scope) -> ReadEncoding:
    default = node.child("DefaultCalibrator")
    contexts = node.child("ContextCalibratorList")
    return ReadEncoding(
        encoding,
        None if default is None else read_calibrator(default, scope),
        () if contexts is None else read_context_calibrators(contexts, scope),
    )


def _string(element: etree._Element, scope: Scope) -> ReadEncoding:
    node = Node(element, attributes=("encoding", *_ORDERS), children=("SizeInBits", "Variable"))
    charset = _charset(node)
    found = node.one_of(("SizeInBits", "Variable"))
    if local_name(found) == "SizeInBits":
        size = Node(found, children=("Fixed", "TerminationChar", "LeadingSize"))
        fixed = Node(size.needed("Fixed"), children=("FixedValue",))
        size_bits: IntegerValue = _whole_octets(fixed.needed("FixedValue"))
    else:
        size = Node(
            found,
            attributes=("maxSizeInBits",),
            children=("DynamicValue", "DiscreteLookupList", "LeadingSize", "TerminationChar"),
        )
        # The room that others reserve for it; here a text takes what it needs.
        size.parse("maxSizeInBits", size.get("maxSizeInBits"), positive_number)
        given = size.one_of(("DynamicValue", "DiscreteLookupList"))
        read = read_dynamic if local_name(given) == "DynamicValue" else read_lookup
        size_bits = read(given, scope)
    leading_bits = _leading_size(size)
    return ReadEncoding(
        StringEncoding(
            size_bits=size_bits,
            charset=charset,
            terminator=None if leading_bits else _terminator(size, charset),
            leading_size_bits=leading_bits,
        )
    )


def _charset(node: Node) -> str:
    """Return the character set, which knows its own byte order."""
    charset = node.choice("encoding", _CHARSETS, "UTF-8")
    node.choice("bitOrder", ("mostSignificantBitFirst",), "mostSignificantBitFirst")
    order = node.choice("byteOrder", (_BIG, _LITTLE), _BIG)
    if charset in {"UTF-16", "UTF-32"}:
        return charset + ("LE" if order == _LITTLE else "BE")
    if order == _LITTLE and not charset.endswith("LE"):
        raise node.error(f"{_LITTLE} of {charset} is not supported: its characters are octets")
    return charset


def _leading_size(size: Node) -> int:
    found = size.child("LeadingSize")
    if found is None:
        return 0
    node = Node(found, attributes=("sizeInBitsOfSizeTag",))
    bits = node.integer("sizeInBitsOfSizeTag", 16)
    if bits not in {8, 16, 24, 32}:
        raise node.error(f"sizeInBitsOfSizeTag={bits} is not supported; supported: 8, 16, 24, 32")
    return bits


def _terminator(size: Node, charset: str) -> bytes | None:
    found = size.child("TerminationChar")
    if found is None:
        return None
    mark = Node(found, text=True)
    terminator = mark.parse("TerminationChar", mark.text() or "00", bytes.fromhex)
    if len(terminator) % len("x".encode(charset)):
        raise mark.error(
            f"{terminator.hex()} is no character of {codecs.lookup(charset).name},"
            f" which has {len('x'.encode(charset))} octets"
        )
    return terminator


def _binary(element: etree._Element, scope: Scope) -> ReadEncoding:
    node = Node(element, attributes=_ORDERS, children=("SizeInBits",))
    node.choice("bitOrder", ("mostSignificantBitFirst",), "mostSignificantBitFirst")
    node.choice("byteOrder", (_BIG,), _BIG)
    size = read_integer(node.needed("SizeInBits"), scope)
    if isinstance(size, int):
        _check_octets(node, size)
    return ReadEncoding(BinaryEncoding(size_bits=size))


def _whole_octets(element: etree._Element) -> int:
    """Return the FixedValue, in bits, which must be whole octets."""
    value = Node(element, text=True)
    size_bits = value.parse("FixedValue", value.text(), whole_number)
    _check_octets(value, size_bits)
    return size_bits


def _check_octets(node: Node, size_bits: int) -> None:
    if size_bits < 8 or size_bits % 8:
        raise node.error(f"{size_bits} bits is not supported; it needs whole octets")


def _byte_order(node: Node, size_bits: int) -> tuple[int, ...]:
    """Return the significances of the octets as sent; empty for the most significant first."""
    node.choice("bitOrder", ("mostSignificantBitFirst",), "mostSignificantBitFirst")
    text = node.get("byteOrder", _BIG)
    if text == _BIG:
        return ()
    if size_bits % 8:
        raise node.error(f"{text} with {size_bits} bits is not supported; it needs whole octets")
    if text == _LITTLE:
        order = least_significant_first(size_bits)
    else:
        order = node.parse("byteOrder", text, _listed_order)
        if sorted(order) != list(range(size_bits // 8)):
            raise node.error(
                f"byteOrder={text!r} is not supported for {size_bits} bits; it lists each of"
                f" 0 to {size_bits // 8 - 1} once, or is {_BIG} or {_LITTLE}"
            )
    return () if order == tuple(reversed(range(size_bits // 8))) else order


def _listed_order(text: str) -> tuple[int, ...]:
    return tuple(whole_number(part) for part in text.split(","))


ENCODINGS: Final[dict[str, Callable[[etree._Element, Scope], ReadEncoding]]] = {
    "IntegerDataEncoding": _integer,
    "FloatDataEncoding": _float,
    "StringDataEncoding": _string,
    "BinaryDataEncoding": _binary,
}
