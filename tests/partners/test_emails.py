"""The mails about partners over real SMTP: who gets them, what they say, and when they are not sent any more."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from audit import delivery, outbox
from audit.models import OutboxMessage, OutboxState
from partners import links, parcels
from partners.errors import WrongTenant
from partners.models import Invitation
from partners.services import invitations, relationships
from partners.services.invitations import Contact
from rbac.catalogue import BuiltIn
from rbac.letters import moment
from rbac.models import Assignment, AssignmentGroup, SecurityGroup, SecurityGroupMember, Tenant, User
from rbac.preferences import NotificationPreference
from rbac.services import delegations
from rbac.services.notifications import Event
from tests.factories.world import World, found_partner, invite, join, make

pytestmark = pytest.mark.django_db
ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"


@pytest.fixture
def world() -> World:
    return make()


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def html_of(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()


def state_of(kind: str) -> list[str]:
    return list(OutboxMessage.objects.filter(kind=kind).order_by("pk").values_list("state", flat=True))


def invite_again(invitation: Invitation, by: User, **contact: str) -> Invitation:
    """Another invitation to the same partner, for a contact of any kind."""
    fields = {"name": "Carl", "upn": "carl@fabrikam.example", "delivery_address": ""} | contact
    (sent,) = invitations.invite(invitation.relationship, [Contact(**fields)], by=by)
    return sent


def not_the_customer(world: World) -> None:
    """Contoso does not want to be told that partners end."""
    NotificationPreference.objects.create(tenant=world.contoso.tenant, event=Event.PARTNER_ENDED, to_admins=False)


def test_every_kind_is_delivered_by_somebody():
    assert len({outbox.handler_of(kind) for kind in parcels.KINDS}) == 12


def test_each_contact_gets_an_invitation_of_his_own(world, smtp_sink):
    _, sent = invite(world.contoso, ANN, BOB)

    delivery.deliver_due()

    assert smtp_sink.recipients == [[ANN], [BOB]]
    for mail, invitation in zip(smtp_sink.messages, sent, strict=True):
        assert mail["To"] == invitation.upn
        assert mail["Subject"] == "Contoso invites you to manage its meeting rooms"
        for said in (text_of(mail), html_of(mail)):
            assert f"Hello {invitation.contact_name}," in said
            assert "admin@contoso.example invites you on behalf of Contoso" in said
            assert f"Sign in with your work account {invitation.upn}" in said
            assert moment(invitation.expires_at, ZoneInfo("UTC")) in said
            assert said.count(links.url_of(invitation)) >= 1
    assert state_of(parcels.INVITATION) == [OutboxState.SENT] * 2


def test_an_invitation_goes_to_the_delivery_address_but_names_the_account(world, smtp_sink):
    _, (invitation,) = invite(world.contoso, ANN)
    invite_again(invitation, world.contoso.admin, delivery_address="carl.mailbox@elsewhere.example")

    delivery.deliver_due()

    assert smtp_sink.recipients == [[ANN], ["carl.mailbox@elsewhere.example"]]
    assert "your work account carl@fabrikam.example" in text_of(smtp_sink.messages[1])


def test_a_mail_has_one_button_and_nothing_that_tracks(world, smtp_sink):
    _, (invitation,) = invite(world.contoso, ANN)

    delivery.deliver_due()

    html = html_of(smtp_sink.messages[0])
    assert set(re.findall(r'href="([^"]*)"', html)) == {links.url_of(invitation)}
    assert html.count("mail-button") == html.count('class="mail-button"') + html.count(".mail-button")
    assert html.count('class="mail-button"') == 1
    assert re.findall(r"<(?:img|script|link|iframe|form)\b|\bsrc=|url\(", html) == []


@pytest.mark.parametrize(
    ("language", "until"),
    [
        ("en", "Friday, 1 January 2100, 11:00 (UTC)"),
        ("de", "Freitag, 1. Januar 2100, 11:00 Uhr (UTC)"),
        ("de-at", "Freitag, 1. Januar 2100, 11:00 Uhr (UTC)"),
    ],
)
def test_an_invitation_speaks_its_own_language(world, smtp_sink, language, until):
    _, (invitation,) = invite(world.contoso, ANN)
    friday = datetime(2100, 1, 1, 11, tzinfo=UTC)
    Invitation.objects.filter(pk=invitation.pk).update(language=language, expires_at=friday)

    with override("fr"):
        delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert mail["Content-Language"] == language[:2]
    assert f'<html lang="{language[:2]}">' in html_of(mail)
    for said in (text_of(mail), html_of(mail)):
        assert until in said
        english = ("Hello", "invites you", "Sign in with", "is open until", "Review", "sent automatically")
        assert [part in said for part in english] == [language == "en"] * len(english)


def test_a_language_that_the_portal_does_not_speak_is_english(world, smtp_sink):
    _, (invitation,) = invite(world.contoso, ANN)
    Invitation.objects.filter(pk=invitation.pk).update(language="fr")

    delivery.deliver_due()

    assert smtp_sink.messages[0]["Content-Language"] == "en"
    assert "The invitation is open until" in text_of(smtp_sink.messages[0])


def test_a_moment_names_weekday_time_and_zone():
    at = datetime(2026, 12, 11, 13, 5, tzinfo=UTC)

    assert moment(at, ZoneInfo("UTC")) == "Friday, 11 December 2026, 13:05 (UTC)"
    assert moment(at, ZoneInfo("Europe/Berlin")) == "Friday, 11 December 2026, 14:05 (Europe/Berlin, UTC+01:00)"
    assert moment(at, ZoneInfo("America/St_Johns")) == "Friday, 11 December 2026, 09:35 (America/St_Johns, UTC-03:30)"
    summer = at.replace(month=6, day=30, hour=23)
    assert moment(summer, ZoneInfo("Europe/Berlin")) == "Wednesday, 1 July 2026, 01:05 (Europe/Berlin, UTC+02:00)"


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Berlin", "Europe/Berlin"), ("Mars/Base", "UTC"), ("../x", "UTC")])
def test_moments_are_told_in_the_customers_zone(world, smtp_sink, zone, shown):
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(time_zone=zone)
    _, (invitation,) = invite(world.contoso, ANN)

    delivery.deliver_due()

    assert moment(invitation.expires_at, ZoneInfo(shown)) in text_of(smtp_sink.messages[0])


def test_names_are_escaped_in_html_and_plain_in_text(world, smtp_sink):
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(name="Contoso <b>& Co</b>")
    _, (invitation,) = invite(world.contoso, ANN)
    Invitation.objects.filter(pk=invitation.pk).update(contact_name='<a href="https://evil.example">Ann</a>')

    delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert mail["Subject"] == "Contoso <b>& Co</b> invites you to manage its meeting rooms"
    assert "Contoso &lt;b&gt;&amp; Co&lt;/b&gt;" in html_of(mail)
    assert "<b>" not in html_of(mail)
    assert "https://evil.example" not in re.findall(r'href="([^"]*)"', html_of(mail))
    assert 'Hello <a href="https://evil.example">Ann</a>,' in text_of(mail)
    assert "&amp;" not in text_of(mail)


def test_line_breaks_in_names_make_neither_headers_nor_paragraphs(world, smtp_sink):
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(name="Contoso\r\nBcc: eve@evil.example")
    _, (invitation,) = invite(world.contoso, ANN)
    Invitation.objects.filter(pk=invitation.pk).update(contact_name="Ann\n\nPay here: \u202eevil\x1b[2J\u2028now")

    delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert mail["Subject"] == "Contoso Bcc: eve@evil.example invites you to manage its meeting rooms"
    assert mail["Bcc"] is None
    assert smtp_sink.recipients == [[ANN]]
    assert "Hello Ann Pay here: evil [2J now,\n" in text_of(mail).replace("\r\n", "\n")


def test_sending_again_sends_one_mail_with_the_new_link(world, smtp_sink):
    _, (invitation,) = invite(world.contoso, ANN)
    dead = links.url_of(invitation)
    again = invitations.resend(invitation, by=world.contoso.admin)

    delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert links.url_of(again) in text_of(mail)
    assert dead not in text_of(mail)
    assert state_of(parcels.INVITATION) == [OutboxState.CANCELLED, OutboxState.SENT]


def test_a_mail_that_was_overtaken_by_a_resend_is_not_repeated(world, smtp_sink):
    _, (invitation,) = invite(world.contoso, ANN)
    invitations.resend(invitation, by=world.contoso.admin)
    # as if a worker had held the first one when it was to be cancelled, and had failed to send it
    OutboxMessage.objects.filter(state=OutboxState.CANCELLED).update(state=OutboxState.WAITING, settled_at=None)

    delivery.deliver_due()

    assert len(smtp_sink.messages) == 1
    assert state_of(parcels.INVITATION) == [OutboxState.CANCELLED, OutboxState.SENT]


def accept(world: World, invitation: Invitation) -> None:
    invitations.accept(invitation, by=world.fabrikam.person("ann"))


def deny(world: World, invitation: Invitation) -> None:
    invitations.deny(invitation, by=world.fabrikam.person("ann"))


def revoke(world: World, invitation: Invitation) -> None:
    invitations.revoke(invitation, by=world.contoso.admin)


def remove(world: World, invitation: Invitation) -> None:
    relationships.remove(invitation.relationship, by=world.contoso.admin)


@pytest.mark.parametrize("answer", [accept, deny, revoke, remove])
@pytest.mark.parametrize("kind", [parcels.INVITATION, parcels.REMINDER])
def test_what_is_answered_is_not_told_any_more(world, smtp_sink, clock, kind, answer):
    _, (invitation,) = invite(world.contoso, ANN)
    OutboxMessage.objects.all().delete()
    answer(world, invitation)
    OutboxMessage.objects.all().delete()
    message = OutboxMessage.objects.create(
        kind=kind, subject_id=str(invitation.pk), tenant_id=invitation.tenant_id, due_at=clock.now()
    )

    delivery.deliver_due()

    message.refresh_from_db()
    assert message.state == OutboxState.CANCELLED
    assert smtp_sink.attempts == 0


def test_what_has_expired_is_not_told_though_no_job_has_marked_it(world, smtp_sink, clock):
    invite(world.contoso, ANN)
    clock.move(timedelta(days=14))

    delivery.deliver_due()

    assert smtp_sink.attempts == 0
    assert state_of(parcels.INVITATION) == [OutboxState.CANCELLED]


def test_the_reminder_says_what_is_still_open(world, smtp_sink, clock):
    _, (invitation,) = invite(world.contoso, ANN)
    OutboxMessage.objects.all().delete()
    parcel = parcels.reminder_mail(invitation)
    OutboxMessage.objects.create(
        kind=parcel.kind, subject_id=parcel.subject_id, tenant_id=parcel.tenant_id, due_at=clock.now()
    )

    delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert mail["To"] == ANN
    assert mail["Subject"] == "Reminder: Contoso has invited you to manage its meeting rooms"
    for said in (text_of(mail), html_of(mail)):
        assert "You have not answered yet." in said
        assert moment(invitation.expires_at, ZoneInfo("UTC")) in said
        assert links.url_of(invitation) in said


def test_the_customer_is_told_once_who_has_linked(world, smtp_sink):
    relationship, (ann, _) = join(world.contoso, world.fabrikam, "ann", "bob")

    delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert smtp_sink.recipients == [["admin@contoso.example"]]
    assert mail["Subject"] == "Fabrikam is now your partner"
    url = f"http://testserver/c/{world.contoso.tenant.pk}/settings/partners/{relationship.pk}/"
    for said in (text_of(mail), html_of(mail)):
        for fact in ("Fabrikam", "fabrikam.example", str(ann.entra_tid), ann.upn, url):
            assert fact in said
        assert moment(delegations.lock(relationship.delegation_id).linked_at, ZoneInfo("UTC")) in said


def test_notices_go_to_the_active_members_of_mmr_admin_assignments_with_mail(world, smtp_sink, clock):
    contoso = world.contoso
    by_group, silent, inactive, over = (contoso.person(name) for name in ("grace", "silvia", "ina", "otto"))
    group = SecurityGroup.objects.create(tenant=contoso.tenant, name="Room admins")
    founders = Assignment.objects.get(tenant=contoso.tenant, role__key=BuiltIn.MMR_ADMIN)
    AssignmentGroup.objects.create(assignment=founders, group=group)
    for person in (by_group, inactive, contoso.admin):  # the admin directly as well: still one mail
        SecurityGroupMember.objects.create(group=group, user=person, tenant=contoso.tenant)
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    contoso.member(BuiltIn.SITE_LEAD, "lea")
    contoso.member(BuiltIn.MMR_ADMIN, "silvia")
    contoso.member(BuiltIn.MMR_ADMIN, "otto")
    Assignment.objects.filter(people=silent).update(sends_email=False)
    Assignment.objects.filter(people=over).update(valid_until=clock.now())
    world.tailwind.member(BuiltIn.MMR_ADMIN, "tim")

    join(contoso, world.fabrikam, "ann")
    delivery.deliver_due()

    assert smtp_sink.recipients == [["admin@contoso.example"], ["grace@contoso.example"]]


def test_a_notice_speaks_the_recipients_language_or_the_tenants(world, smtp_sink):
    contoso = world.contoso
    Tenant.objects.filter(pk=contoso.tenant.pk).update(language="de")
    contoso.member(BuiltIn.MMR_ADMIN, "emma")
    User.objects.filter(upn="emma@contoso.example").update(language="en")

    join(contoso, world.fabrikam, "ann")
    delivery.deliver_due()

    languages = {mail["To"]: mail["Content-Language"] for mail in smtp_sink.messages}
    assert languages == {"admin@contoso.example": "de", "emma@contoso.example": "en"}


def test_who_is_no_admin_any_more_is_not_told(world, smtp_sink, clock):
    join(world.contoso, world.fabrikam, "ann")
    parent = OutboxMessage.objects.get(kind=parcels.LINKED)
    outsider = world.contoso.person("tess")
    outbox.split(parent, [parent.payload | {"to": outsider.upn}])
    OutboxMessage.objects.filter(pk=parent.pk).delete()

    delivery.deliver_due()

    assert smtp_sink.attempts == 0
    assert state_of(parcels.LINKED) == [OutboxState.CANCELLED]


def test_a_partner_that_was_removed_meanwhile_is_not_announced(world, smtp_sink):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    relationships.remove(relationship, by=world.contoso.admin)
    not_the_customer(world)

    delivery.deliver_due()

    assert smtp_sink.recipients == [[ANN]]
    assert state_of(parcels.LINKED) == [OutboxState.CANCELLED]


def try_from_elsewhere(invitation: Invitation, person: User) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(upn=person.upn)
    with pytest.raises(WrongTenant):
        invitations.accept(invitation, by=person)


def test_the_customer_is_told_of_the_wrong_organisation_once_a_day(world, smtp_sink, clock):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    (invitation,) = invitations.invite(
        relationship, [Contact("Nora", "nora@northwind.example")], by=world.contoso.admin
    )
    OutboxMessage.objects.all().delete()
    nora = world.northwind.person("nora")

    for _ in range(3):
        try_from_elsewhere(invitation, nora)
        delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert mail["To"] == "admin@contoso.example"
    assert mail["Subject"] == "Somebody from another organisation tried to accept your invitation"
    url = f"http://testserver/c/{world.contoso.tenant.pk}/settings/partners/{relationship.pk}/"
    for said in (text_of(mail), html_of(mail)):
        assert "nora@northwind.example could not accept the invitation to fabrikam.example." in said
        assert "The invitation of nora@northwind.example stays open." in said
        for fact in ("Northwind", str(nora.entra_tid), url):
            assert fact in said

    clock.move(timedelta(days=1, minutes=1))
    try_from_elsewhere(invitation, nora)
    delivery.deliver_due()
    assert len(smtp_sink.messages) == 2


def test_another_wrong_organisation_is_news(world, smtp_sink):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    (invitation,) = invitations.invite(
        relationship, [Contact("Nora", "nora@northwind.example")], by=world.contoso.admin
    )
    OutboxMessage.objects.all().delete()

    try_from_elsewhere(invitation, world.northwind.person("nora"))
    delivery.deliver_due()
    try_from_elsewhere(invitation, found_partner("Woodgrove").person("wim"))
    delivery.deliver_due()

    assert [re.search(r"Organisation: (.*)", text_of(mail))[1] for mail in smtp_sink.messages] == [
        "Northwind",
        "Woodgrove",
    ]


def test_those_who_lost_access_are_told(world, smtp_sink):
    relationship, (_, bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    OutboxMessage.objects.all().delete()
    User.objects.filter(pk=bob.pk).update(language="de")
    relationships.remove(relationship, by=world.contoso.admin)
    not_the_customer(world)

    delivery.deliver_due()

    assert smtp_sink.recipients == [[ANN], [BOB]]
    assert [mail["Content-Language"] for mail in smtp_sink.messages] == ["en", "de"]
    mail = smtp_sink.messages[0]
    assert mail["Subject"] == "You no longer manage the meeting rooms of Contoso"
    ended_at = delegations.lock(relationship.delegation_id).ended_at
    for said in (text_of(mail), html_of(mail)):
        assert "Hello Ann," in said
        assert f"with the account {ANN} ended on {moment(ended_at, ZoneInfo('UTC'))}." in said
        assert relationship.label not in said.replace(ANN, "")  # the customer's own name for the partner stays its own
    assert "href" not in html_of(mail)


def test_removal_is_told_at_the_delivery_address_and_not_to_the_inactive(world, smtp_sink):
    _, (invitation,) = invite(world.contoso, ANN)
    other = invite_again(invitation, world.contoso.admin, delivery_address="carl.mailbox@elsewhere.example")
    ann, carl = world.fabrikam.person("ann"), world.fabrikam.person("carl")
    invitations.accept(invitation, by=ann)
    invitations.accept(other, by=carl)
    OutboxMessage.objects.all().delete()
    relationships.remove(invitation.relationship, by=world.contoso.admin)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    not_the_customer(world)

    delivery.deliver_due()

    assert smtp_sink.recipients == [["carl.mailbox@elsewhere.example"]]
    assert state_of(parcels.REMOVED) == [OutboxState.SENT, OutboxState.CANCELLED, OutboxState.SENT]


def test_a_person_of_the_same_upn_elsewhere_is_not_told(world, smtp_sink):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    OutboxMessage.objects.all().delete()
    relationships.remove(relationship, by=world.contoso.admin)
    User.objects.filter(upn=ANN).update(upn="ann.miller@fabrikam.example")
    northwind = world.northwind.tenant
    User.objects.create(
        tenant=northwind, upn=ANN, username="other", entra_tid=northwind.entra_tid, entra_oid=uuid.uuid4()
    )
    not_the_customer(world)

    delivery.deliver_due()

    assert smtp_sink.attempts == 0


def test_the_customer_is_told_who_removed_a_partner(world, smtp_sink):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    OutboxMessage.objects.all().delete()
    relationships.remove(relationship, by=world.contoso.admin)
    OutboxMessage.objects.filter(kind=parcels.REMOVED).delete()

    delivery.deliver_due()

    assert smtp_sink.recipients == [[world.contoso.admin.upn]]
    (mail,) = smtp_sink.messages
    assert mail["Subject"] == "fabrikam.example is no longer your partner"
    for said in (text_of(mail), html_of(mail)):
        assert f"{world.contoso.admin.upn} removed the partner fabrikam.example on" in said


def test_the_customer_is_told_when_nobody_accepted_but_not_of_its_own_withdrawal(world, smtp_sink):
    _, (declined,) = invite(world.contoso, ANN)
    _, (withdrawn,) = invite(world.contoso, "carl@northwind.example")
    OutboxMessage.objects.all().delete()
    invitations.deny(declined, by=world.fabrikam.person("ann"))
    invitations.revoke(withdrawn, by=world.contoso.admin)

    delivery.deliver_due()

    assert [mail["Subject"] for mail in smtp_sink.messages] == [
        "Nobody of fabrikam.example has accepted your invitation"
    ]
    assert "was declined or has expired" in text_of(smtp_sink.messages[0])


def test_a_customer_may_choose_another_address_for_what_is_linked(world, smtp_sink):
    NotificationPreference.objects.create(
        tenant=world.contoso.tenant, event=Event.PARTNER_LINKED, to_admins=False, addresses=["desk@contoso.example"]
    )
    join(world.contoso, world.fabrikam, "ann")
    OutboxMessage.objects.exclude(kind=parcels.LINKED).delete()

    delivery.deliver_due()

    assert smtp_sink.recipients == [["desk@contoso.example"]]
