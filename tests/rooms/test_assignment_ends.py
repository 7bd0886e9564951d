"""Whom an assignment's end concerns is told 30, 7 and 1 day before; one mail for each person, end and threshold."""

from collections import Counter
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.urls import reverse

from audit import delivery
from audit.clock import now
from audit.models import OutboxMessage
from partners.services import relationships, time_limits
from rbac import grants
from rbac.catalogue import BuiltIn, Permission
from rbac.end_notice import EndNotice
from rbac.models import Assignment, Delegation, User
from rbac.preferences import NotificationPreference
from rbac.services.notifications import Event
from rooms import ending_emails
from rooms.schedule import tell_of_ends
from rooms.services import roles
from tests.factories.evidence import leaves
from tests.factories.world import World, assign, custom_role, join, make, over, security_group
from tests.partners.test_schedule import at_once

ADMIN, ANN, DORA, CARL = (
    "admin@contoso.example",
    "ann@fabrikam.example",
    "dora@contoso.example",
    "carl@fabrikam.example",
)
DAY = timedelta(days=1)


@pytest.fixture
def world(db) -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    return world


def own(world: World, days: float, name: str = "dora") -> Assignment:
    """An assignment of the customer's own that ends in `days`."""
    desk = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, Permission.TICKETS_VIEW)
    return assign(desk, world.contoso.person(name), over(*world.contoso.german), valid_until=now() + days * DAY)


def theirs(world: World, days: float) -> Assignment:
    """An assignment of the partner's that ends in `days`."""
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=world.relationship.delegation)
    return assign(role, world.fabrikam.person("carl"), over(world.contoso.german[0]), valid_until=now() + days * DAY)


def sent(smtp_sink) -> list[EmailMessage]:
    """The mails that have left since this was asked last."""
    for _ in range(3):
        delivery.deliver_due()
    found = [mail for mail in smtp_sink.messages if "ends in" in mail["Subject"] or "endet in" in mail["Subject"]]
    smtp_sink.messages.clear()
    return found


def to_whom(smtp_sink) -> Counter[str]:
    return Counter(mail["To"] for mail in sent(smtp_sink))


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def test_members_and_keepers_are_told_at_each_threshold_once(world, clock, smtp_sink):
    assignment = own(world, 32)
    seen = []
    for day in range(32):
        for _ in range(2):
            tell_of_ends()
        seen += [(32 - day, *one) for one in sorted((mail["To"], mail["Subject"].strip()) for mail in sent(smtp_sink))]
        clock.move(DAY)
    assert seen == [
        (days, to, f"{begin} ends in {days} day{'s' if days > 1 else ''}")
        for days in (30, 7, 1)
        for to, begin in (
            (ADMIN, f"The assignment “{assignment.name}”"),
            (DORA, "Your access to meeting rooms of Contoso"),
        )
    ]


def test_marker_mail_and_line_are_one(world):
    assignment = own(world, 6)
    with leaves(f"Contoso: Assignment/Update {assignment.role.name} / {assignment.name} Successful system") as evidence:
        tell_of_ends()
    assert evidence.kinds == [ending_emails.ENDING]
    assert evidence.changed() == {"rbac_endnotice"}
    assert evidence.events[0].after == {"told_of_end": assignment_end(assignment), "days": 7}
    with leaves():
        tell_of_ends()


def assignment_end(assignment: Assignment) -> str:
    end = Assignment.objects.get(pk=assignment.pk).valid_until
    assert end is not None
    return end.isoformat()


def test_keepers_are_led_to_the_form_and_members_to_what_they_may(world, smtp_sink):
    assignment = own(world, 6)
    User.objects.filter(upn=DORA).update(language="de")
    tell_of_ends()
    mails = {mail["To"]: mail for mail in sent(smtp_sink)}
    place = [world.contoso.tenant.pk, assignment.role_id, assignment.pk]
    assert reverse("assignment_edit", args=place) in text_of(mails[ADMIN])
    assert "give it a later last day before that" in text_of(mails[ADMIN])
    assert mails[DORA]["Subject"].strip() == "Ihr Zugriff auf Besprechungsräume von Contoso endet in 6 Tagen"
    assert reverse("permission_table", args=place[:1]) in text_of(mails[DORA])


def test_of_a_partners_roles_its_primary_admins_are_told_and_nobody_of_the_customer(world, smtp_sink):
    theirs(world, 6)
    tell_of_ends()
    assert to_whom(smtp_sink) == Counter([ANN, CARL])


def test_whoever_keeps_it_and_is_in_it_gets_one_mail(world, smtp_sink):
    own(world, 6, name="admin")
    tell_of_ends()
    [mail] = sent(smtp_sink)
    assert mail["To"] == ADMIN
    assert "give it a later last day" in text_of(mail)


def test_members_of_a_silent_assignment_are_not_told_and_those_in_groups_are(world, smtp_sink):
    assignment = own(world, 6)
    gus, ida = world.contoso.person("gus"), world.contoso.person("ida")
    User.objects.filter(pk=ida.pk).update(is_active=False)
    assignment.group_memberships.create(group=security_group(world.contoso.tenant, "Desk", gus, ida))
    grants.project_members(assignment)
    tell_of_ends()
    assert to_whom(smtp_sink) == Counter([ADMIN, DORA, "gus@contoso.example"])
    Assignment.objects.filter(pk=assignment.pk).update(valid_until=now() + 5 * DAY, sends_email=False)
    tell_of_ends()
    assert to_whom(smtp_sink) == Counter([ADMIN])


def test_customer_chooses_who_is_told(world, smtp_sink):
    NotificationPreference.objects.create(
        tenant=world.contoso.tenant, event=Event.ASSIGNMENT_ENDING, to_admins=False, addresses=["hr@contoso.example"]
    )
    own(world, 6)
    tell_of_ends()
    mails = {mail["To"]: text_of(mail) for mail in sent(smtp_sink)}
    assert set(mails) == {"hr@contoso.example", DORA}
    assert "http" not in mails["hr@contoso.example"].replace("http://www.w3.org", "")


def test_after_days_without_a_beat_only_the_nearest_threshold_is_told(world, clock, smtp_sink):
    own(world, 40)
    clock.move(39.5 * DAY)
    tell_of_ends()
    assert list(EndNotice.objects.values_list("days", flat=True)) == [1]
    assert len(sent(smtp_sink)) == 2


def test_a_moved_end_is_told_anew_and_the_old_one_no_more(world, smtp_sink):
    assignment = own(world, 6)
    tell_of_ends()
    later = (now() + 20 * DAY).isoformat()
    roles.modify_assignment(assignment, by=world.contoso.admin, dates={"valid_until": later})
    assert sent(smtp_sink) == []
    tell_of_ends()
    assert len(sent(smtp_sink)) == 2
    assert sorted(EndNotice.objects.values_list("days", flat=True)) == [7, 30]


@pytest.mark.parametrize("how", ["suspended", "over", "ended"])
def test_of_a_partner_who_has_no_access_nobody_is_told(world, smtp_sink, how):
    theirs(world, 6)
    if how == "suspended":
        relationships.suspend(world.relationship, by=world.contoso.admin)
    elif how == "over":
        Delegation.objects.filter(pk=world.relationship.delegation_id).update(valid_until=now())
    else:
        relationships.remove(world.relationship, by=world.contoso.admin)
    with leaves():
        tell_of_ends()


def test_what_is_gone_and_who_has_left_is_not_told(world, smtp_sink):
    own(world, 6)
    tell_of_ends()
    User.objects.filter(upn=DORA).update(is_active=False)
    assert to_whom(smtp_sink) == Counter([ADMIN])
    other = own(world, 5, name="fay")
    tell_of_ends()
    roles.delete_assignment(other, by=world.contoso.admin)
    assert to_whom(smtp_sink) == Counter()
    assert EndNotice.objects.count() == 1


def test_a_partner_with_an_end_of_its_own_is_told_of_both(world, smtp_sink):
    """Two things, two mails; the assignment's own end comes first."""
    time_limits.limit(world.relationship, now() + 6 * DAY, by=world.contoso.admin)
    theirs(world, 3)
    tell_of_ends()
    assert to_whom(smtp_sink) == Counter([ANN, CARL])


def test_built_in_roles_end_too_and_are_named_in_the_readers_language(world, smtp_sink):
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    User.objects.filter(pk=lea.pk).update(language="de")
    Assignment.objects.filter(people=lea).update(valid_until=now() + 6 * DAY)
    tell_of_ends()
    [mail] = [one for one in sent(smtp_sink) if one["To"] == lea.upn]
    assert "die Rolle Standortleitung" in text_of(mail)


def test_looking_costs_one_query_when_nobody_is_to_be_told(world, django_assert_num_queries):
    own(world, 31)
    with django_assert_num_queries(1):
        tell_of_ends()


def test_two_beats_at_once_tell_once(committed_db, broker_url):
    world = make()
    own(world, 6)
    assert at_once(tell_of_ends, tell_of_ends, tell_of_ends) == [None] * 3
    assert EndNotice.objects.count() == 1
    assert OutboxMessage.objects.filter(kind=ending_emails.ENDING).count() == 1
