"""Both sides of a relationship are told 30, 7 and 1 day before its end; once for each end and threshold."""

from collections import Counter
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.urls import reverse

from audit import delivery
from audit.clock import now
from audit.log import recording
from audit.models import OutboxMessage
from partners import parcels
from partners.models import PartnerRelationship
from partners.schedule import tell_of_ends
from partners.services import invitations, relationships, time_limits
from partners.services.invitations import Contact
from rbac.end_notice import EndNotice
from rbac.models import Delegation, Tenant, TenantStatus, User
from rbac.preferences import NotificationPreference
from rbac.services.notifications import Event
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, invite, join, make
from tests.partners.test_schedule import at_once

ADMIN, ANN, BOB = "admin@contoso.example", "ann@fabrikam.example", "bob@fabrikam.example"
TOLD = "Contoso: PartnerInvitation/Update fabrikam.example Successful system"
DAY = timedelta(days=1)


@pytest.fixture
def world(db) -> World:
    world = make()
    world.relationship, (world.ann, world.bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    return world


def limit(world: World, days: float, relationship: PartnerRelationship | None = None) -> None:
    end = now() + timedelta(days=days)
    time_limits.limit(relationship or world.relationship, end, by=world.contoso.admin)


def sent(smtp_sink) -> list[EmailMessage]:
    """The mails that have left since this was asked last."""
    for _ in range(3):
        delivery.deliver_due()
    found = [mail for mail in smtp_sink.messages if "ends in" in mail["Subject"] or "endet in" in mail["Subject"]]
    smtp_sink.messages.clear()
    return found


def subjects(smtp_sink) -> list[tuple[str, str]]:
    return sorted((mail["To"], mail["Subject"]) for mail in sent(smtp_sink))


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def thresholds() -> list[int]:
    return sorted(EndNotice.objects.values_list("days", flat=True))


def test_each_person_gets_one_mail_at_30_7_and_1_day(world, clock, smtp_sink):
    """Forty days, the job once an hour on the days that count and once a day in between."""
    limit(world, 40)
    seen: list[tuple[int, str, str]] = []
    for day in range(40):
        for _ in range(2):
            tell_of_ends()
        seen += [(40 - day, to, subject) for to, subject in subjects(smtp_sink)]
        clock.move(DAY)
    assert seen == [
        (days, to, f"The partnership with {whom} ends in {days} day{'s' if days > 1 else ''}")
        for days in (30, 7, 1)
        for to, whom in ((ADMIN, "fabrikam.example"), (ANN, "Contoso"), (BOB, "Contoso"))
    ]
    assert thresholds() == [1, 7, 30]


def test_marker_mails_and_line_are_one(world):
    limit(world, 30)
    with leaves(TOLD) as evidence:
        tell_of_ends()
    assert evidence.kinds == [parcels.ENDING, parcels.CUSTOMER_ENDING]
    assert evidence.changed() == {"rbac_endnotice"}
    end = Delegation.objects.get(relationship=world.relationship).valid_until
    [line] = evidence.events
    assert line.after == {"told_of_end": end.isoformat(), "days": 30}
    assert line.relationship_id == world.relationship.delegation_id

    limit(world, 5)
    before = mark()

    def tell_and_fail() -> None:
        with recording("PartnerInvitation", "Update", "all of it", tenant=world.contoso.tenant, by=None):
            assert time_limits.tell(Delegation.objects.get(relationship=world.relationship))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tell_and_fail()
    assert (before.changed(), before.kinds) == (set(), [])


def test_after_days_without_a_beat_only_the_nearest_threshold_is_told(world, clock, smtp_sink):
    limit(world, 40)
    clock.move(35 * DAY)
    tell_of_ends()
    assert {subject for _, subject in subjects(smtp_sink)} == {
        "The partnership with fabrikam.example ends in 5 days",
        "The partnership with Contoso ends in 5 days",
    }
    assert thresholds() == [7]
    clock.move(4.5 * DAY)
    tell_of_ends()
    assert thresholds() == [1, 7]


def test_another_end_is_told_anew_and_the_same_one_never(world, smtp_sink):
    limit(world, 6)
    end = Delegation.objects.get(relationship=world.relationship).valid_until
    tell_of_ends()
    assert len(sent(smtp_sink)) == 3
    limit(world, 60)
    tell_of_ends()
    assert sent(smtp_sink) == []
    time_limits.limit(world.relationship, end, by=world.contoso.admin)
    tell_of_ends()
    assert sent(smtp_sink) == []
    limit(world, 5)
    tell_of_ends()
    assert len(sent(smtp_sink)) == 3


def test_an_end_moved_before_the_mail_left_is_not_told(world, smtp_sink):
    limit(world, 6)
    tell_of_ends()
    limit(world, 60)
    assert sent(smtp_sink) == []
    assert set(OutboxMessage.objects.filter(kind__endswith="ending").values_list("state", flat=True)) == {"cancelled"}


@pytest.mark.parametrize("how", ["removed", "over", "taken away"])
def test_of_an_end_that_is_none_any_more_nobody_is_told(world, clock, smtp_sink, how):
    limit(world, 6)
    tell_of_ends()
    if how == "removed":
        relationships.remove(world.relationship, by=world.contoso.admin)
    elif how == "over":
        clock.move(6 * DAY)
    else:
        time_limits.limit(world.relationship, None, by=world.contoso.admin)
    assert sent(smtp_sink) == []


def test_customer_is_led_to_where_it_gives_more_time(world, smtp_sink):
    limit(world, 6)
    tell_of_ends()
    [mail] = [one for one in sent(smtp_sink) if one["To"] == ADMIN]
    said = text_of(mail)
    assert reverse("partner_limit", args=[world.contoso.tenant.pk, world.relationship.pk]) in said
    assert "If you want to go on, give it a later last day before that." in said
    assert "tokens and webhooks have no access any more" in said


def test_partner_is_told_who_can_give_more_time_in_its_own_language(world, smtp_sink):
    User.objects.filter(pk=world.ann.pk).update(language="de")
    cat = world.fabrikam.person("cat")
    invited = Contact("Cat", cat.upn, "cat.mailbox@elsewhere.example")
    [sent_to_cat] = invitations.invite(world.relationship, [invited], by=world.contoso.admin)
    invitations.accept(sent_to_cat, by=cat)
    limit(world, 6)
    tell_of_ends()
    mails = {mail["To"]: mail for mail in sent(smtp_sink)}
    assert set(mails) == {ADMIN, ANN, BOB, "cat.mailbox@elsewhere.example"}
    assert mails[ANN]["Subject"] == "Die Partnerschaft mit Contoso endet in 6 Tagen"
    assert "Nur Contoso kann die Partnerschaft verlängern." in text_of(mails[ANN])
    said = text_of(mails["cat.mailbox@elsewhere.example"])
    assert "Only Contoso can give the partnership more time." in said
    assert reverse("customer", args=[world.contoso.tenant.pk]) in said


def test_customer_chooses_who_is_told(world, smtp_sink):
    NotificationPreference.objects.create(
        tenant=world.contoso.tenant, event=Event.PARTNER_ENDING, to_admins=False, addresses=["desk@contoso.example"]
    )
    limit(world, 6)
    tell_of_ends()
    assert Counter(mail["To"] for mail in sent(smtp_sink)) == Counter(["desk@contoso.example", ANN, BOB])


def test_who_is_no_primary_admin_or_not_active_is_not_told(world, smtp_sink):
    User.objects.filter(pk=world.bob.pk).update(is_active=False)
    limit(world, 6)
    tell_of_ends()
    assert Counter(mail["To"] for mail in sent(smtp_sink)) == Counter([ADMIN, ANN])


def test_of_an_invited_partner_only_the_customer_is_told_and_of_a_suspended_one_both(world, smtp_sink):
    invited, _ = invite(world.contoso, "x@northwind.example", label="Northwind")
    relationships.suspend(world.relationship, by=world.contoso.admin)
    limit(world, 6)
    limit(world, 6, invited)
    tell_of_ends()
    assert subjects(smtp_sink) == [
        (ADMIN, "The partnership with Northwind ends in 6 days"),
        (ADMIN, "The partnership with fabrikam.example ends in 6 days"),
        (ANN, "The partnership with Contoso ends in 6 days"),
        (BOB, "The partnership with Contoso ends in 6 days"),
    ]


def test_of_lapsed_ones_and_closed_customers_nobody_is_told(world):
    lapsed, (open_one,) = invite(world.contoso, "x@northwind.example")
    limit(world, 6, lapsed)
    invitations.revoke(open_one, by=world.contoso.admin)
    limit(world, 6)
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(status=TenantStatus.CLOSED)
    with leaves():
        tell_of_ends()


def test_looking_costs_one_query_when_nobody_is_to_be_told(world, django_assert_num_queries):
    limit(world, 31)
    with django_assert_num_queries(1):
        tell_of_ends()


def test_two_beats_at_once_tell_once(committed_db, broker_url):
    world = make()
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    limit(world, 6, relationship)
    assert at_once(tell_of_ends, tell_of_ends, tell_of_ends, tell_of_ends) == [None] * 4
    assert thresholds() == [7]
    assert OutboxMessage.objects.filter(kind=parcels.ENDING).count() == 1
    assert OutboxMessage.objects.filter(kind=parcels.CUSTOMER_ENDING).count() == 1
