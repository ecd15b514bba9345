from __future__ import annotations

import pytest
from django.conf import settings as product_settings
from django.test import Client

from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.services import create_token
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
from missioncontrol.kernel import clock
from tests import factories
from tests.integration.missioncontrol.audit.log_entries import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(member):
    return member


def get(client, path):
    return client.get(f"/log/{path}")


class TestCheckpoint:
    def test_is_text_that_nobody_may_keep(self, client):
        publish(1)
        answer = get(client, "checkpoint")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["Cache-Control"] == "no-cache"
        assert answer.content.startswith(b"missioncontrol.local/log\n2\n")

    def test_is_for_members_whose_token_may_read_the_log(self):
        pipeline = factories.operator("pipeline", Role.AUDITOR)
        _, secret = create_token(
            operator=pipeline,
            organisation=factories.organisation(),
            name="jobs only",
            at=clock.now(),
            wall_at=clock.wall_now(),
            scopes=[Action.JOB_VIEW],
        )
        answer = Client(headers={"Authorization": f"Bearer {secret}"}).get("/log/checkpoint")
        assert answer.status_code == 403

    def test_is_not_found_before_the_first_start(self, client):
        answer = get(client, "checkpoint")
        assert (answer.status_code, answer["Cache-Control"]) == (404, "no-cache")


class TestTiles:
    def test_full_ones_may_be_kept_for_ever_and_partial_ones_a_while(self, client):
        publish(299)
        for path, kept in [
            ("tile/0/000", "private, max-age=31536000, immutable"),
            ("tile/entries/000", "private, max-age=31536000, immutable"),
            ("tile/0/001.p/44", "private, max-age=60"),
            ("tile/entries/001.p/44", "private, max-age=60"),
            ("tile/1/000.p/1", "private, max-age=60"),
        ]:
            answer = get(client, path)
            assert answer.status_code == 200, path
            assert answer["Cache-Control"] == kept
            assert answer["Content-Type"] == "application/octet-stream"

    def test_partial_ones_of_an_older_checkpoint_are_cut_from_the_full_one(self, client):
        publish(249)
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
        publish(299)
        answer = get(client, path)
        assert answer.status_code == 404
        assert b"PRIVATE" not in answer.content

    @pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/2"])
    def test_are_read_only(self, client, path):
        publish()
        assert client.post(f"/log/{path}").status_code == 405
        assert client.head(f"/log/{path}").status_code == 200

    def test_let_a_member_verify_the_whole_log_over_http(self, client):
        publish(299)
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
