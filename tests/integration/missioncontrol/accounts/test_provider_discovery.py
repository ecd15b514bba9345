from __future__ import annotations

import pytest

from missioncontrol.accounts.provider_discovery import check_provider
from missioncontrol.accounts.services import AccountRefusedError
from tests.integration.missioncontrol.accounts.identity_provider import identity_provider

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def provider():
    with identity_provider() as running:
        yield running


class TestCheckingAProvider:
    def test_is_content_with_what_a_sign_in_takes(self, provider):
        check_provider(provider.issuer)
        check_provider(f"{provider.issuer}/")

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"issuer": "https://elsewhere.example"}, "calls itself 'https://elsewhere.example'"),
            ({"token_endpoint": None}, "lacks token_endpoint"),
            ({"jwks_uri": 3, "userinfo_endpoint": ""}, "lacks jwks_uri"),
        ],
    )
    def test_tells_what_does_not_fit(self, provider, monkeypatch, changes, told):
        configuration = provider.configuration() | changes
        monkeypatch.setattr(provider, "configuration", lambda: configuration)
        with pytest.raises(AccountRefusedError, match=told) as refused:
            check_provider(provider.issuer)
        assert refused.value.field == "issuer"

    @pytest.mark.parametrize("said", [[], "text", None])
    def test_tells_when_it_is_no_configuration(self, provider, monkeypatch, said):
        monkeypatch.setattr(provider, "configuration", lambda: said)
        with pytest.raises(AccountRefusedError, match="answered 200 and no configuration"):
            check_provider(provider.issuer)

    def test_tells_when_nothing_is_there(self, provider):
        with pytest.raises(AccountRefusedError, match="answered 404"):
            check_provider(f"{provider.issuer}/?realm")

    def test_tells_when_it_cannot_be_reached(self):
        with pytest.raises(AccountRefusedError, match="cannot be reached"):
            check_provider("http://127.0.0.1:9")
