"""Incidents of the demo, in every state, with what customer and partner say about them; all through the services.

Each is told as a list of steps; afterwards its time is moved back, which no service does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO

from django.db.models import F

from rbac.models import Tenant, User
from rooms.models import ClosingReason, Room, Severity, Ticket, TicketEntry, TicketState
from rooms.services import attachments, tickets
from trm_portal.development import demo_people as people
from trm_portal.development.demo_people import Organisation, Person

Step = Callable[[Ticket], object]

_LOG = b"""2026-11-23T08:58:02Z INFO  meeting joined
2026-11-23T08:58:04Z WARN  microphone array: no signal on channel 3
2026-11-23T08:58:09Z ERROR audio device lost, retrying
"""


@dataclass(frozen=True)
class Incident:
    """What was reported by whom, how many days ago, about the first rooms of a city; and what happened then."""

    by: Person
    city: str
    title: str
    description: str
    days: int
    steps: Sequence[Step] = ()
    rooms: int = 1
    severity: Severity = Severity.IMPORTANT
    justification: str = ""
    attached: Sequence[tuple[Person, str, bytes, str]] = field(default_factory=tuple)


def fill() -> None:
    """The incidents of both customers that have rooms are there."""
    for organisation, incidents in ((people.TAILWIND, _TAILWIND), (people.WIDE_WORLD, _WIDE_WORLD)):
        for incident in incidents:
            _tell(organisation, incident)


def _user(person: Person) -> User:
    return User.objects.select_related("tenant").get(entra_oid=person.identity.oid)


def _tell(organisation: Organisation, incident: Incident) -> None:
    tenant = Tenant.objects.get(entra_tid=organisation.tid)
    rooms = Room.objects.filter(tenant=tenant, **({"city": incident.city} if incident.city else {}))
    ticket = tickets.report(
        tenant,
        by=_user(incident.by),
        title=incident.title,
        description=incident.description,
        rooms=list(rooms.order_by("display_name", "pk").values_list("pk", flat=True)[: incident.rooms]),
        severity=incident.severity,
        is_high_impact=bool(incident.justification),
        justification=incident.justification,
    )
    for step in incident.steps:
        step(ticket)
    _let_pass(ticket, timedelta(days=incident.days))
    for person, name, content, text in incident.attached:
        upload = attachments.store(ticket, by=_user(person), file_name=name, stream=BytesIO(content))
        attachments.attach(ticket, by=_user(person), upload=str(upload.pk), text=text)


def _let_pass(ticket: Ticket, time: timedelta) -> None:
    """As if all of it had begun that long ago, one step after the other, the last one yesterday at the latest."""
    lines = list(TicketEntry.objects.filter(ticket=ticket).order_by("pk"))
    apart = time / len(lines)
    began = lines[0].at - time
    TicketEntry.objects.filter(ticket=ticket).delete()  # a line is never changed: it is said again, earlier
    for number, line in enumerate(lines):
        line.at = began + apart * number  # under the same number: a mail about it is on its way
    TicketEntry.objects.bulk_create(lines)
    last = lines[-1].at
    Ticket.objects.filter(pk=ticket.pk).update(opened_at=began, touched_at=last)
    Ticket.objects.filter(pk=ticket.pk, state=TicketState.CLOSED).update(closed_at=F("touched_at"))


def _says(person: Person, text: str) -> Step:
    return lambda ticket: tickets.write(ticket, by=_user(person), text=text)


def _moves(person: Person, state: TicketState) -> Step:
    return lambda ticket: tickets.change_state(ticket, by=_user(person), state=state)


def _gives(person: Person, to: Person) -> Step:
    return lambda ticket: tickets.assign(ticket, by=_user(person), person=_user(to).pk)


def _closes(person: Person, reason: ClosingReason, note: str = "") -> Step:
    return lambda ticket: tickets.close(ticket, by=_user(person), reason=reason, note=note)


TESSA, LENA, TOM, ANN, BOB, WIM = people.TESSA, people.LENA, people.TOM, people.ANN, people.BOB, people.WIM
INVESTIGATING, RESOLVED, NEEDS_ACTION = TicketState.INVESTIGATING, TicketState.RESOLVED, TicketState.NEEDS_ACTION

_TAILWIND = (
    Incident(
        LENA,
        "Vienna",
        "Kein Ton in Videokonferenzen",
        "Seit heute früh hören uns die anderen nicht mehr, obwohl das Mikrofon am Tisch leuchtet.",
        days=1,
        steps=[
            _gives(LENA, ANN),
            _moves(ANN, INVESTIGATING),
            _says(
                ANN,
                "Im Protokoll sehe ich, dass ein Mikrofon ausfällt. Bitte lassen Sie den Raum an.",
            ),
            _says(LENA, "Der Raum bleibt an. Um 14 Uhr haben wir dort einen Kundentermin."),
        ],
        attached=[(ANN, "audio.log", _LOG, "So sieht es im Protokoll aus: Kanal 3 gibt nichts mehr.")],
    ),
    Incident(
        TESSA,
        "Vienna",
        "Boardroom screens stay black",
        "Both front screens stay black after the update last night.",
        days=1,
        rooms=3,
        justification="The board meets here tomorrow at nine, with all country managers connected.",
        steps=[
            _gives(TESSA, ANN),
            _moves(ANN, INVESTIGATING),
            _says(ANN, "Our engineer is on the way and will be in Vienna at four this afternoon."),
        ],
    ),
    Incident(
        LENA,
        "Zurich",
        "Kamera folgt dem Sprecher nicht",
        "Die Kamera bleibt auf die Tür gerichtet, gleich wer spricht.",
        days=4,
        severity=Severity.WARNING,
        steps=[
            _says(ANN, "Hat in den letzten Tagen jemand die Kamera umgehängt? Dann muss sie neu eingemessen werden.")
        ],
    ),
    Incident(
        TOM,
        "Berlin",
        "Display shows the wrong time",
        "The panel beside the door is one hour ahead since the clocks changed.",
        days=2,
        severity=Severity.WARNING,
    ),
    Incident(
        ANN,
        "Zurich",
        "Spare HDMI cable is missing",
        "Found during our visit: the spare cable is gone. Not urgent, we bring one next time.",
        days=6,
        severity=Severity.RECOMMENDATION,
        steps=[_moves(ANN, RESOLVED), _says(ANN, "A new cable is in the cabinet.")],
    ),
    Incident(
        LENA,
        "Vienna",
        "Echo for remote participants",
        "People who join from home hear themselves with a delay of half a second.",
        days=9,
        steps=[
            _gives(LENA, ANN),
            _moves(ANN, INVESTIGATING),
            _says(
                ANN, "The echo canceller was switched off in the settings of the sound bar. It is on again, please try."
            ),
            _moves(ANN, RESOLVED),
            _says(LENA, "Works, thank you!"),
            _closes(LENA, ClosingReason.FIXED, "Echo canceller of the sound bar had been switched off."),
        ],
    ),
    Incident(
        TOM,
        "Berlin",
        "Touch panel does not react",
        "You have to press three times before anything happens.",
        days=12,
        steps=[
            _says(TESSA, "Is the film still on the new panel?"),
            _says(TOM, "Indeed it is. Sorry!"),
            _closes(TESSA, ClosingReason.NO_FAULT, "The protective film was still on the panel."),
        ],
    ),
    Incident(
        TESSA,
        "Zurich",
        "Calls drop after twenty minutes",
        "Three meetings in a row ended by themselves after about twenty minutes.",
        days=15,
        steps=[
            _says(ANN, "We tried for two hours with a test account and could not make it happen."),
            _closes(TESSA, ClosingReason.NOT_REPRODUCIBLE),
            _moves(TESSA, NEEDS_ACTION),
            _says(TESSA, "It happened again this morning, at 9:21."),
            _gives(TESSA, ANN),
        ],
    ),
    Incident(
        LENA,
        "Vienna",
        "Mikrofon fällt aus",
        "Wie in der Meldung von heute früh.",
        days=1,
        steps=[_closes(LENA, ClosingReason.DUPLICATE, "Steht schon in einem anderen Ticket.")],
    ),
    Incident(
        TESSA,
        "London",
        "No calendar on the panel",
        "The panel shows “available” although the room is booked all day.",
        days=3,
        rooms=2,
        steps=[_moves(TESSA, INVESTIGATING), _says(TESSA, "The resource account lost its licence; I have asked IT.")],
    ),
)

_WIDE_WORLD = (
    Incident(
        WIM,
        "",
        "Speaker volume changes by itself",
        "During calls the volume goes down to almost nothing, then up again.",
        days=2,
        rooms=2,
        steps=[_gives(WIM, BOB), _moves(BOB, INVESTIGATING), _says(BOB, "Which firmware does the sound bar show?")],
    ),
    Incident(
        BOB,
        "",
        "Firmware of the camera is two versions old",
        "We would like to update it on Thursday after six. Is that all right?",
        days=5,
        severity=Severity.RECOMMENDATION,
        steps=[_says(WIM, "Thursday is fine."), _moves(BOB, RESOLVED)],
    ),
)
