"""One job up and its result down, headless, on an empty installation.

    python -m tests.journeys.job_journey [--factor 60]

Its last line is one JSON object; it exits with 1 when the story fails.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from tests.journeys.product import JourneyError, Product

ENDED = {"COMPLETED", "FAILED", "CANCELLED"}


def matrix_input(size: int, seed: int) -> tuple[bytes, list[float]]:
    """Return a MATRIX_PRODUCT input of small whole numbers and the product to expect."""
    rng = random.Random(seed)
    left = [[rng.randrange(-9, 10) for _ in range(size)] for _ in range(size)]
    right = [[rng.randrange(-9, 10) for _ in range(size)] for _ in range(size)]
    octets = struct.pack(">HHH", size, size, size) + b"".join(
        struct.pack(f">{size}f", *row) for row in left + right
    )
    columns = list(zip(*right, strict=True))
    product = [
        float(sum(a * b for a, b in zip(row, column, strict=True)))
        for row in left
        for column in columns
    ]
    return octets, product


def fly(product: Product, *, seed: int, within_s: float) -> dict[str, Any]:
    """Submit a job, wait for its result and verify it end to end."""
    octets, expected = matrix_input(48, seed)
    with product.client(product.token()) as api:
        answer = api.post(
            "/jobs",
            json={
                "spacecraft": "DD-1",
                "program": "MATRIX_PRODUCT",
                "input": base64.b64encode(octets).decode(),
            },
            headers={"Idempotency-Key": f"journey-{seed}"},
        )
        _expect(answer.status_code == 201, f"job refused: {answer.status_code} {answer.text}")
        number = answer.json()["number"]

        def ended() -> dict[str, Any] | None:
            job = api.get(f"/jobs/{number}").json()
            return job if job["state"] in ENDED else None

        job = product.wait(ended, within_s=within_s, what=f"end of job {number}")
        _expect(job["state"] == "COMPLETED", f"job ended as {job['state']}: {job['failure']}")
        _expect(
            job["input_sha256"] == hashlib.sha256(octets).hexdigest(), "the input's digest differs"
        )
        output = api.get(f"/jobs/{number}/result").content
        _expect(
            hashlib.sha256(output).hexdigest() == job["output_sha256"], "output digest differs"
        )
        computed = list(struct.unpack(f">{len(output) // 4}f", output))
        _expect(computed == expected, "the matrix that came down is not the product")
        log_size = _verify_in_log(api, subject=f"job:{number}", action="job.complete")
        # The pass goes on after the result is down; its report closes the story.
        passes, frames = product.wait(lambda: _flown(api), within_s=60, what="end of the pass")
    return {"passes": passes, "frames": frames, "log_size": log_size, "job": number}


def _verify_in_log(api: Any, *, subject: str, action: str) -> int:
    """Check the inclusion of one entry with the log's public key; return the log's size."""
    log = api.get("/audit/log").json()
    deadline = time.monotonic() + 10
    while True:
        found = api.get("/audit/entries", params={"subject": subject, "action": action}).json()
        items = [item for item in found["items"] if item["log_index"] is not None]
        if items or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    _expect(bool(items), f"no entry {action} of {subject} in the log")
    index = items[0]["log_index"]
    receipt = api.get(f"/audit/entries/{index}/receipt").json()
    verified = verify_receipt(
        parse_receipt(receipt["receipt"].encode()),
        entry=base64.b64decode(receipt["entry"]),
        origin=log["origin"],
        log_keys=[VerifierKey.from_vkey(log["vkey"])],
    )
    return int(verified.checkpoint.size)


def _flown(api: Any) -> tuple[int, int] | None:
    """Return how many passes are over and what they brought; None before the first."""
    contacts = api.get("/contacts", params={"state": "flown"}).json()["items"]
    frames = sum(contact["frames_good"] for contact in contacts)
    return (len(contacts), frames) if contacts else None


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise JourneyError(message)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factor", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    result: dict[str, Any] = {"journey": "job", "ok": False}
    with tempfile.TemporaryDirectory(prefix="journey-") as folder:
        product = Product(Path(folder) / "var", factor=options.factor)
        try:
            product.start()
            print(product.screen(), flush=True)
            result |= fly(product, seed=options.seed, within_s=200)
            result["ok"] = True
        except JourneyError as error:
            print(error, file=sys.stderr)
        finally:
            result["stopped_in_s"] = round(product.stop(), 1)
    result["wall_s"] = round(time.monotonic() - begun, 1)
    print(json.dumps(result))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
