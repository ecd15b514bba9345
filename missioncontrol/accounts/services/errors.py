from __future__ import annotations

from missioncontrol.kernel.errors import RefusedError


class AccountRefusedError(RefusedError):
    """The account, role or key cannot be made or changed like this."""
