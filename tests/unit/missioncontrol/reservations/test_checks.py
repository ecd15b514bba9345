from __future__ import annotations

import pytest

from missioncontrol.reservations.checks import every_provider_has_a_token


@pytest.mark.parametrize(
    ("urls", "tokens", "wrong"),
    [
        ({}, {}, []),
        ({"polar": "https://polar.example"}, {"polar": "t"}, []),
        ({"polar": "https://polar.example"}, {}, ["polar"]),
        ({}, {"austral": "t"}, ["austral"]),
    ],
)
def test_a_provider_and_its_token_stand_in_both_settings(settings, urls, tokens, wrong):
    settings.STATION_PROVIDERS, settings.STATION_PROVIDER_TOKENS = urls, tokens
    told = every_provider_has_a_token()
    assert [one.msg.split()[0] for one in told] == wrong
    assert "t" not in [word for one in told for word in one.msg.split()]
