"""The running product attacked by its own description, for as long as one likes.

    python -m tests.integration.missioncontrol.api.fuzz_api --minutes 10

starts the demo, and lets schemathesis at its API with all checks and all phases
(examples, coverage, fuzzing, sequences of operations), in rounds: each round a
new person with other rights, whose token has just been made. Ends with a line of
JSON, and with status 1 if anything was found.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Any

from missioncontrol.accounts.policy import Role, actions_of
from tests.integration.missioncontrol.api.refusals import REFUSALS
from tests.journeys.product import Product

# Shorter than a proof of identity counts: what takes one can be reached all the time.
ROUND_S = 150
PEOPLE: list[tuple[str, list[Role]]] = [
    ("operator", list(Role)),
    ("ai-laboratory-1", [Role.PAYLOAD_MEMBER, Role.ADMINISTRATOR]),
    ("operator", [Role.OPERATOR, Role.APPROVER, Role.FLIGHT_DYNAMICS]),
    ("insurer-1", [Role.AUDITOR]),
]
RATES = {
    "API_RATE_PER_TOKEN": "1000000/minute",
    "API_RATE_PER_ORGANISATION": "1000000/minute",
    "API_RATE_OF_WRONG_TOKENS": "1000000/minute",
}


def token_of(product: Product, name: str, organisation: str, roles: list[Role]) -> str:
    """Make an account, and return a token with all its rights."""
    product.manage(
        "create_operator",
        name,
        "--organisation",
        organisation,
        "--service-account",
        *(word for role in roles for word in ("--role", role.value)),
    )
    scopes = (word for each in sorted(actions_of(roles)) for word in ("--scope", each.value))
    return product.manage("create_token", name, "--name", "fuzz", *scopes).strip()


SHOWN = 20_000  # characters of the web's log from its first fault on


def attack(product: Product, token: str, *, seconds: int, seed: int, folder: Path) -> Any:
    """Run schemathesis once; return its report and whether it found nothing."""
    configuration = folder / "schemathesis.toml"
    statuses = ", ".join(f'"{each}"' for each in ["2xx", *REFUSALS])
    configuration.write_text(
        "max-stream-events = 1\n"  # what would follow is more of the same
        "[parameters]\n"
        '"query.wait" = 1\n'  # a minute without an event is no fault, but a lost one
        "[checks]\n"
        f"positive_data_acceptance.expected-statuses = [{statuses}]\n"
        "[headers]\n"
        f'Authorization = "Bearer {token}"\n'
    )
    report = folder / "report.json"
    command = [
        str(Path(sys.executable).with_name("st")),
        "--config-file",
        str(configuration),
        "run",
        f"{product.address}/api/v1/openapi.json",
        "--checks=all",
        f"--max-time={seconds}",
        f"--seed={seed}",
        "--suppress-health-check=all",
        "--warnings=off",
        "--continue-on-failure",
        "--report=json",
        f"--report-json-path={report}",
    ]
    done = subprocess.run(command, cwd=folder, check=False)
    return json.loads(report.read_text()), done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    found_nothing, rounds, cases = True, 0, 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        product = Product(folder / "var", factor=1.0, environment=RATES)
        try:
            product.start()
            for organisation, roles in cycle(PEOPLE):
                left_s = options.minutes * 60 - (time.monotonic() - begun)
                if left_s < 10:
                    break
                rounds += 1
                token = token_of(product, f"fuzz-{rounds}", organisation, roles)
                report, clean = attack(
                    product,
                    token,
                    seconds=int(min(ROUND_S, left_s)),
                    seed=options.seed + rounds,
                    folder=folder,
                )
                cases += report["test_cases"]["generated"]
                found_nothing &= clean
            log = (folder / "var" / "logs" / "web.log").read_text()
            faults = log.count("Traceback")
            if faults:
                print(log[log.index("Traceback") :][:SHOWN])
        finally:
            product.stop()
    result = {
        "fuzz": "api",
        "ok": found_nothing and faults == 0,
        "rounds": rounds,
        "test_cases": cases,
        "tracebacks": faults,
        "wall_s": round(time.monotonic() - begun, 1),
    }
    print(json.dumps(result))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
