"""An independent bit writer and a small XTCE author, for round trips.

It works on strings of '0' and '1', so that it shares no idea with the decoder.
"""

from __future__ import annotations

import struct


def unsigned(value: int, size: int) -> str:
    return format(value, f"0{size}b")


def signed(value: int, size: int) -> str:
    return format(value % (1 << size), f"0{size}b")


def octets(value: bytes) -> str:
    return "".join(format(octet, "08b") for octet in value)


def reversed_octets(bits: str) -> str:
    return "".join(bits[i : i + 8] for i in range(len(bits) - 8, -1, -8))


def real(value: float, size: int) -> str:
    return octets(struct.pack(">f" if size == 32 else ">d", value))


def packed(*bits: str) -> bytes:
    """Return the bits as octets, zero bits added at the end."""
    joined = "".join(bits)
    joined += "0" * (-len(joined) % 8)
    return bytes(int(joined[i : i + 8], 2) for i in range(0, len(joined), 8))


def document(
    *,
    types: str = "",
    parameters: str = "",
    containers: str = "",
    algorithms: str = "",
    systems: str = "",
) -> bytes:
    """Return an XTCE document of one SpaceSystem called ``Craft``."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<SpaceSystem name="Craft" xmlns="http://www.omg.org/spec/XTCE/20180204">
{telemetry(types=types, parameters=parameters, containers=containers, algorithms=algorithms)}
{systems}
</SpaceSystem>
""".encode()


def telemetry(
    *, types: str = "", parameters: str = "", containers: str = "", algorithms: str = ""
) -> str:
    sets = {
        "ParameterTypeSet": types,
        "ParameterSet": parameters,
        "ContainerSet": containers,
        "AlgorithmSet": algorithms,
    }
    # The schema allows no empty set; its line stays, so that line numbers do not move.
    lines = [f"<{name}>{inside}</{name}>" if inside else "" for name, inside in sets.items()]
    return "\n".join(("<TelemetryMetaData>", *lines, "</TelemetryMetaData>"))


def parameter(name: str, type_name: str) -> str:
    return f'<Parameter name="{name}" parameterTypeRef="{type_name}"/>'


def container(name: str, entries: str, *, base: str = "", abstract: bool = False) -> str:
    return (
        f'<SequenceContainer name="{name}" abstract="{str(abstract).lower()}">'
        f"<EntryList>{entries}</EntryList>{base}</SequenceContainer>"
    )


def entry(name: str) -> str:
    return f'<ParameterRefEntry parameterRef="{name}"/>'


def integer_type(name: str, size: int, *, encoding: str = "unsigned", order: str = "") -> str:
    attribute = f' byteOrder="{order}"' if order else ""
    return (
        f'<IntegerParameterType name="{name}">'
        f'<IntegerDataEncoding sizeInBits="{size}" encoding="{encoding}"{attribute}/>'
        "</IntegerParameterType>"
    )


def single_field(type_xml: str, type_name: str = "t", *, skip_bits: int = 0) -> bytes:
    """Return a document of one container ``C`` with one parameter ``P`` of the type."""
    place = f"<FixedValue>{skip_bits}</FixedValue>"
    return document(
        types=type_xml,
        parameters=parameter("P", type_name),
        containers=container(
            "C",
            '<ParameterRefEntry parameterRef="P"><LocationInContainerInBits'
            f' referenceLocation="containerStart">{place}</LocationInContainerInBits>'
            "</ParameterRefEntry>",
        ),
    )
