"""Documents in which a packet decides what stands where, and what is decoded by them."""

from __future__ import annotations

from telemetry.dictionary import compile_dictionary, engineering, parse_xtce
from tests.unit.telemetry.dictionary import bits

COUNT_OF = '<DynamicValue><ParameterInstanceRef parameterRef="{}"/></DynamicValue>'
OCTETS_OF = (
    '<DynamicValue><ParameterInstanceRef parameterRef="{}"/>'
    '<LinearAdjustment slope="8" intercept="0"/></DynamicValue>'
)


def when(parameter: str, value: object, operator: str = "==") -> str:
    return (
        f'<IncludeCondition><Comparison parameterRef="{parameter}" value="{value}"'
        f' comparisonOperator="{operator}"/></IncludeCondition>'
    )


def repeated(count: str, offset: str = "") -> str:
    gap = f"<Offset>{offset}</Offset>" if offset else ""
    return f"<RepeatEntry><Count>{count}</Count>{gap}</RepeatEntry>"


def entry(name: str, inside: str = "", kind: str = "Parameter") -> str:
    reference = "containerRef" if kind == "Container" else "parameterRef"
    return f'<{kind}RefEntry {reference}="{name}">{inside}</{kind}RefEntry>'


def fixed(value: int) -> str:
    return f"<FixedValue>{value}</FixedValue>"


TYPES = (
    bits.integer_type("u3", 3)
    + bits.integer_type("u8", 8)
    + bits.integer_type("i12", 12, encoding="twosComplement")
    + '<BinaryParameterType name="blob"><BinaryDataEncoding><SizeInBits>'
    + OCTETS_OF.format("N")
    + "</SizeInBits></BinaryDataEncoding></BinaryParameterType>"
    + '<StringParameterType name="text"><StringDataEncoding><Variable maxSizeInBits="2048">'
    + OCTETS_OF.format("M")
    + "</Variable></StringDataEncoding></StringParameterType>"
    + '<ArrayParameterType name="list" arrayTypeRef="i12"><DimensionList><Dimension>'
    f"<StartingIndex>{fixed(0)}</StartingIndex><EndingIndex><DynamicValue>"
    '<ParameterInstanceRef parameterRef="N"/><LinearAdjustment slope="1" intercept="-1"/>'
    "</DynamicValue></EndingIndex></Dimension></DimensionList></ArrayParameterType>"
    '<ArrayParameterType name="grid" arrayTypeRef="u3"><DimensionList>'
    f"<Dimension><StartingIndex>{fixed(0)}</StartingIndex><EndingIndex>{fixed(1)}</EndingIndex>"
    f"</Dimension><Dimension><StartingIndex>{fixed(1)}</StartingIndex><EndingIndex>{fixed(3)}"
    "</EndingIndex></Dimension></DimensionList></ArrayParameterType>"
    '<AggregateParameterType name="point"><MemberList><Member name="x" typeRef="i12"/>'
    '<Member name="grid" typeRef="grid"/></MemberList></AggregateParameterType>'
)


def document(entries: str, *, more: str = "", parameters: dict[str, str] | None = None) -> bytes:
    declared = {"N": "u8", "M": "u8", "A": "i12", "B": "u3", "C": "u8"}
    declared |= parameters or {}
    return bits.document(
        types=TYPES,
        parameters="".join(bits.parameter(name, kind) for name, kind in declared.items()),
        containers=bits.container("Packet", entry("N") + entry("M") + entries) + more,
    )


def decode(xml: bytes, packets: list[bytes], **options):
    """Return the values of each packet by name, in any batch, and why others have none."""
    dictionary = parse_xtce(xml)
    result = compile_dictionary(dictionary, **options).decode(packets)
    rows: dict[int, dict[str, object]] = {}
    for batch in result.batches:
        columns = {
            name: engineering(dictionary.parameters[name], column).tolist()
            for name, column in batch.columns.items()
        }
        for row, index in enumerate(batch.indices.tolist()):
            assert index not in rows
            rows[index] = {name: values[row] for name, values in columns.items()}
    return rows, {undecoded.index: undecoded.reason for undecoded in result.undecoded}
