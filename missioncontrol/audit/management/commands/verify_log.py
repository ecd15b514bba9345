from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.audit import selectors
from missioncontrol.audit.folder_verification import verify_folder
from missioncontrol.audit.log_folder import VERIFIER_KEY_FILE, LogFolder
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.succession import LogHead
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.verification import verify_database


class Command(BaseCommand):
    help = (
        "Check the consortium log, entry by entry, against its signed checkpoint. Names the "
        "first entry that is wrong and ends with status 1; changes nothing."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--database",
            action="store_true",
            help="the rows, and the files of LOG_DIR beside them (this is the default)",
        )
        what.add_argument(
            "--folder", type=Path, help="only the tiles, bundles and checkpoint in this folder"
        )
        parser.add_argument(
            "--vkey", help="the log's public key as you know it; default: the one in the folder"
        )

    def handle(self, *, folder: Path | None, vkey: str | None, **options: Any) -> None:
        log = selectors.log_folder() if folder is None else LogFolder(folder)
        try:
            key = self._key(log, vkey)
            head = self._database(log, key) if folder is None else self._folder(log, key)
        except VerificationError as fault:
            raise CommandError(f"The log does not verify. {fault}") from fault
        self.stdout.write(
            f"log of {head.checkpoint.size} entries verified, root "
            f"{write_base64(head.checkpoint.root)}, "
            f"signed by {', '.join(f'{each.name}+{each.key_id.hex()}' for each in head.signers)}"
        )

    def _key(self, log: LogFolder, vkey: str | None) -> VerifierKey:
        if vkey:
            return VerifierKey.from_vkey(vkey)
        key = log.read_verifier_key()
        if key is None:
            raise CommandError(
                f"There is no {VERIFIER_KEY_FILE} in {log.path}. Name the log's folder with "
                "--folder, or give the key with --vkey."
            )
        self.stdout.write(
            f"key: {key.to_vkey()} (from the log's own folder; a member gives the one that it "
            "was handed, with --vkey)"
        )
        return key

    def _database(self, log: LogFolder, key: VerifierKey) -> LogHead:
        found = verify_database(log, key=key)
        size = found.checkpoint.size
        self.stdout.write(f"checkpoint file: signature and origin hold, {size} entries")
        self.stdout.write(f"checkpoints in the database: {found.checkpoints} signatures and roots")
        self.stdout.write(f"rows: {size}, octets, hash, columns and place of each")
        self.stdout.write(
            f"private parts: {found.private}, what each entry was committed to; "
            f"{found.erased} of them erased"
        )
        self.stdout.write(f"files: {found.tiles} tiles, {found.bundles} entry bundles")
        self.stdout.write(f"not yet in the tree: {found.waiting} entries")
        return found.head

    def _folder(self, log: LogFolder, key: VerifierKey) -> LogHead:
        found = verify_folder(log, key=key)
        size = found.checkpoint.size
        self.stdout.write(f"checkpoint file: signature and origin hold, {size} entries")
        self.stdout.write(f"files: {found.tiles} tiles, {found.bundles} entry bundles")
        return found.head
