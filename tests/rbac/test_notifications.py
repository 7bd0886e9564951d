"""Who of a customer is told of what: the closed list, defaults, choices, and whom that means today."""

import pytest
from django.core.exceptions import PermissionDenied

from audit.models import AuditEvent, OutboxMessage
from rbac.catalogue import BuiltIn
from rbac.errors import InvalidAddress, MailTestLimit, TooManyAddresses
from rbac.models import Assignment, User
from rbac.preferences import NotificationPreference
from rbac.services import notifications
from rbac.services.notifications import DEFAULTS, GROUPS, Choice, Event, Recipient
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def prefer(world: World, event: Event, **fields: object) -> None:
    NotificationPreference.objects.create(tenant=world.contoso.tenant, event=event, **fields)


def told(world: World, event: Event) -> list[str]:
    return [one.address for one in notifications.recipients_of(world.contoso.tenant, event)]


def test_every_event_stands_in_one_group_of_the_page():
    assert [event for _, events in GROUPS.values() for event in events] == list(Event)


def test_without_a_choice_the_admins_are_told_of_what_is_urgent(world):
    admin = world.contoso.admin
    world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    assert notifications.recipients_of(world.contoso.tenant, Event.KEY_RESET) == [Recipient(admin.upn, "en", admin)]
    assert {event for event in Event if told(world, event)} == DEFAULTS


def test_further_addresses_come_in_the_language_of_the_tenant_and_nobody_twice(world):
    contoso = world.contoso
    contoso.tenant.language = "de"
    contoso.tenant.save()
    User.objects.filter(pk=contoso.admin.pk).update(language="en")
    prefer(world, Event.TICKET_CLOSED, addresses=["desk@elsewhere.example", contoso.admin.upn.upper()])
    assert notifications.recipients_of(contoso.tenant, Event.TICKET_CLOSED) == [
        Recipient(contoso.admin.upn, "en", contoso.admin),
        Recipient("desk@elsewhere.example", "de", None),
    ]


def test_a_silent_event_is_told_to_nobody(world):
    prefer(world, Event.PARTNER_LINKED, to_admins=False)
    assert told(world, Event.PARTNER_LINKED) == []
    assert notifications.recipient_of(world.contoso.tenant, Event.PARTNER_LINKED, world.contoso.admin.upn) is None


def test_who_gets_no_mail_or_is_gone_is_not_told(world):
    contoso = world.contoso
    second = contoso.member(BuiltIn.MMR_ADMIN, "zoe")
    assert told(world, Event.KEY_RESET) == [contoso.admin.upn, second.upn]
    Assignment.objects.filter(people=second).update(sends_email=False)
    assert told(world, Event.KEY_RESET) == [contoso.admin.upn]
    User.objects.filter(pk=contoso.admin.pk).update(is_active=False)
    assert told(world, Event.KEY_RESET) == []


def test_what_another_tenant_chose_changes_nothing_here(world):
    NotificationPreference.objects.create(tenant=world.tailwind.tenant, event=Event.KEY_RESET, to_admins=False)
    assert told(world, Event.KEY_RESET) == [world.contoso.admin.upn]


def test_severities_have_their_events():
    assert notifications.ticket_opened("important") is Event.TICKET_IMPORTANT
    with pytest.raises(ValueError, match="loud"):
        notifications.ticket_opened("loud")


def test_a_choice_is_kept_and_on_record(world):
    contoso = world.contoso
    chosen = {Event.KEY_RESET: Choice(to_admins=False, addresses=("a@b.example", "A@B.example", "c@d.example"))}
    notifications.change(contoso.tenant, chosen, by=contoso.admin)
    assert told(world, Event.KEY_RESET) == ["a@b.example", "c@d.example"]
    assert told(world, Event.PARTNER_LINKED) == [contoso.admin.upn]
    line = AuditEvent.objects.get(object_name="notifications")
    assert (line.category, line.operation, line.result) == ("Settings", "Update", "Successful")
    assert line.before == {"key.reset": {"to_admins": True, "addresses": []}}
    assert line.after == {"key.reset": {"to_admins": False, "addresses": ["a@b.example", "c@d.example"]}}

    notifications.change(contoso.tenant, {Event.KEY_RESET: Choice(to_admins=True)}, by=contoso.admin)
    assert told(world, Event.KEY_RESET) == [contoso.admin.upn]
    notifications.change(contoso.tenant, {Event.KEY_RESET: Choice(to_admins=True)}, by=contoso.admin)
    assert AuditEvent.objects.filter(object_name="notifications").count() == 2


@pytest.mark.parametrize(
    ("addresses", "error"),
    [
        (("nobody",), InvalidAddress),
        (("a@b.example\nBcc: c@d.example",), InvalidAddress),
        (("jörg@b.example",), InvalidAddress),
        (tuple(f"{number}@b.example" for number in range(11)), TooManyAddresses),
    ],
)
def test_what_is_no_address_is_refused_and_changes_nothing(world, addresses, error):
    with pytest.raises(error):
        notifications.change(
            world.contoso.tenant, {Event.KEY_RESET: Choice(to_admins=True, addresses=addresses)}, by=world.contoso.admin
        )
    assert not NotificationPreference.objects.exists()
    assert AuditEvent.objects.get(object_name="notifications").result == "Failed"


def test_only_who_may_modify_settings_changes_it(world):
    lead = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    for stranger in (lead, world.tailwind.admin):
        with pytest.raises(PermissionDenied):
            notifications.change(world.contoso.tenant, {Event.KEY_RESET: Choice(to_admins=False)}, by=stranger)
        with pytest.raises(PermissionDenied):
            notifications.send_test(world.contoso.tenant, by=stranger)
    assert not NotificationPreference.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_test_mails_have_a_limit(world):
    for _ in range(notifications.TESTS_PER_HOUR):
        notifications.send_test(world.contoso.tenant, by=world.contoso.admin)
    with pytest.raises(MailTestLimit):
        notifications.send_test(world.contoso.tenant, by=world.contoso.admin)
    notifications.send_test(world.tailwind.tenant, by=world.tailwind.admin)
    assert OutboxMessage.objects.count() == notifications.TESTS_PER_HOUR + 1
