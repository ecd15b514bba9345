"""What can be done with accounts: people and pipelines, their roles, keys and sessions."""

from __future__ import annotations

from missioncontrol.accounts.services.errors import AccountRefusedError
from missioncontrol.accounts.services.invitations import invite
from missioncontrol.accounts.services.operators import (
    close_account,
    create_operator,
    open_account,
    remove_authenticators,
)
from missioncontrol.accounts.services.roles import grant_role, revoke_role
from missioncontrol.accounts.services.sessions import (
    end_other_sessions,
    end_session,
    note_authenticator,
    note_lockout,
    note_password,
    note_sign_in,
    note_sign_out,
)
from missioncontrol.accounts.services.single_sign_on import (
    adopt_single_sign_on_account,
    remove_single_sign_on,
    set_single_sign_on,
)
from missioncontrol.accounts.services.tokens import (
    MAX_TOKEN_LIFETIME,
    create_token,
    note_token_use,
    revoke_token,
)

__all__ = [
    "MAX_TOKEN_LIFETIME",
    "AccountRefusedError",
    "adopt_single_sign_on_account",
    "close_account",
    "create_operator",
    "create_token",
    "end_other_sessions",
    "end_session",
    "grant_role",
    "invite",
    "note_authenticator",
    "note_lockout",
    "note_password",
    "note_sign_in",
    "note_sign_out",
    "note_token_use",
    "open_account",
    "remove_authenticators",
    "remove_single_sign_on",
    "revoke_role",
    "revoke_token",
    "set_single_sign_on",
]
