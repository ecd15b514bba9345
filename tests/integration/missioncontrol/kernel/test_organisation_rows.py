"""Rows of organisations: the managers refuse, and on PostgreSQL the database itself does."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from missioncontrol.accounts.models import ApiToken, Organisation
from missioncontrol.kernel import organisations
from missioncontrol.kernel.organisation_rows import OrganisationRows
from missioncontrol.kernel.organisations import (
    NoOrganisationContextError,
    acting_for,
    acting_for_everybody,
)
from tests import factories
from uplink.commanding.models import Telecommand, TelecommandEvent
from uplink.jobs.models import Job
from uplink.transfers.models import Transfer

AT = datetime(2026, 12, 1, tzinfo=UTC)
OWNED = [
    model
    for model in apps.get_models()
    if isinstance(model._meta.default_manager, OrganisationRows)
]


@contextmanager
def nobody():
    """As in a web process before anything was said."""
    token = organisations._said.set(None)
    try:
        yield
    finally:
        organisations._said.reset(token)


def of(*members: Organisation):
    return acting_for((member.pk, member.slug) for member in members)


@pytest.fixture
def ours(db):
    return factories.organisation("ours")


@pytest.fixture
def theirs(db):
    return factories.organisation("theirs", kind="insurer")


@pytest.fixture
def craft(ours):
    return factories.spacecraft(organisation=ours)


def job(craft, owner):
    return Job.objects.create(
        spacecraft=craft,
        organisation=owner,
        submitted_by=factories.operator(f"member of {owner.slug}", member_of=owner),
        program="SHA256",
        input_sha256="0" * 64,
        input_octets=1,
        submitted_at=AT,
    )


def telecommand(craft):
    made = Telecommand.objects.create(
        spacecraft=craft, name="PING", definition={}, submitted_at=AT
    )
    TelecommandEvent.objects.create(telecommand=made, at=AT, kind="submitted")
    return made


class TestManagers:
    def test_are_those_of_all_that_belongs_to_members(self):
        assert {model.__name__ for model in OWNED} >= {
            "Alarm",
            "ApiToken",
            "BadFrame",
            "Job",
            "SingleSignOn",
            "Telecommand",
            "TelecommandEvent",
            "Transfer",
        }

    @pytest.mark.parametrize("model", OWNED)
    def test_refuse_a_query_without_a_context(self, model):
        with nobody():
            for manager in (model._default_manager, model._base_manager):
                with pytest.raises(NoOrganisationContextError):
                    manager.count()

    def test_refuse_to_follow_a_foreign_key_without_one(self, craft, ours):
        made = telecommand(craft)
        event = TelecommandEvent.objects.get()
        with nobody(), pytest.raises(NoOrganisationContextError):
            _ = event.telecommand
        with nobody(), pytest.raises(NoOrganisationContextError):
            made.refresh_from_db()

    def test_show_a_member_its_own(self, craft, ours, theirs):
        mine, other = job(craft, theirs), job(craft, factories.organisation("third"))
        with of(theirs):
            assert list(Job.objects.all()) == [mine]
            with pytest.raises(Job.DoesNotExist):
                Job.objects.get(pk=other.pk)

    def test_show_who_operates_the_spacecraft_what_is_done_with_it(self, craft, ours, theirs):
        made = job(craft, theirs)
        telecommand(craft)
        with of(ours):
            assert list(Job.objects.all()) == [made]
            assert TelecommandEvent.objects.count() == 1
        with of(theirs):
            assert Telecommand.objects.count() == TelecommandEvent.objects.count() == 0

    def test_change_and_delete_nothing_of_others(self, craft, ours, theirs):
        made = job(craft, factories.organisation("third"))
        with of(theirs):
            assert Job.objects.update(failure="x") == 0
            assert Job.objects.all().delete()[0] == 0
        made.refresh_from_db()
        assert made.failure == ""

    def test_lock_a_row_without_what_it_belongs_to(self, craft, ours, theirs):
        made = job(craft, theirs)
        with of(theirs), transaction.atomic():
            query = Job.objects.select_for_update().filter(pk=made.pk)
            assert " JOIN " not in str(query.query)
            assert query.get() == made

    def test_number_files_of_all_members_on(self, craft, ours, theirs, settings, tmp_path):
        """A member's own transfers are all that it sees; a number may still not come twice."""
        settings.FILES_DIR = tmp_path
        craft.cfdp_profile = {}
        third = factories.organisation("third")
        for number, owner in enumerate((theirs, third, theirs), 1):
            with acting_for_everybody():
                Transfer.objects.create(
                    spacecraft=craft,
                    organisation=owner,
                    direction="UP",
                    source_entity=1,
                    sequence_number=number,
                    stored_name=str(number),
                    created_at=AT,
                )
        from uplink.transfers.services import _next_sequence_number

        with of(third):
            assert Transfer.objects.count() == 1
            assert _next_sequence_number(craft, 1) == 4


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


@pytest.mark.only_on("postgresql")
class TestRowSecurity:
    def test_is_forced_on_every_table_that_belongs_to_members(self, db):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
            )
            protected = {row[0] for row in cursor.fetchall()}
        # Openings are shown to those whom a table of its own names as their readers.
        assert {model._meta.db_table for model in OWNED} | {"audit_opening"} == protected

    def test_binds_the_role_that_these_tests_have(self, db):
        from missioncontrol.kernel.isolation import isolation_faults

        assert isolation_faults() == ["it owns the tables and could switch their policies off"]

    def test_hides_rows_from_sql_that_forgot_to_ask_for_whom(self, craft, ours, theirs):
        job(craft, theirs)
        third = factories.organisation("third")
        for members, seen in (((theirs,), 1), ((ours,), 1), ((third,), 0), ((), 0)):
            with of(*members):
                assert count("jobs_job") == seen
        with nobody():
            assert count("jobs_job") == 0
        assert count("jobs_job") == 1

    def test_hides_them_behind_joins_too(self, craft, ours, theirs):
        made = job(craft, theirs)
        made.telecommand = telecommand(craft)
        made.save()
        with of(theirs):
            assert Job.objects.select_related("telecommand").get().telecommand is None

    def test_refuses_to_write_for_others(self, craft, ours, theirs):
        third = factories.organisation("third")
        member = factories.operator("member", member_of=third)
        token = ApiToken(
            operator=member,
            organisation=third,
            name="x",
            prefix="1",
            digest="2",
            created_at=AT,
            expires_at=AT,
        )
        refused = pytest.raises(ProgrammingError, match="row-level security")
        with of(theirs), refused, transaction.atomic():
            token.save()

    def test_holds_what_was_said_inside_a_transaction_only_inside(self, craft, ours, theirs):
        """A setting local to an inner block would hold until the outer one ends."""
        job(craft, theirs)
        with of(factories.organisation("third")), transaction.atomic():
            assert count("jobs_job") == 0
            with acting_for_everybody(), transaction.atomic():
                assert count("jobs_job") == 1
            assert count("jobs_job") == 0

    def test_is_told_again_after_a_savepoint_was_rolled_back(self, craft, ours, theirs):
        """PostgreSQL takes a setting back with the savepoint that it was made in."""
        job(craft, theirs)
        third = factories.organisation("third")
        with acting_for_everybody(), transaction.atomic():
            assert count("jobs_job") == 1
            with of(third):
                with transaction.atomic():
                    assert count("jobs_job") == 0
                    transaction.set_rollback(True)
                assert count("jobs_job") == 0

    def test_survives_a_statement_that_fails_while_another_context_holds(
        self, craft, ours, theirs
    ):
        job(craft, theirs)
        third = of(factories.organisation("third"))
        with pytest.raises(ProgrammingError), transaction.atomic(), third:
            count("no_such_table")
        assert count("jobs_job") == 1
        with of(factories.organisation("fourth")):
            assert count("jobs_job") == 0

    def test_is_told_on_a_new_connection(self, transactional_db, settings):
        craft = factories.spacecraft(organisation=factories.organisation("ours"))
        job(craft, factories.organisation("theirs"))
        with of(factories.organisation("third")):
            assert count("jobs_job") == 0
            connection.close()
            assert count("jobs_job") == 0
        assert count("jobs_job") == 1
