"""Words that whoever guesses a password here tries first."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError

from missioncontrol.accounts.models import Operator

# Ours, the field's, and those that every list of passwords begins with.
_WORDS: Final = (
    "administrator", "approver", "auditor", "consortium", "datacentre", "datacenter",
    "flightdynamics", "groundstation", "letmein", "missioncontrol", "operator", "orbital",
    "passphrase", "password", "payload", "satellite", "spacecraft", "telecommand", "telemetry",
    "welcome",
)  # fmt: skip
_LEAST_REMAINDER: Final = 8  # characters beside such words


class ContextWordsValidator:
    """Refuses a password that is little more than words of this place and the account's names."""

    def validate(self, password: str, user: Operator | None = None) -> None:
        """Refuse *password* if too few characters are left without such words.

        Raises:
            ValidationError: they are.
        """
        rest = _letters(password)
        for word in sorted({*_WORDS, *_names(user)}, key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < _LEAST_REMAINDER:
            raise ValidationError(
                "This password is little more than words that are tried first here (your names, "
                "your organisation's, password, spacecraft and the like). Add "
                f"{_LEAST_REMAINDER} characters of something else.",
                code="password_of_context_words",
            )

    def get_help_text(self) -> str:
        """Return the rule as the form shows it."""
        return "Not only names and words of this place."


def _names(user: Operator | None) -> set[str]:
    if user is None:
        return set()
    names = [user.username, *user.display_name.split()]
    if user.home is not None:
        names += [user.home.slug, *user.home.name.split()]
    return {word for word in map(_letters, names) if len(word) > 2}


def _letters(text: str) -> str:
    """Return *text* as it is compared: without case, spaces and what separates words."""
    return "".join(each for each in text.casefold() if not (each.isspace() or each in "-_."))
