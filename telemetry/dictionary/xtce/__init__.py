"""Reads telemetry dictionaries in XTCE 1.2."""

from telemetry.dictionary.xtce.document import parse_xtce
from telemetry.dictionary.xtce.xml_reading import XtceError

__all__ = ["XtceError", "parse_xtce"]
