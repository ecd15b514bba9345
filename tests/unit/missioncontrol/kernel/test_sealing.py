from __future__ import annotations

import pytest

from missioncontrol.kernel.sealing import SealBrokenError, seal, unseal


class TestSeal:
    def test_opens_again(self):
        assert unseal(seal("whsec_é", purpose="webhook"), purpose="webhook") == "whsec_é"

    def test_shows_nothing_and_is_another_each_time(self):
        first, second = (seal("secret", purpose="webhook") for _ in range(2))
        assert "secret" not in first
        assert first != second

    def test_opens_for_its_purpose_only(self):
        with pytest.raises(SealBrokenError):
            unseal(seal("secret", purpose="webhook"), purpose="sign-on")

    def test_does_not_open_for_another_installation(self, settings):
        sealed = seal("secret", purpose="webhook")
        settings.SECRET_KEY = "b" * 60
        with pytest.raises(SealBrokenError, match="SECRET_KEY_FALLBACKS"):
            unseal(sealed, purpose="webhook")

    def test_opens_after_the_key_was_changed_if_the_old_one_is_named(self, settings):
        sealed = seal("secret", purpose="webhook")
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "b" * 60
        assert unseal(sealed, purpose="webhook") == "secret"

    def test_does_not_open_when_changed(self):
        sealed = seal("secret", purpose="webhook")
        with pytest.raises(SealBrokenError):
            unseal(sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB"), purpose="webhook")
