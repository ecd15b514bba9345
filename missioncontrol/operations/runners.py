"""How each kind of operation is carried out; begun again, it does no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from missioncontrol.audit import selectors as audit
from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import TILE_WIDTH, EntryBundle
from missioncontrol.audit.verification import verify_database
from missioncontrol.contacts.services import recompute_windows
from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.operations.models import Operation
from missioncontrol.scheduling.services import improve_plan
from missioncontrol.scheduling.solver.planning import Search

Tell = Callable[[float], None]  # how much is done, from 0 to 1
Runner = Callable[[Operation, datetime, Tell], Mapping[str, Any]]


class OperationFailedError(RefusedError):
    """The work was done and came to a bad end; the text says to which."""


def run(operation: Operation, *, at: datetime, tell: Tell) -> Mapping[str, Any]:
    """Carry out *operation* and return its result, which is JSON-able.

    Args:
        operation: What was asked for.
        at: Mission time, UTC.
        tell: Called with the progress.

    Raises:
        RefusedError: it cannot be done, or failed; the text says why.
    """
    return _RUNNERS[Operation.Kind(operation.kind)](operation, at, tell)


def _recompute_contact_windows(
    operation: Operation, at: datetime, tell: Tell
) -> Mapping[str, Any]:
    names: list[str] = operation.parameters["spacecraft"]
    start = datetime.fromisoformat(operation.parameters["start"])
    horizon = timedelta(hours=operation.parameters["hours"])
    windows: dict[str, int] = {}
    for name in names:
        spacecraft = fleet.get_spacecraft(name=name)
        found = recompute_windows(spacecraft=spacecraft, start=start, horizon=horizon, at=at)
        windows[name] = len(found)
        tell(len(windows) / len(names))
    return {"windows": windows}


class _WatchedFolder(LogFolder):
    """The log's folder, telling how much of it was read."""

    def __init__(self, path: Path, *, bundles: int, tell: Tell) -> None:
        super().__init__(path)
        self._bundles = max(1, bundles)
        self._tell = tell

    def read_bundle(self, bundle: EntryBundle) -> bytes:
        """Return a bundle's octets; see ``LogFolder``."""
        self._tell(min(1.0, bundle.index / self._bundles))
        return super().read_bundle(bundle)


def _verify_log(_operation: Operation, _at: datetime, tell: Tell) -> Mapping[str, Any]:
    path = audit.log_folder().path
    newest = audit.latest_checkpoint()
    bundles = (newest.size if newest is not None else 0) // TILE_WIDTH
    folder = _WatchedFolder(path, bundles=bundles, tell=tell)
    key = folder.read_verifier_key()
    if key is None:
        raise OperationFailedError("The log has no key yet; its sequencer makes one at its start.")
    try:
        found = verify_database(folder, key=key)
    except VerificationError as fault:
        raise OperationFailedError(f"The log does not verify. {fault}") from fault
    return {
        "entries": found.checkpoint.size,
        "root": write_base64(found.checkpoint.root),
        "signed_by": key.to_vkey(),
        "waiting": found.waiting,
    }


_SOLVER_THREADS: Final = 2  # slices of time side by side; the solver lets go of Python meanwhile


def _improve_plan(operation: Operation, at: datetime, _tell: Tell) -> Mapping[str, Any]:
    # A thread of the pool touches no rows, so it need not know for whom work is done.
    with ThreadPoolExecutor(_SOLVER_THREADS) as threads:
        search = Search(
            limit_s=operation.parameters["limit_s"],
            elapsed_s=time.monotonic,
            run_all=threads.map,
        )
        plan = improve_plan(plan_id=operation.parameters["plan"], search=search, at=at)
    return {
        "plan": plan.pk,
        "state": plan.state,
        "contacts": plan.contact_count,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
    }


_RUNNERS: Final[Mapping[Operation.Kind, Runner]] = {
    Operation.Kind.CONTACT_WINDOW_RECOMPUTE: _recompute_contact_windows,
    Operation.Kind.LOG_VERIFY: _verify_log,
    Operation.Kind.PLAN_PROPOSE: _improve_plan,
}
