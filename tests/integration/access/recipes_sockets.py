"""The websockets, and what each tells."""

from __future__ import annotations

from missioncontrol.accounts.policy import Action
from missioncontrol.kernel import live
from telemetry.streams import publish_values
from tests.integration.access.cast import By, Cast, Subject
from tests.integration.access.listening import SOCKETS, Message, SocketRecipe
from tests.integration.access.recipes import OPERATING, granted
from tests.integration.access.scene import Scene

_VALUE = {"v": 50.0, "s": "normal", "t": "2026-12-01T12:00:01.000Z"}
_ALARM = {"type": "alarm", "parameter": "PWR_BATT_V", "severity": "critical", "value": "41.5"}


def console_ticket(subject: Subject, cast: Cast) -> str:
    """Ask for a ticket as a page does."""
    answer = cast.client(subject, By.SESSION).post("/live-ticket/")
    return answer.json()["ticket"] if answer.status_code == 200 else ""


def events_ticket(subject: Subject, cast: Cast) -> str:
    """Ask for a ticket as a pipeline does."""
    client = cast.client(subject, By.TOKEN)
    answer = client.post("/api/v1/tickets", content_type="application/json")
    return answer.json()["ticket"] if answer.status_code == 200 else ""


def telemetry(scene: Scene) -> None:
    publish_values(scene.spacecraft.name, {"PWR_BATT_V": _VALUE})


def publishing(message: dict[str, object]):
    """Return what publishes *message* as the services do."""
    return lambda _scene: live.publish(message)


SOCKETS.append(
    SocketRecipe(
        address="/ws/live/",
        by=By.SESSION,
        ticket=console_ticket,
        meant=granted(Action.CONTACT_VIEW),
        first="refresh:all",
        knock=publishing({"type": "refresh", "part": "all"}),
        messages=[
            Message(
                kind="telemetry",
                meant=granted(Action.TELEMETRY_VIEW, OPERATING),
                publish=telemetry,
            ),
            Message(
                kind="alarm",
                meant=granted(Action.TELEMETRY_VIEW, OPERATING),
                publish=publishing(_ALARM),
            ),
            Message(
                kind="pass",
                meant=granted(Action.CONTACT_VIEW),
                publish=publishing({"type": "pass", "contact": 1, "state": "PASS"}),
            ),
            # A member's own pages live by "refresh".
            Message(
                kind="job",
                meant=granted(Action.JOB_VIEW, OPERATING),
                publish=publishing({"type": "job", "job": 1, "state": "RUNNING"}),
            ),
            Message(
                kind="refresh:now",
                meant=granted(Action.CONTACT_VIEW),
                publish=publishing({"type": "refresh", "part": "now"}),
            ),
        ],
    )
)

# What an event tells is public in the consortium.
SOCKETS.append(
    SocketRecipe(
        address="/ws/events/",
        by=By.TOKEN,
        ticket=events_ticket,
        query="&after=-1",
        meant=granted(Action.AUDIT_VIEW),
        first="job.submit",
        messages=[Message(kind="job.submit", meant=granted(Action.AUDIT_VIEW))],
    )
)

_SEES_TELEMETRY = granted(Action.TELEMETRY_VIEW, OPERATING)

SOCKETS.append(
    SocketRecipe(
        address="/api/v1/spacecraft/{name}/telemetry/live",
        path={"name": "DD-1"},
        by=By.TOKEN,
        ticket=events_ticket,
        meant=_SEES_TELEMETRY,
        first="values",
        messages=[Message(kind="values", meant=_SEES_TELEMETRY)],
    )
)
SOCKETS.append(
    SocketRecipe(
        address="/api/v1/spacecraft/{name}/telemetry/replay",
        path={"name": "DD-1"},
        query="&start=2026-12-01T12:00:00Z&end=2026-12-01T12:00:01Z",
        by=By.TOKEN,
        ticket=events_ticket,
        meant=_SEES_TELEMETRY,
        first="replay",
        messages=[Message(kind="replay", meant=_SEES_TELEMETRY)],
    )
)
