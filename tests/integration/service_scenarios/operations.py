"""Long work that the API is asked for."""

from __future__ import annotations

from datetime import timedelta

from missioncontrol.accounts.policy import Role
from missioncontrol.operations import services
from missioncontrol.operations.models import Operation
from tests import factories
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged

DAY = timedelta(days=1)

unlogged("that it was asked for and how it ended are logged", services.begin_operation)
unlogged("how much is done of what is not over decides nothing", services.note_progress)


def alice():
    return factories.operator("alice", Role.OPERATOR)


def asked_for():
    return {
        "kind": Operation.Kind.LOG_VERIFY,
        "parameters": {},
        "organisation": factories.organisation(),
        "asked_by": alice(),
        "at": AT,
        "wall_at": AT,
    }


def begun():
    waiting = services.start_operation(**asked_for())
    return services.begin_operation(operation_id=waiting.pk, wall_at=AT)


@scenario(services.start_operation)
def start(call):
    call(**asked_for())


@scenario(services.finish_operation)
def finish(call):
    call(begun(), result={"entries": 12}, at=AT, wall_at=AT)


@scenario(services.fail_operation)
def fail(call):
    call(begun(), error="The disk is full.", at=AT, wall_at=AT)


@scenario(services.cancel_operation)
def cancel(call):
    waiting = services.start_operation(**asked_for())
    call(operation_id=waiting.pk, actor=waiting.asked_by, at=AT, wall_at=AT)


@scenario(services.recover_operations)
def give_up(call):
    lost = begun()
    Operation.objects.filter(pk=lost.pk).update(attempt=services.MAX_ATTEMPTS)
    call(at=AT, wall_at=AT + DAY)
