"""Whatever takes access away ends it on the next request, through every door, with neither worker nor beat.

Every cause meets every door. A door is opened once before (it works), once after the cause, and once more after the cause
is lifted, where that can be. What is open after all belongs to somebody else: the partner's webhook does not end with one
of its people.
"""

import io
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from audit.delivery import deliver_due
from audit.events import EventType
from partners import links
from partners.models import ApiToken
from partners.services import invitations, relationships, tokens, webhook_delivery, webhooks
from partners.services.webhooks import Owner
from rbac import streams
from rbac.catalogue import Permission
from rbac.models import Assignment, AssignmentMember, Delegation
from rbac.partner_access import Conditions, Policy
from rbac.services import assignments, partner_access, people
from rbac.streams import AccessLost
from rooms import change_control
from rooms.errors import RequestOver
from rooms.models import (
    ApprovalRequest,
    ApprovalState,
    BulkAction,
    BulkChange,
    InventoryImport,
    Room,
    RoomState,
    Ticket,
    WorkState,
)
from rooms.services import bulk_changes, inventory_imports, tickets
from tests import invariants
from tests.factories.browsing import browser
from tests.factories.callers import person, token, tool
from tests.factories.rows import RoomFactory
from tests.factories.tickets import reported
from tests.factories.world import World, assign, contact, custom_role, found_customer, join, make, over, waiting
from tests.foundation.clock import Clock
from tests.foundation.receiver import Receiver

pytestmark = pytest.mark.django_db

TIMES = 3  # before, after, lifted
HELD = (
    Permission.ROOMS_VIEW,
    Permission.ROOMS_MODIFY,
    Permission.TICKETS_VIEW,
    Permission.TICKETS_UPDATE,
    Permission.REPORTS_VIEW,
)
Door = Callable[[], bool]


class Scene:
    """Cora of Fabrikam looks after Contoso's German rooms, by an assignment of her own; Ann and Ben lead there. For
    Wingtip Cora works, too, and nothing happens there."""

    def __init__(self, receiver: Receiver, clock: Clock) -> None:
        self.receiver, self.clock = receiver, clock
        self.world: World = make()
        self.tenant, self.admin = self.world.contoso.tenant, self.world.contoso.admin
        spare = [
            RoomFactory(tenant=self.tenant, resource_account=f"spare{n}@contoso.example") for n in range(3 * TIMES)
        ]
        self.rooms = [*self.world.contoso.german, *spare]
        Room.objects.filter(tenant=self.tenant).update(state=RoomState.ENROLLED)  # they enter reports
        self.spare = iter(spare)
        partner = self.world.fabrikam
        self.relationship, (self.ann, self.ben) = join(self.world.contoso, partner, "ann", "ben", rooms=self.rooms)
        self.cora = partner.person("cora")
        self.assignment = self.works_for(self.relationship, self.rooms)
        wingtip = found_customer("Wingtip")
        other, _ = join(wingtip, partner, "ann", rooms=wingtip.rooms)
        self.works_for(other, wingtip.rooms)
        self.begun: list[list[Any]] = []  # files on their way
        self.browser, self.secret = browser(self.cora), token(self.relationship, self.cora, *HELD)

    def works_for(self, relationship: Any, rooms: list[Room]) -> Assignment:
        role = custom_role(relationship.delegation.tenant, *HELD, delegation=relationship.delegation)
        return assign(role, self.cora, over(*rooms))

    @property
    def room(self) -> Room:
        return Room.objects.get(pk=self.rooms[0].pk)


# --- Doors: each is set up before the cause, and says whether it opens ---------------------------------------------


def page(scene: Scene) -> Door:
    return lambda: scene.browser.get(reverse("room", args=[scene.tenant.pk, scene.room.pk])).status_code == 200


def form(scene: Scene) -> Door:
    url = reverse("room_edit", args=[scene.tenant.pk, scene.room.pk])
    shown = scene.browser.get(url).context["form"]
    entered = {name: shown[name].value() or "" for name in shown.fields}

    def opens() -> bool:
        before = scene.room
        scene.browser.post(url, entered | {"display_name": f"{before.display_name}'", "version": before.version})
        return scene.room.display_name != before.display_name

    return opens


def read(caller: Any, scene: Scene) -> Door:
    return lambda: caller.get("api-room", scene.tenant.pk, scene.room.pk).status_code == 200


def write(caller: Any, scene: Scene) -> Door:
    def opens() -> bool:
        before = scene.room.label
        caller.patch("api-room", scene.tenant.pk, scene.room.pk, body={"label": f"{before}x"})
        return scene.room.label != before

    return opens


def session_read(scene: Scene) -> Door:
    return read(_by_session(scene), scene)


def session_write(scene: Scene) -> Door:
    return write(_by_session(scene), scene)


def _by_session(scene: Scene) -> Any:
    caller = person(scene.cora)
    caller.client = scene.browser
    return caller


def token_read(scene: Scene) -> Door:
    return read(tool(scene.secret), scene)


def token_write(scene: Scene) -> Door:
    return write(tool(scene.secret), scene)


def token_goes_on(scene: Scene) -> Door:
    """The next page of a list that a tool has begun to read."""
    first = tool(scene.secret).get("api-rooms", scene.tenant.pk, page_size=1).json()
    assert len(first["items"]) == 1
    return lambda: Client().get(first["next"], headers={"Authorization": f"Token {scene.secret}"}).status_code == 200


def aggregate(scene: Scene) -> Door:
    """The rooms over all customers: Contoso's are among them."""
    url = reverse("room", args=[scene.tenant.pk, scene.room.pk])
    return lambda: f'href="{url}"' in scene.browser.get(reverse("all_rooms")).content.decode()


def aggregate_call(scene: Scene) -> Door:
    account = scene.room.resource_account
    return lambda: account in _by_session(scene).get("api-all-rooms").content.decode()


def file(scene: Scene) -> Door:
    return lambda: scene.browser.get(reverse("rooms_export", args=[scene.tenant.pk])).status_code == 200


def running(address: Callable[[Scene], str]) -> Callable[[Scene], Door]:
    """A file that has begun to arrive: is there an end to it?"""

    def door(scene: Scene) -> Door:
        begun = []
        for _ in range(TIMES):
            answer = scene.browser.get(address(scene))
            assert answer.status_code == 200
            content = iter(answer.streaming_content)
            assert next(content)
            begun.append(content)
        scene.begun.append(begun)

        def opens() -> bool:
            content = begun.pop()
            try:
                return bool(list(content))
            except AccessLost:
                return False

        return opens

    return door


def link(scene: Scene) -> Door:
    """Where a mail about an incident leads."""
    found = _answered(scene)
    [address] = _mailed(scene, found)
    return lambda: scene.browser.get(address).status_code == 200


def letter(scene: Scene) -> Door:
    """A mail to Cora that was written before, and leaves after."""
    found = _answered(scene)

    def opens() -> bool:
        is_told = bool(_mailed(scene, found))
        tickets.write(found, by=scene.admin, text="Hello?")
        return is_told

    return opens


def _answered(scene: Scene) -> Ticket:
    """An incident in which Cora takes part, and somebody has answered her."""
    found = reported(scene.world, scene.room)
    tickets.write(found, by=scene.cora, text="I am on my way.")
    tickets.write(found, by=scene.admin, text="Thank you.")
    return found


def _mailed(scene: Scene, found: Ticket) -> list[str]:
    """Where the mails about the ticket lead that Cora gets now; that she has lost her access, she is told, too."""
    mail.outbox = []
    assert deliver_due()
    link_of = re.compile(rf"http://\S+{reverse('ticket', args=[scene.tenant.pk, found.pk])}")
    return [
        link_of.search(one.body).group() for one in mail.outbox if scene.cora.upn in one.to and link_of.search(one.body)
    ]


def invitation(scene: Scene) -> Door:
    """The link of a mail that invites a colleague, who then sees the rooms."""
    people = [scene.world.fabrikam.person(f"dan{n}") for n in range(TIMES)]
    sent = invitations.invite(scene.relationship, [contact(one.upn) for one in people], by=scene.admin)

    def opens() -> bool:
        found, client = sent.pop(), browser(people.pop())
        client.get(reverse("invitation_link", args=[found.pk, links.secret_of(found)]))
        client.post(reverse("invitation_accept", args=[found.pk]))
        return client.get(reverse("rooms", args=[scene.tenant.pk])).status_code == 200

    return opens


def webhook(scene: Scene) -> Door:
    """Something waits for the partner's receiver; the delivery is run as a worker would."""
    owner = Owner(scene.tenant, scene.relationship.delegation_id)
    webhooks.create(owner, scene.receiver.url, by=scene.ann, events=tuple(EventType))

    def happen() -> None:
        reported(scene.world, scene.room)

    def opens() -> bool:
        scene.receiver.received.clear()
        webhook_delivery.serve(time.monotonic() + 30)
        happen()
        return bool(scene.receiver.received)

    happen()
    return opens


def bulk_change(scene: Scene) -> Door:
    """A change of many rooms that Cora has confirmed and that waits for a worker."""
    confirmed = []
    for _ in range(TIMES):
        room = next(scene.spare)
        found = bulk_changes.prepare(scene.tenant, [room.pk], by=scene.cora)
        bulk_changes.describe(found, BulkAction.EDIT, {"campus": "Mine"})
        BulkChange.objects.filter(pk=found.pk).update(state=WorkState.QUEUED)
        confirmed.append((found, room))

    def opens() -> bool:
        found, room = confirmed.pop()
        bulk_changes.carry_out(found.pk, submit=change_control.submit)
        return Room.objects.get(pk=room.pk).campus == "Mine"

    return opens


def inventory_import(scene: Scene) -> Door:
    """An import that Cora has confirmed and that waits for a worker."""
    confirmed = []
    for _ in range(TIMES):
        room = next(scene.spare)
        said = io.BytesIO(f"Identity,DisplayName\n{room.resource_account},Mine\n".encode())
        found = inventory_imports.prepare(scene.tenant, said, "rooms.csv", by=scene.cora)
        InventoryImport.objects.filter(pk=found.pk).update(state=WorkState.QUEUED)
        confirmed.append((found, room))

    def opens() -> bool:
        found, room = confirmed.pop()
        inventory_imports.carry_out(found.pk, submit=change_control.submit)
        return Room.objects.get(pk=room.pk).display_name == "Mine"

    return opens


def approval(scene: Scene) -> Door:
    """What Cora has asked for, and the customer approves."""
    asked: list[ApprovalRequest] = [waiting(scene.relationship, next(scene.spare), scene.cora) for _ in range(TIMES)]

    def opens() -> bool:
        try:
            return change_control.approve(asked.pop(), by=scene.admin).state == ApprovalState.EXECUTED
        except RequestOver:
            return False

    return opens


DOORS: dict[str, Callable[[Scene], Door]] = {
    "page": page,
    "form": form,
    "session reads": session_read,
    "session writes": session_write,
    "token reads": token_read,
    "token writes": token_write,
    "token goes on": token_goes_on,
    "all customers": aggregate,
    "all customers, API": aggregate_call,
    "file": file,
    "running file of rooms": running(lambda scene: reverse("rooms_export", args=[scene.tenant.pk])),
    "running file of tickets": running(lambda scene: reverse("tickets_export", args=[scene.tenant.pk])),
    "running file of figures": running(lambda scene: reverse("reports_csv", args=[scene.tenant.pk]) + "?figure=rooms"),
    "running file of all customers": running(lambda scene: reverse("all_rooms_export")),
    "link of a mail": link,
    "mail that waits": letter,
    "bulk change": bulk_change,
    "import": inventory_import,
    "approval": approval,
    "webhook": webhook,
    "invitation": invitation,
}
BY_TOKEN = {"token reads", "token writes", "token goes on"}
PARTNERS = {"webhook", "invitation"}  # belong to the partner as a whole, not to Cora
WORK = {"bulk change", "import", "approval", "mail that waits"}  # Cora's, but not her browser's
ALL = set(DOORS)
HERS = ALL - PARTNERS


# --- Causes ---------------------------------------------------------------------------------------------------------


def suspend(scene: Scene) -> None:
    relationships.suspend(scene.relationship, by=scene.admin)


def resume(scene: Scene) -> None:
    relationships.resume(scene.relationship, by=scene.admin)


def remove(scene: Scene) -> None:
    relationships.remove(scene.relationship, by=scene.admin)


def leave(scene: Scene) -> None:
    relationships.leave(scene.relationship, by=scene.ben)


def deactivate(scene: Scene) -> None:
    people.deactivate(scene.cora, by=None, reason="Telephone stolen")


def activate(scene: Scene) -> None:
    people.activate(scene.cora, by=None)


def until(rows: Callable[[Scene], Any], wait: timedelta) -> Callable[[Scene], None]:
    """The end of `rows` is an hour from now, and `wait` passes."""

    def passes(scene: Scene) -> None:
        rows(scene).update(valid_until=scene.clock.now() + timedelta(hours=1))
        scene.clock.move(wait)

    return passes


def delegation(scene: Scene) -> Any:
    return Delegation.objects.filter(pk=scene.relationship.delegation_id)


def own_assignment(scene: Scene) -> Any:
    return Assignment.objects.filter(pk=scene.assignment.pk)


def dismiss(scene: Scene) -> None:
    assignments.change_members(scene.assignment, by=scene.ann, remove=[scene.cora])


def admit(scene: Scene) -> None:
    assignments.admit(scene.assignment, scene.cora, by=scene.ann)
    assert AssignmentMember.objects.filter(assignment=scene.assignment, user=scene.cora).exists()


def revoke(scene: Scene) -> None:
    tokens.revoke(ApiToken.objects.get(user=scene.cora), by=scene.cora)


def sign_out_elsewhere(scene: Scene) -> None:
    """From another browser of hers, on the page where she is signed in."""
    assert browser(scene.cora).post(reverse("sessions_end_others")).status_code == 302


def ask_for_second_factor(scene: Scene) -> None:
    partner_access.change(scene.tenant, Policy(always=Conditions(mfa=True)), by=scene.admin)


def ask_for_nothing(scene: Scene) -> None:
    partner_access.change(scene.tenant, Policy(), by=scene.admin)


@dataclass(frozen=True)
class Cause:
    """What takes access away, which doors that shuts, what lifts it, and what stays shut then."""

    comes: Callable[[Scene], None]
    shuts: set[str]
    lifts: Callable[[Scene], None] | None = None
    stays_shut: frozenset[str] = frozenset()


PAST, STILL = timedelta(hours=1), timedelta(minutes=59)
CAUSES = {
    "the customer suspends the partner": Cause(suspend, ALL, resume),
    "the customer removes the partner": Cause(remove, ALL),
    "the partner leaves": Cause(leave, ALL),
    # Her session is over for good: she would sign in again.
    "support staff deactivate the person": Cause(
        deactivate, HERS, activate, frozenset(HERS - BY_TOKEN - WORK | {"approval"})
    ),
    "the relationship has ended": Cause(until(delegation, PAST), ALL, until(delegation, timedelta())),
    "the relationship ends in a minute": Cause(until(delegation, STILL), set()),
    "the assignment has ended": Cause(until(own_assignment, PAST), HERS, until(own_assignment, timedelta())),
    "the assignment ends in a minute": Cause(until(own_assignment, STILL), set()),
    "the person is taken out of the assignment": Cause(dismiss, HERS, admit, frozenset({"approval"})),
    # Jobs have nothing to show, and carry out what was let in before; a webhook says no more than that something happened.
    "the customer asks for a second factor": Cause(
        ask_for_second_factor, HERS - WORK | {"invitation"}, ask_for_nothing
    ),
    "the token is revoked": Cause(revoke, BY_TOKEN),
    "the session is ended elsewhere": Cause(sign_out_elsewhere, HERS - BY_TOKEN - WORK),
}


@pytest.mark.parametrize("name", CAUSES)
def test_each_door_is_shut_on_the_next_request(
    name: str, receiver: Receiver, clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr(streams, "ASKED_AGAIN", 0.0)
    cause, scene = CAUSES[name], Scene(receiver, clock)
    doors = {which: set_up(scene) for which, set_up in DOORS.items()}
    assert shut(doors) == set(), "before, all of them are open: else this test proves nothing"
    cause.comes(scene)
    assert shut(doors) == cause.shuts
    invariants.check()
    if cause.lifts is not None:
        cause.lifts(scene)
        assert shut(doors) == cause.stays_shut
    for content in chain(*scene.begun):
        with suppress(AccessLost):
            list(content)


def shut(doors: dict[str, Door]) -> set[str]:
    """The doors that do not open."""
    return {which for which, opens in doors.items() if not opens()}
