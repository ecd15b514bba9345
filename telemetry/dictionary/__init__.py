"""Telemetry dictionaries: XTCE in, compiled decoders and calibrators out. Pure.

Source: OMG XTCE 1.2 (CCSDS 660.0-B-2). The octets of a document come in; no
file is opened here and nothing is fetched from a network.
"""

from telemetry.dictionary.batches import DecodedBatch, DecodeResult, Undecoded
from telemetry.dictionary.calibration import engineering, raw_values, straight_line
from telemetry.dictionary.decoder import Decoder, compile_dictionary
from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.histories import Histories, Memory
from telemetry.dictionary.layout import PlacedField
from telemetry.dictionary.model import Container, Dictionary, Parameter, expected_periods_s
from telemetry.dictionary.placing import PacketLayout
from telemetry.dictionary.xtce import XtceError, parse_xtce

__all__ = [
    "Container",
    "DecodeResult",
    "DecodedBatch",
    "Decoder",
    "Dictionary",
    "DictionaryError",
    "Histories",
    "Memory",
    "PacketLayout",
    "Parameter",
    "PlacedField",
    "Undecoded",
    "XtceError",
    "compile_dictionary",
    "engineering",
    "expected_periods_s",
    "parse_xtce",
    "raw_values",
    "straight_line",
]
