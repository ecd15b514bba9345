from __future__ import annotations

from missioncontrol.kernel.errors import RefusedError


class WebhookRefusedError(RefusedError):
    """A webhook cannot be like this, or not do this now."""
