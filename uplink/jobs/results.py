"""What comes down for a job: one line that says what was computed, then the output. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any


class ResultError(ValueError):
    """The file that came down is not the result of this job."""


@dataclass(frozen=True, slots=True)
class Result:
    """A result whose digests are right."""

    output: bytes
    output_sha256: str
    manifest: dict[str, Any]


def read_result_file(content: bytes, *, job: int, program: str, input_sha256: str) -> Result:
    """Return the output in a result file, after all that it says has been checked.

    Raises:
        ResultError: another job, program or input, or an output whose digest
            is not the one that the spacecraft computed.
    """
    head, newline, output = content.partition(b"\n")
    try:
        manifest = json.loads(head)
    except ValueError as error:
        raise ResultError(f"its first line is no JSON: {error}") from error
    if not newline or not isinstance(manifest, dict):
        raise ResultError("it has no manifest line")
    digest = hashlib.sha256(output).hexdigest()
    expected = {
        "job": job,
        "program": program,
        "input_sha256": input_sha256,
        "output_sha256": digest,
        "output_octets": len(output),
    }
    for name, value in expected.items():
        if manifest.get(name) != value:
            raise ResultError(f"its {name} is {manifest.get(name)!r}, expected {value!r}")
    return Result(output=output, output_sha256=digest, manifest=manifest)
