"""Enrolment keys as services: who may, what it changes, what is on record, and where the secret is not."""

import io
import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection

from audit.events import EventType
from audit.models import AuditEvent
from partners.services import webhooks
from partners.services.webhooks import Owner
from rbac.catalogue import BuiltIn, Permission
from rbac.models import TenantStatus
from rooms.errors import InvalidGrace, KeyUnreadable, NoKey, TooManyDownloads
from rooms.models import EnrollmentKey
from rooms.services import keys
from tests.factories import join
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, assign, custom_role, make, over

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return make()


def test_the_first_reset_issues_version_1(world):
    contoso = world.contoso
    with leaves("Contoso: Key/Create enrolment key Successful admin@contoso.example") as evidence:
        key = keys.reset(contoso.tenant, by=contoso.admin)

    assert (key.version, key.stops_at, key.created_by) == (1, None, "admin@contoso.example")
    assert evidence.events[0].after == {"version": 1, "fingerprint": key.fingerprint, "grace_hours": 0}


def test_a_reset_stops_the_keys_before_after_its_grace(world, clock):
    contoso = world.contoso
    first = keys.reset(contoso.tenant, by=contoso.admin)
    old = keys._read(first)
    with leaves("Contoso: Key/Update enrolment key Successful admin@contoso.example"):
        second = keys.reset(contoso.tenant, by=contoso.admin, grace=24 * HOUR)
    new = keys._read(second)

    assert second.version == 2
    assert keys.opened_by(old).get() == first
    assert keys.opened_by(new).get() == second
    clock.move(23 * HOUR)
    assert keys.opened_by(old).exists()
    clock.move(HOUR)
    assert not keys.opened_by(old).exists()
    assert keys.opened_by(new).exists()


def test_a_later_reset_cuts_an_earlier_grace_short(world):
    contoso = world.contoso
    old = keys._read(keys.reset(contoso.tenant, by=contoso.admin))
    keys.reset(contoso.tenant, by=contoso.admin, grace=72 * HOUR)
    keys.reset(contoso.tenant, by=contoso.admin)
    assert not keys.opened_by(old).exists()

    keys.reset(contoso.tenant, by=contoso.admin, grace=72 * HOUR)
    assert not keys.opened_by(old).exists()  # and what is over does not come back
    assert EnrollmentKey.objects.filter(tenant=contoso.tenant, stops_at=None).count() == 1


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), timedelta(hours=72, seconds=1)])
def test_a_grace_is_0_to_72_hours(world, grace):
    contoso = world.contoso
    refused(
        InvalidGrace,
        lambda: keys.reset(contoso.tenant, by=contoso.admin, grace=grace),
        "Contoso: Key/Update enrolment key Failed(invalid_grace) admin@contoso.example",
    )


def test_reset_needs_the_permission_for_the_whole_tenant(world):
    contoso = world.contoso
    some = contoso.person("sam")
    assign(custom_role(contoso.tenant, Permission.ROOMS_RESET_KEY), some, over(contoso.rooms[0]))
    people = [some, contoso.member(BuiltIn.SITE_LEAD, "lea"), join(contoso, world.fabrikam, "ann")[1][0]]
    for person in (*people, world.tailwind.admin):
        line = f"Contoso: Key/Update enrolment key Failed(permission_denied) {person.upn}"
        refused(PermissionDenied, lambda person=person: keys.reset(contoso.tenant, by=person), line)


def test_download_gives_the_current_secret_and_is_on_record(world):
    contoso = world.contoso
    keys.reset(contoso.tenant, by=contoso.admin)
    current = keys.reset(contoso.tenant, by=contoso.admin)
    tech = contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[0]))  # any scope
    with leaves("Contoso: Key/Update enrolment key Successful tess@contoso.example") as evidence:
        key, secret = keys.download(contoso.tenant, by=tech)

    assert key == current
    assert keys.opened_by(secret).get() == current
    assert evidence.events[0].after == {"downloaded": True, "version": 2, "fingerprint": key.fingerprint}
    text = keys.file_of(key, secret)
    assert f"\nkey={secret}\n" in text
    assert "\nurl=http://testserver/api/agent/v1/\n" in text


def test_download_needs_the_permission_and_a_key(world):
    contoso = world.contoso
    line = "Contoso: Key/Update enrolment key Failed({}) {}".format
    refused(NoKey, lambda: keys.download(contoso.tenant, by=contoso.admin), line("no_key", "admin@contoso.example"))
    keys.reset(contoso.tenant, by=contoso.admin)
    _, (ann,) = join(contoso, world.fabrikam, "ann")
    viewer = contoso.person("vic")
    assign(custom_role(contoso.tenant, Permission.ROOMS_VIEW), viewer, over(*contoso.rooms))
    for person in (ann, viewer, world.tailwind.admin):
        refused(
            PermissionDenied,
            lambda person=person: keys.download(contoso.tenant, by=person),
            line("permission_denied", person.upn),
        )


def test_five_downloads_an_hour_of_each_person(world, clock):
    contoso = world.contoso
    keys.reset(contoso.tenant, by=contoso.admin)
    for _ in range(5):
        keys.download(contoso.tenant, by=contoso.admin)
    refused(
        TooManyDownloads,
        lambda: keys.download(contoso.tenant, by=contoso.admin),
        "Contoso: Key/Update enrolment key Failed(too_many_downloads) admin@contoso.example",
    )
    keys.download(contoso.tenant, by=contoso.member(BuiltIn.SITE_LEAD, "lea"))
    clock.move(timedelta(minutes=61))
    keys.download(contoso.tenant, by=contoso.admin)


def test_the_secret_is_nowhere_but_in_the_download(world):
    contoso = world.contoso
    keys.reset(contoso.tenant, by=contoso.admin)
    _, secret = keys.download(contoso.tenant, by=contoso.admin)
    lines = json.dumps(list(AuditEvent.objects.values("before", "after", "object_name", "code")), default=str)
    assert secret not in lines
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k::text, encode(encrypted, 'escape'), encode(digest, 'escape') FROM rooms_enrollmentkey k"
        )
        assert all(secret not in text for row in cursor.fetchall() for text in row)


def test_a_closed_tenants_key_opens_nothing(world):
    contoso = world.contoso
    secret = keys._read(keys.reset(contoso.tenant, by=contoso.admin))
    contoso.tenant.status = TenantStatus.CLOSED
    contoso.tenant.save()
    assert not keys.opened_by(secret).exists()


def test_without_its_secret_outside_the_database_a_key_cannot_be_read_and_that_is_said(world, settings):
    contoso = world.contoso
    keys.reset(contoso.tenant, by=contoso.admin)
    settings.ENROLLMENT_KEY_SECRETS = ["another one"]
    refused(
        KeyUnreadable,
        lambda: keys.download(contoso.tenant, by=contoso.admin),
        "Contoso: Key/Update enrolment key Failed(key_unreadable) admin@contoso.example",
    )


def test_a_ciphertext_of_another_row_is_not_taken(world):
    contoso, tailwind = world.contoso, world.tailwind
    ours = keys.reset(contoso.tenant, by=contoso.admin)
    theirs = keys.reset(tailwind.tenant, by=tailwind.admin)
    EnrollmentKey.objects.filter(pk=ours.pk).update(encrypted=theirs.encrypted)
    with pytest.raises(KeyUnreadable):
        keys.download(contoso.tenant, by=contoso.admin)


def test_rotation_encrypts_all_under_the_first_secret(world, settings):
    for customer in (world.contoso, world.tailwind):
        keys.reset(customer.tenant, by=customer.admin)
        keys.reset(customer.tenant, by=customer.admin)
    old, before = settings.ENROLLMENT_KEY_SECRETS, keys.download(world.contoso.tenant, by=world.contoso.admin)[1]
    settings.ENROLLMENT_KEY_SECRETS = ["a new one", *old]
    told = io.StringIO()
    webhook, secret = webhooks.create(
        Owner(world.contoso.tenant, None),
        "https://hooks.example.com/",
        by=world.contoso.admin,
        events=[EventType.SCOPE_CHANGED],
    )
    both = [webhooks.rotate(webhook, by=world.contoso.admin), secret]
    with leaves(
        "platform: Key/Update encryption of enrolment keys Successful system",
        "platform: Key/Update encryption of webhooks Successful system",
    ):
        call_command("rotate_key_encryption", stdout=told)
    assert "4 enrolment keys are encrypted" in told.getvalue()
    assert "The secrets of 1 webhooks are encrypted" in told.getvalue()

    settings.ENROLLMENT_KEY_SECRETS = ["a new one"]
    assert keys.download(world.contoso.tenant, by=world.contoso.admin)[1] == before
    webhook.refresh_from_db()
    assert webhooks.secrets_of(webhook) == both
    settings.ENROLLMENT_KEY_SECRETS = ["lost"]
    with pytest.raises(CommandError, match="5 keys cannot be read"):
        call_command("rotate_key_encryption", stdout=told)
