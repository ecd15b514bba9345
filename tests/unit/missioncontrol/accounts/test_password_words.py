from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.password_words import ContextWordsValidator


@pytest.fixture
def carol():
    home = Organisation(slug="ai-laboratory-1", name="AI Laboratory One")
    return Operator(username="carol.ito", display_name="Carol Ito", home=home)


@pytest.mark.parametrize(
    "password",
    [
        "Mission Control 1",
        "spacecraft2026",
        "operatoroperator",
        "carol.ito.2026",
        "CarolItoLaboratory",
        "ai-laboratory-1!!",
        "password-password",
    ],
)
def test_a_password_of_context_words_is_refused(carol, password):
    with pytest.raises(ValidationError, match="tried first here"):
        ContextWordsValidator().validate(password, carol)


@pytest.mark.parametrize(
    "password",
    [
        "a pass-phrase for the tests",
        "spacecraft over quiet herons",
        "carol likes 7 green owls",
        "!§$%&/()=?+*#;",
    ],
)
def test_others_are_taken(carol, password):
    ContextWordsValidator().validate(password, carol)
    ContextWordsValidator().validate(password)
