"""The link by which somebody without a password chooses one.

Its key is allauth's for setting a password: it is signed, lives
``PASSWORD_RESET_TIMEOUT`` seconds and dies with the password that the account
has now, be it none. So it is used once, and a newer invitation ends an older.
"""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse

from missioncontrol.accounts.models import Operator


def invitation_path(operator: Operator) -> str:
    """Return the path of the page where *operator* chooses a password, with its key."""
    return reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(operator),
            "key": default_token_generator.make_token(operator),
        },
    )
