"""The command line of ``mc``: what it takes, and with which status it ends.

0: what was asked for holds. 1: it was refused, standard error says why.
2: nothing was decided, because of the call or because a server is away.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.client import (
    log_commands,
    opening_commands,
    receipt_commands,
    witness_commands,
)
from missioncontrol.client.errors import UndecidedError

HOLDS: Final = 0
REFUSED: Final = 1
UNDECIDED: Final = 2


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the status."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except VerificationError as fault:
        print(f"mc: REFUSED. {fault}", file=sys.stderr)
        return REFUSED
    except (UndecidedError, OSError) as fault:
        print(f"mc: {fault}", file=sys.stderr)
        return UNDECIDED
    except KeyboardInterrupt:
        print("mc: stopped; nothing was decided.", file=sys.stderr)
        return UNDECIDED
    return HOLDS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mc",
        description="What a member of the consortium runs itself.",
        epilog="Status 0: it holds. 1: it was refused. 2: nothing was decided.",
    )
    areas = parser.add_subparsers(required=True, metavar="COMMAND")
    log_commands.add_to(areas)
    receipt_commands.add_to(areas)
    opening_commands.add_to(areas)
    witness_commands.add_to(areas)
    return parser
