"""The mails about approvals: to whom, when, and in which language."""

from datetime import timedelta

import pytest
from django.core import mail

from audit import outbox
from audit.clock import now
from audit.delivery import deliver_due
from audit.models import OutboxMessage
from partners.services import relationships
from rbac.catalogue import Permission
from rbac.models import User
from rbac.services import notifications
from rbac.services.notifications import Choice, Event
from rooms import approval_emails, change_control
from rooms.models import ApprovalRequest
from rooms.services import approvals
from tests.factories.world import ask_first, asked, join, make

pytestmark = pytest.mark.django_db


class Scene:
    """Ann of Fabrikam has asked to rename a room of Contoso, and said why; no mail has left yet."""

    def __init__(self) -> None:
        self.world = make()
        self.contoso = self.world.contoso
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        ask_first(self.relationship)
        OutboxMessage.objects.all().delete()
        token = change_control.justification.set("New sign on the door")
        changes = {"display_name": "Alps"}
        room = self.contoso.rooms[0]
        self.request: ApprovalRequest = asked(
            lambda: change_control.submit(Permission.ROOMS_MODIFY, room, by=self.ann, changes=changes)
        )
        change_control.justification.reset(token)

    def sent(self) -> dict[str, str]:
        """Whom a mail reached now, and its text."""
        others = OutboxMessage.objects.filter(state="waiting").exclude(kind__startswith="approvals.")
        others.update(state="cancelled", settled_at=now())
        mail.outbox = []
        assert deliver_due()
        return {one.to[0]: f"{one.subject}\n{one.body}" for one in mail.outbox}


@pytest.fixture
def scene(settings) -> Scene:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return Scene()


def test_every_kind_is_delivered_by_somebody():
    assert len({outbox.handler_of(kind) for kind in approval_emails.KINDS}) == 3


def test_those_who_decide_read_what_waits_and_why(scene):
    told = scene.sent()
    assert set(told) == {scene.contoso.admin.upn}
    said = told[scene.contoso.admin.upn]
    for part in (
        "A change waits for your approval: Contoso room 0",
        "ann@fabrikam.example wants to change something for Contoso.",
        "Contoso room 0 (Rooms: Modify)",
        "Why: New sign on the door",
        f"/c/{scene.contoso.tenant.pk}/approvals/{scene.request.pk}/",
    ):
        assert part in said
    assert scene.sent() == {}


def test_whom_the_customer_wants_told_is_told(scene):
    choice = Choice(to_admins=False, addresses=("desk@contoso.example",))
    notifications.change(scene.contoso.tenant, {Event.APPROVAL_REQUESTED: choice}, by=scene.contoso.admin)
    [(address, said)] = scene.sent().items()
    assert address == "desk@contoso.example"
    assert "/approvals/" not in said  # nobody's account: it opens no page


def test_what_was_decided_meanwhile_is_not_asked_for_any_more(scene):
    change_control.approve(scene.request, by=scene.contoso.admin, comment="Fine")
    told = scene.sent()
    assert set(told) == {scene.ann.upn}
    assert "Your change is approved and done: Contoso room 0" in told[scene.ann.upn]
    assert "Comment: Fine" in told[scene.ann.upn]


def test_a_rejection_carries_its_reason_in_the_readers_language(scene):
    User.objects.filter(pk=scene.ann.pk).update(language="de")
    approvals.reject(scene.request, by=scene.contoso.admin, comment="Not now")
    said = scene.sent()[scene.ann.upn]
    assert "Ihre Änderung ist abgelehnt: Contoso room 0" in said
    assert "Not now" in said


def test_nobody_is_told_who_works_for_the_customer_no_more(scene):
    approvals.reject(scene.request, by=scene.contoso.admin, comment="Not now")
    relationships.remove(scene.relationship, by=scene.contoso.admin)
    assert scene.sent() == {}


def test_a_reminder_leaves_once_before_the_end(scene, clock):
    scene.sent()
    assert approvals.remind_due() == 0
    clock.move(timedelta(days=5))
    assert (approvals.remind_due(), approvals.remind_due()) == (1, 0)
    [said] = scene.sent().values()
    assert "Reminder: a change still waits for your approval: Contoso room 0" in said
    clock.move(timedelta(days=2))
    approvals.expire_due()
    assert "Nobody decided about your change: Contoso room 0" in scene.sent()[scene.ann.upn]
