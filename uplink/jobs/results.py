"""What comes down for a job: one line that says what was computed, then the output. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

MANIFEST_LIMIT_OCTETS: Final = 4096
_QUOTED: Final = 80  # characters of what the sky says


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
    if not newline or len(head) > MANIFEST_LIMIT_OCTETS:
        raise ResultError(
            f"it has no manifest: no line of at most {MANIFEST_LIMIT_OCTETS} octets at its front"
        )
    try:
        manifest = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"its first line is no JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise ResultError("its first line is no JSON object")
    digest = hashlib.sha256(output).hexdigest()
    expected = {
        "job": job,
        "program": program,
        "input_sha256": input_sha256,
        "output_sha256": digest,
        "output_octets": len(output),
    }
    for name, value in expected.items():
        told = manifest.get(name)
        # By type too: to Python, true is 1.
        if type(told) is not type(value) or told != value:
            raise ResultError(f"its {name} is {str(told)[:_QUOTED]!r}, expected {value!r}")
    return Result(output=output, output_sha256=digest, manifest=manifest)
