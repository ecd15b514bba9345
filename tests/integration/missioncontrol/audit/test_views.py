from __future__ import annotations

import pytest
from django.conf import settings as product_settings

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.checkpoint import open_checkpoint
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.log_verifier import verify_log
from missioncontrol.audit.merkle.tiles import (
    EntryBundle,
    Tile,
    bundles_for_growth,
    parse_bundle,
    parse_tile,
)
from tests.integration.missioncontrol.audit.log_entries import publish

pytestmark = [pytest.mark.django_db, pytest.mark.urls("missioncontrol.audit.urls")]


@pytest.fixture(autouse=True)
def _no_static_files(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


def get(client, path):
    return client.get(f"/{path}")


class TestCheckpoint:
    def test_is_text_that_nobody_may_keep(self, client):
        publish(2)
        answer = get(client, "checkpoint")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["Cache-Control"] == "no-cache"
        assert answer.content.startswith(b"missioncontrol.local/log\n2\n")

    def test_is_not_found_before_the_first_start(self, client):
        answer = get(client, "checkpoint")
        assert (answer.status_code, answer["Cache-Control"]) == (404, "no-cache")


class TestTiles:
    def test_full_ones_may_be_kept_for_ever_and_partial_ones_a_while(self, client):
        publish(300)
        for path, kept in [
            ("tile/0/000", "public, max-age=31536000, immutable"),
            ("tile/entries/000", "public, max-age=31536000, immutable"),
            ("tile/0/001.p/44", "public, max-age=60"),
            ("tile/entries/001.p/44", "public, max-age=60"),
            ("tile/1/000.p/1", "public, max-age=60"),
        ]:
            answer = get(client, path)
            assert answer.status_code == 200, path
            assert answer["Cache-Control"] == kept
            assert answer["Content-Type"] == "application/octet-stream"

    def test_partial_ones_of_an_older_checkpoint_are_cut_from_the_full_one(self, client):
        publish(250)
        old_tile = get(client, "tile/0/000.p/250").content
        old_bundle = get(client, "tile/entries/000.p/250").content
        publish(10)
        assert not (product_settings.LOG_DIR / "tile/0/000.p").exists()
        assert get(client, "tile/0/000.p/250").content == old_tile
        assert get(client, "tile/entries/000.p/250").content == old_bundle

    @pytest.mark.parametrize(
        "path",
        [
            "tile/0/002",
            "tile/0/001.p/45",
            "tile/0/000.p/256",
            "tile/0/0",
            "tile/00/000",
            "tile/0/x000/000",
            "tile/0/000/",
            "tile/0/000%0A",
            "tile/0/../../signing-key",
            "tile/../signing-key",
            "tile/..%2Fsigning-key",
            "tile/%2e%2e/signing-key",
            "tile//etc/passwd",
            "tile/0/000.tmp",
            "signing-key",
            "sequencer.lock",
        ],
    )
    def test_nothing_else_of_the_folder_is_served(self, client, path):
        publish(300)
        answer = get(client, path)
        assert answer.status_code == 404
        assert b"PRIVATE" not in answer.content

    @pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/1"])
    def test_are_read_only(self, client, path):
        publish()
        assert client.post(f"/{path}").status_code == 405
        assert client.head(f"/{path}").status_code == 200

    def test_let_a_member_verify_the_whole_log_over_http_without_signing_in(self, client):
        publish(300)
        key = VerifierKey.from_vkey(selectors.verification_key())
        note = get(client, "checkpoint").content
        head = open_checkpoint(note, origin=key.name, log_keys=[key]).checkpoint
        pairs = []
        for bundle in bundles_for_growth(old=0, new=head.size):
            tile = Tile(0, bundle.index, bundle.width)
            pairs += zip(
                parse_bundle(get(client, bundle.path).content, bundle=bundle),
                parse_tile(get(client, tile.path).content, tile=tile),
                strict=True,
            )
        assert EntryBundle(1, 44) in bundles_for_growth(old=0, new=head.size)
        verify_log(pairs, checkpoint=head)
