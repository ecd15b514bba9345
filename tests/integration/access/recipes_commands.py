"""The command lines: what runs on the installation's machine, and what members run themselves.

``manage.py`` asks for no role: whoever may run it holds the machine, and with it all data. What
it changes stands in the log as done by a process. ``mc`` is a member's own program; where it
reads from an installation, it shows a token there like any other client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from missioncontrol.accounts.policy import Action
from missioncontrol.audit import selectors

# Reading the log over HTTP takes this; each command that does so is run with everybody's token.
READS_THE_LOG = Action.AUDIT_VIEW

ON_THE_MACHINE = {
    "manage.py check_archive",
    "manage.py contact_windows",
    "manage.py create_operator",
    "manage.py create_token",
    "manage.py decode_packets",
    "manage.py erase_opening",
    "manage.py export_telemetry",
    "manage.py grant_database_role",
    "manage.py ingest",
    "manage.py load_ephemeris",
    "manage.py load_mission",
    "manage.py rebuild_archive",
    "manage.py revoke_token",
    "manage.py rotate_log_key",
    "manage.py run_log_sequencer",
    "manage.py run_mission_control",
    "manage.py run_pass_executor",
    "manage.py run_telemetry_links",
    "manage.py run_telemetry_receiver",
    "manage.py run_webhook_deliveries",
    "manage.py run_witness_rounds",
    "manage.py seed_demo",
    "manage.py verify_log",
    "manage.py verify_plan",
    "manage.py witness",
    "manage.py write_openapi",
}
# Read files of the member's own, or serve a port of theirs.
BY_THEMSELVES = {
    "mc log show",
    "mc opening verify",
    "mc receipt verify",
    "mc witness init",
    "mc witness run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCommand:
    """A command of ``mc`` that reads a log at an address."""

    name: str
    further: Sequence[str] = ()

    def arguments(self, address: str, folder: Path) -> list[str]:
        """Return the command line."""
        _, *words = self.name.split()
        key = selectors.verification_key()
        places = [each.format(folder=folder) for each in self.further]
        return [*words, address, *places, "--vkey", key]


LOG_COMMANDS = [
    LogCommand(name="mc log verify", further=["--state={folder}/state"]),
    LogCommand(name="mc log mirror", further=["{folder}/mirror"]),
]
