from __future__ import annotations

from missioncontrol.kernel.errors import RefusedError


class AccountRefusedError(RefusedError):
    """The account, role or key cannot be made or changed like this.

    ``field`` is the argument of the service that is to blame, where it is one;
    a form shows the text beside it.
    """

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field
