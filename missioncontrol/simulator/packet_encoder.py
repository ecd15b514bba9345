"""Telemetry packets by the telemetry dictionary, so that both ends read one document.

The inverse of the ground's decoder: engineering values in, calibrated back to
raw values, cut to the range of their field, put where the dictionary has them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from missioncontrol.simulator.models.situation import Value
from telemetry.dictionary.layout import FixedLayout, fixed_layouts
from telemetry.dictionary.model import (
    Dictionary,
    FloatEncoding,
    FloatForm,
    IntegerEncoding,
    IntegerForm,
    Parameter,
    PolynomialCalibrator,
    StringEncoding,
    TypeKind,
    comparisons_in,
)

_APID_BITS: Final = (5, 11)  # offset and size of the APID in every Space Packet
_FLOAT_FORMATS: Final = {32: ">f", 64: ">d"}

_ToRaw = Callable[[Value], int]


class EncoderError(ValueError):
    """The dictionary has something that this encoder cannot make."""


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    shift_bits: int  # from the last bit of the packet's user data
    to_raw: _ToRaw


class ContainerEncoder:
    """Makes the user data of one kind of packet."""

    def __init__(self, layout: FixedLayout, *, start_octets: int) -> None:
        """Prepare to encode the fields of *layout* from *start_octets* on.

        Raises:
            EncoderError: A field of a kind or calibration that cannot be inverted.
        """
        self._octets = layout.octets_needed - start_octets
        end_bits = layout.octets_needed * 8
        self._slots = tuple(
            _Slot(
                name=field.parameter.name,
                shift_bits=end_bits - field.offset_bits - field.size_bits,
                to_raw=_inverse_of(field.parameter),
            )
            for field in layout.fields
            if field.offset_bits >= start_octets * 8
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that it needs, in the packet's order."""
        return tuple(slot.name for slot in self._slots)

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """Return the octets after the secondary header.

        Raises:
            KeyError: A parameter has no value, or an enumeration no such label.
        """
        word = 0
        for slot in self._slots:
            word |= slot.to_raw(values[slot.name]) << slot.shift_bits
        return word.to_bytes(self._octets, "big")


def container_encoders(
    dictionary: Dictionary, *, start_octets: int
) -> dict[int, ContainerEncoder]:
    """Return an encoder for each APID that the dictionary describes.

    Args:
        dictionary: What the ground decodes by.
        start_octets: Where user data begin: after the primary and secondary header.

    Raises:
        EncoderError: Something in it cannot be encoded.
    """
    return {
        apid: ContainerEncoder(layout, start_octets=start_octets)
        for layout in fixed_layouts(dictionary)
        for apid in _apids_of(layout)
    }


def _apids_of(layout: FixedLayout) -> list[int]:
    names = {
        field.parameter.name
        for field in layout.fields
        if (field.offset_bits, field.size_bits) == _APID_BITS
    }
    restriction = layout.container.restriction
    tests = [] if restriction is None else list(comparisons_in(restriction))
    return [int(str(test.value), 0) for test in tests if test.parameter in names]


def _inverse_of(parameter: Parameter) -> _ToRaw:
    encoding = parameter.type.encoding
    if isinstance(encoding, FloatEncoding) and _is_plain_float(encoding):
        return _float_to_raw(_FLOAT_FORMATS[encoding.size_bits])
    if isinstance(encoding, StringEncoding):
        return _text_to_raw(encoding)
    if isinstance(encoding, IntegerEncoding) and _is_plain_integer(encoding):
        return _integer_inverse(parameter, encoding)
    raise EncoderError(f"{parameter.name} is encoded as {encoding}, which is not made here.")


def _is_plain_float(encoding: FloatEncoding) -> bool:
    plain = encoding.form is FloatForm.IEEE754 and not encoding.byte_order
    return plain and encoding.size_bits in _FLOAT_FORMATS


def _is_plain_integer(encoding: IntegerEncoding) -> bool:
    forms = {IntegerForm.UNSIGNED, IntegerForm.TWOS_COMPLEMENT}
    return encoding.form in forms and not encoding.byte_order


def _integer_inverse(parameter: Parameter, encoding: IntegerEncoding) -> _ToRaw:
    if parameter.type.kind is TypeKind.ENUMERATED:
        return _label_to_raw({label.label: label.value for label in parameter.type.labels})
    if parameter.type.kind is TypeKind.BOOLEAN:
        return lambda value: int(bool(value))
    offset, slope = _line_of(parameter)
    low = -(1 << encoding.size_bits - 1) if encoding.signed else 0
    high = (1 << encoding.size_bits - encoding.signed) - 1
    mask = (1 << encoding.size_bits) - 1

    def to_raw(value: Value) -> int:
        raw = round((float(value) - offset) / slope)
        return min(high, max(low, raw)) & mask

    return to_raw


def _line_of(parameter: Parameter) -> tuple[float, float]:
    """Return offset and slope of the calibration."""
    if parameter.calibrator is None:
        return 0.0, 1.0
    calibrator = parameter.calibrator
    coefficients = calibrator.coefficients if isinstance(calibrator, PolynomialCalibrator) else ()
    if len(coefficients) != 2 or coefficients[1] == 0.0:
        raise EncoderError(
            f"The calibrator of {parameter.name} has the coefficients {coefficients}; "
            "only a straight line that rises or falls can be inverted."
        )
    return coefficients[0], coefficients[1]


def _label_to_raw(values: dict[str, int]) -> _ToRaw:
    def to_raw(value: Value) -> int:
        return value if isinstance(value, int) else values[str(value)]

    return to_raw


def _float_to_raw(layout: str) -> _ToRaw:
    def to_raw(value: Value) -> int:
        return int.from_bytes(struct.pack(layout, float(value)), "big")

    return to_raw


def _text_to_raw(encoding: StringEncoding) -> _ToRaw:
    assert isinstance(encoding.size_bits, int)
    octets = encoding.size_bits // 8

    def to_raw(value: Value) -> int:
        text = str(value).encode(encoding.charset)[:octets]
        return int.from_bytes(text.ljust(octets, encoding.terminator or b" "), "big")

    return to_raw
