"""What a user asks of the sending end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uplink.cfdp.codes import TransmissionMode
from uplink.cfdp.fields import LENGTH_VALUE_LIMIT_OCTETS
from uplink.cfdp.snapshots import tlvs_from_json, tlvs_to_json
from uplink.cfdp.tlv import Tlv, encode_tlv


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRequest:
    """What to send (Put.request, section 3.4.1). The names are for the peer to read."""

    source_file_name: str
    destination_file_name: str
    size_octets: int
    transmission_mode: TransmissionMode = TransmissionMode.ACKNOWLEDGED
    options: tuple[Tlv, ...] = ()

    def __post_init__(self) -> None:
        """Check what the Metadata PDU could not hold.

        Raises:
            ValueError: A name or an option is longer than 255 octets.
        """
        for name in (self.source_file_name, self.destination_file_name):
            if len(name.encode()) > LENGTH_VALUE_LIMIT_OCTETS:
                raise ValueError(
                    f"file name {name[:40]!r}... has {len(name.encode())} octets; "
                    f"the limit is {LENGTH_VALUE_LIMIT_OCTETS}. Give a shorter one."
                )
        for tlv in self.options:
            encode_tlv(tlv)

    def to_json(self) -> dict[str, Any]:
        return {
            "source_file_name": self.source_file_name,
            "destination_file_name": self.destination_file_name,
            "size_octets": self.size_octets,
            "transmission_mode": int(self.transmission_mode),
            "options": tlvs_to_json(self.options),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PutRequest:
        mode = TransmissionMode(value["transmission_mode"])
        options = tlvs_from_json(value["options"])
        return cls(**{**value, "transmission_mode": mode, "options": options})
