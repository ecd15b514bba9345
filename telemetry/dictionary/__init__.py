"""Telemetry dictionaries: XTCE in, compiled decoders and calibrators out. Pure.

Source: OMG XTCE 1.2 (CCSDS 660.0-B-2). The octets of a document come in; no
file is opened here and nothing is fetched from a network.
"""

from telemetry.dictionary.calibration import engineering
from telemetry.dictionary.decoder import DecodedBatch, Decoder, Undecoded, compile_dictionary
from telemetry.dictionary.layout import DictionaryError
from telemetry.dictionary.model import Container, Dictionary, Parameter
from telemetry.dictionary.xtce import XtceError, parse_xtce

__all__ = [
    "Container",
    "DecodedBatch",
    "Decoder",
    "Dictionary",
    "DictionaryError",
    "Parameter",
    "Undecoded",
    "XtceError",
    "compile_dictionary",
    "engineering",
    "parse_xtce",
]
