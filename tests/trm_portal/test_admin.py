"""The back office: support staff read everything but secrets, change nothing but through services; nobody else is in."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from audit.back_office import CappedPaginator, ReadOnly
from audit.clock import now
from audit.events import EventType
from audit.models import OutboxMessage, OutboxState
from partners import links
from partners.models import ApiToken, Invitation, PartnerDraft, TenantManager, Terms
from partners.services import relationships, terms, tokens, webhooks
from partners.services.webhooks import Owner
from rbac.catalogue import Permission
from rbac.models import Assignment, AssignmentGroup, Delegation, PendingClaim, Tenant, TenantDomain, User
from rbac.services import accounts, people, tenants
from rooms.models import BulkAction, BulkChange, EnrollmentKey, InventoryImport, Release, RoleDraft
from rooms.services import keys, releases, rollout_clock
from tests.factories.devices import bad, enroll, key_of, report
from tests.factories.evidence import fingerprints, leaves
from tests.factories.world import World, invite, join, make, room_group, security_group, waiting

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
TYPED = "what somebody typed as a password"

# What the back office shows. Everything else of our apps is shown on the page of what it belongs to, or is an index.
SHOWN = {
    "audit.auditevent",
    "audit.chainlink",
    "audit.outboxmessage",
    "axes.accessattempt",
    "partners.apitoken",
    "partners.invitation",
    "partners.partnerdraft",
    "partners.partnerrelationship",
    "partners.tenantmanager",
    "partners.terms",
    "partners.termsacceptance",
    "rbac.assignment",
    "rbac.delegation",
    "rbac.pendingclaim",
    "rbac.role",
    "rbac.securitygroup",
    "partners.webhook",
    "partners.webhookdelivery",
    "rbac.tenant",
    "rbac.user",
    "rooms.approvalrequest",
    "rooms.bulkchange",
    "rooms.controlpolicy",
    "rooms.device",
    "rooms.enrollmentkey",
    "rooms.healthperiod",
    "rooms.healthsignal",
    "rooms.inventoryimport",
    "rooms.release",
    "rooms.rollout",
    "rooms.room",
    "rooms.roomgroup",
    "rooms.roledraft",
    "rooms.updatering",
}
NOT_SHOWN = {
    "rbac.assignmentgroup",
    "rbac.endnotice",
    "rbac.idempotencykey",
    "rbac.latestsignin",
    "rbac.mailbranding",
    "rbac.notificationpreference",
    "rbac.partneraccesspolicy",
    "rbac.personsession",
    "rbac.assignmentmember",
    "rbac.securitygroupmember",
    "rbac.tenantdomain",
    "rooms.healthday",
    "rooms.reportroom",
    "rooms.reporttenant",
    "rooms.roomday",
    "rooms.roomperiod",
    "rooms.tenantperiod",
    "rooms.ticketday",
    "rooms.ticketattachment",
    "rooms.ticketentry",
    "rooms.ticketroom",
    "rooms.ticketupload",
    "rooms.assignmentroom",
    "rooms.assignmentroomgroup",
    "rooms.roomactivity",
    "rooms.roomgrantrow",
    "rooms.roomupdate",
    "rooms.savedfilter",
    "rooms.ticket",
    "rooms.roomgroupmember",
    "rooms.roomusergrantrow",
}


class Scene:
    """The world with something of everything, and the secrets in it."""

    def __init__(self) -> None:
        self.world: World = make()
        contoso, fabrikam = self.world.contoso, self.world.fabrikam
        self.staff = accounts.open_support_account("jo@operator.example", PASSWORD, name="Jo", by=None)
        self.relationship, (self.ann, _) = join(contoso, fabrikam, "ann", "bob")
        _, (self.pending,) = invite(self.world.tailwind, "zed@northwind.example")
        _, secret = tokens.issue(
            self.relationship.delegation,
            "Fabrikam tool",
            by=self.ann,
            scopes=[Permission.ROOMS_VIEW],
            lifetime=timedelta(days=9),
        )
        waiting(self.relationship, contoso.rooms[0], self.ann)
        group = security_group(contoso.tenant, "Contoso techs", contoso.person("tess"))
        room_group(contoso.tenant, "Contoso tower", *contoso.rooms)
        AssignmentGroup.objects.create(
            assignment=Assignment.objects.get(tenant=contoso.tenant, key="founders"), group=group
        )
        TenantManager.objects.create(tenant=contoso.tenant, user=contoso.admin, appointed_by=contoso.admin.upn)
        PartnerDraft.objects.create(
            tenant=contoso.tenant, user=contoso.admin, data={"contacts": [{"upn": "x@y.example"}]}
        )
        BulkChange.objects.create(
            tenant=contoso.tenant,
            person=contoso.admin,
            action=BulkAction.EDIT,
            params={"campus": "params of the change"},
            targets=[room.pk for room in contoso.rooms],
            report=[["report of the change"]],
            total=3,
            beat_at=now(),
            created_at=now(),
        )
        RoleDraft.objects.create(tenant=contoso.tenant, user=contoso.admin, data={"members": ["x@y.example"]})
        InventoryImport.objects.create(
            tenant=contoso.tenant,
            person=contoso.admin,
            file_name="rooms.csv",
            content=b"content of the file",
            report={"rows": ["report of the file"]},
            total=3,
            beat_at=now(),
            created_at=now(),
        )
        releases.publish("5.1", by=None)
        rollout_clock.schedule(contoso.tenant.pk)
        AccessAttempt.objects.create(
            username="ann@fabrikam.example",
            ip_address="192.0.2.7",
            user_agent="agent",
            http_accept="*/*",
            path_info="/sign-in/",
            get_data="",
            post_data=f"password={TYPED}",
            failures_since_start=3,
        )
        OutboxMessage.objects.create(
            kind="partners.invitation",
            subject_id=str(self.pending.pk),
            tenant_id=contoso.tenant.pk,
            payload={"note": "payload of a message"},
            due_at=now(),
            state=OutboxState.UNDELIVERABLE,
            settled_at=now(),
            last_error="550 no such mailbox",
        )
        owner = Owner(contoso.tenant, None)
        address = "https://hooks.example.com/path-with-a-secret?key=query-with-a-secret"
        webhook, webhook_secret = webhooks.create(owner, address, by=contoso.admin, events=[EventType.SCOPE_CHANGED])
        webhooks.rotate(webhook, by=contoso.admin)
        webhook.refresh_from_db()
        webhooks.send_test(webhook, by=contoso.admin)
        key = key_of(contoso)
        device, device_token = enroll(contoso, contoso.rooms[0])
        report(device, bad())
        self.secrets = {
            key,
            "path-with-a-secret",
            "query-with-a-secret",
            webhook_secret,
            *webhooks.secrets_of(webhook),
            bytes(webhook.secret).decode(),
            bytes(webhook.earlier_secret).decode(),
            device_token,
            bytes(device.token_digest).hex(),
            *(bytes(one.encrypted).decode() for one in EnrollmentKey.objects.all()),
            *(bytes(one.digest).hex() for one in EnrollmentKey.objects.all()),
            *settings.ENROLLMENT_KEY_SECRETS,
            PASSWORD,
            TYPED,
            secret,
            settings.SECRET_KEY,
            settings.INVITATION_LINK_KEY,
            links.secret_of(self.pending),
            "payload of a message",
            "content of the file",
            "report of the file",
            *ApiToken.objects.values_list("digest", flat=True),
            self.staff.password,
        }

    def add_more(self) -> None:
        """At least three rows of everything."""
        contoso = self.world.contoso
        for room in contoso.rooms[1:]:
            keys.reset(contoso.tenant, by=contoso.admin)
            report(enroll(contoso, room)[0], bad())
            waiting(self.relationship, contoso.rooms[0], self.ann)
        for name in ("gil", "hal"):
            person = contoso.person(name)
            PartnerDraft.objects.create(tenant=contoso.tenant, user=person)
            TenantManager.objects.create(tenant=contoso.tenant, user=person, appointed_by=person.upn)
            RoleDraft.objects.create(tenant=contoso.tenant, user=person)
            security_group(contoso.tenant, f"{name}'s group", person)
            room_group(contoso.tenant, f"{name}'s rooms")
            terms.publish(f"English by {name}", f"German by {name}", by=None)
            releases.publish(f"5.{len(name)}.{ord(name[0])}", by=None)
            rollout_clock.schedule(contoso.tenant.pk)
            invite(self.world.tailwind, f"{name}@northwind.example")
            tokens.issue(
                self.relationship.delegation, name, by=self.ann, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(1)
            )
            owner, address = Owner(contoso.tenant, None), "https://hooks.example.com/"
            made, _ = webhooks.create(owner, address, by=contoso.admin, events=[EventType.SCOPE_CHANGED])
            webhooks.send_test(made, by=contoso.admin)
            for model in (BulkChange, InventoryImport, AccessAttempt):
                copy = model.objects.first()
                copy.pk, copy.username = None if model is AccessAttempt else uuid.uuid4(), name
                copy._state.adding = True
                copy.save()
            tenants.found(name, admin_upn=f"{name}@{name}.example", by=None)

    def client(self, user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="rbac.backends.LocalAccounts")
        return client


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def staff(scene: Scene) -> Client:
    """A browser of support staff; its session key is one more secret."""
    client = scene.client(scene.staff)
    scene.secrets.add(client.session.session_key)
    return client


def registered() -> Iterator[tuple[type[Model], ModelAdmin]]:
    yield from sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label_lower)


def pages(*, is_sorted: bool = False) -> Iterator[str]:
    """Every page of the back office that can be read: of each model the list, a search, its first row and its history."""
    yield from (reverse(f"admin:{name}") for name in ("index", "jsi18n", "password_change", "password_change_done"))
    yield from (reverse("admin:app_list", args=[label]) for label in ("audit", "rbac", "rooms", "partners", "axes"))
    yield from (reverse("admin:rbac_tenant_found"), reverse("admin:partners_terms_publish"))
    yield reverse("admin:rooms_release_publish")
    for model, shown in registered():
        first = model._default_manager.order_by("pk").first()
        assert first is not None, f"nothing to look at: {model}"
        yield (changelist := reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        yield f"{changelist}?q=contoso"
        if is_sorted:
            yield from (f"{changelist}?o={index}" for index, _ in enumerate(shown.list_display, start=1))
        yield shown.page_of("change", first)
        yield shown.page_of("history", first)


def closed_pages() -> Iterator[str]:
    """Pages that would add, change or delete something."""
    for model, shown in registered():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        key = shown.key_of(model._default_manager.order_by("pk").first())
        yield reverse(f"{name}_add")
        yield reverse(f"{name}_delete", args=[key])


def test_shows_what_is_listed_and_nothing_libraries_bring():
    assert {model._meta.label_lower for model, _ in registered()} == SHOWN
    own = {
        model._meta.label_lower
        for label in ("audit", "rbac", "rooms", "partners")
        for model in apps.get_app_config(label).get_models()
    }
    assert own - SHOWN == NOT_SHOWN


def test_page_that_does_not_name_its_fields_is_refused():
    with pytest.raises(ImproperlyConfigured):
        admin.site.register(Tenant, type("Careless", (ReadOnly,), {}))


def test_staff_read_every_page_and_no_secret_is_on_it(scene, staff):
    scene.secrets.update(User.objects.exclude(password__in=["", "!"]).values_list("password", flat=True))
    assert len(scene.secrets) >= 12

    for page in pages(is_sorted=True):
        answer = staff.get(page)
        assert answer.status_code == 200, page
        text = answer.content.decode()
        for secret in scene.secrets:
            assert secret not in text, page
            assert escape(secret) not in text, page
        assert " style=" not in text, page
        assert "<style" not in text, page


def test_nobody_else_reads_any_page(scene):
    addresses = [*pages(), *closed_pages()]
    insiders = {"MMR admin": scene.world.contoso.admin, "primary admin": scene.ann}
    anonymous = scene.client(None)

    for who, person in insiders.items():
        client = scene.client(person)
        for page in addresses:
            assert client.get(page).status_code == 404, (who, page)
            assert client.post(page, {"x": "y"}).status_code == 404, (who, page)
    for page in addresses:
        for answer in (anonymous.get(page), anonymous.post(page, {"x": "y"})):
            assert answer.status_code == 302, page
            assert answer["Location"].startswith("/admin/login/?next="), page


def test_closed_account_reads_nothing_from_the_next_request_on(scene, staff):
    assert staff.get("/admin/").status_code == 200

    accounts.close_support_account(scene.staff.upn, by=None)

    assert staff.get("/admin/").status_code == 302


def test_staff_add_change_and_delete_nothing(scene, staff):
    before = fingerprints()

    for page in closed_pages():
        assert staff.get(page).status_code == 403, page
        assert staff.post(page, {"post": "yes"}).status_code == 403, page
    for model, shown in registered():
        page = shown.page_of("change", model._default_manager.order_by("pk").first())
        assert staff.post(page, {"name": "other", "_save": "Save"}).status_code == 403, page
        changelist = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        staff.post(changelist, {"action": "delete_selected", "_selected_action": ["1"], "index": "0"})

    after = fingerprints()
    assert {table for table in after if after[table] != before[table]} <= {"django_session"}


def test_sign_in_is_the_portals(scene):
    anonymous = scene.client(None)

    answer = anonymous.get("/admin/rbac/tenant/", follow=True)

    assert answer.redirect_chain[-1] == ("/sign-in/?next=/admin/rbac/tenant/", 302)
    answer = anonymous.post(answer.redirect_chain[-1][0], {"username": "jo@operator.example", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/rbac/tenant/")
    assert anonymous.get("/admin/rbac/tenant/").status_code == 200
    assert anonymous.get("/admin/login/")["Location"] == "/admin/"
    assert anonymous.post("/admin/logout/")["Location"] == "/sign-in/"
    assert anonymous.get("/admin/").status_code == 302


def test_sign_in_page_of_the_admin_takes_no_password(scene):
    anonymous = scene.client(None)

    answer = anonymous.post("/admin/login/", {"username": "jo@operator.example", "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/admin/")
    assert anonymous.get("/admin/").status_code == 302


def test_search_finds(staff):
    expected = {
        ("rbac_user", "ann@fabrikam.example"): "ann@fabrikam.example",
        ("rbac_tenant", "tailwind.example"): "Tailwind",
        ("rbac_assignment", "bob@fabrikam.example"): "invited_admins",
        ("rooms_room", "room1@contoso.example"): "Contoso room 1",
        ("partners_invitation", "zed@northwind.example"): "zed@northwind.example",
        ("partners_partnerrelationship", "Fabrikam"): "fabrikam.example",
        ("partners_apitoken", "Fabrikam tool"): "Fabrikam tool",
        ("rooms_healthsignal", "camera"): "peripherals/Camera",
    }
    for (page, query), name in expected.items():
        shown = staff.get(reverse(f"admin:{page}_changelist"), {"q": query}).context["cl"].result_list
        assert [str(one).partition(" (trm_")[0] for one in shown] == [name], page


def test_history_shows_the_audit_lines_of_a_thing(scene, staff):
    relationships.rename(scene.relationship, "Fabrikam AV", by=scene.world.contoso.admin)

    answer = staff.get(reverse("admin:partners_partnerrelationship_history", args=[scene.relationship.pk]))

    newest = answer.context["events"][0]
    assert (newest.category, newest.operation, newest.user_id) == ("Settings", "Update", "admin@contoso.example")
    nothing = staff.get(reverse("admin:partners_partnerrelationship_history", args=[uuid.uuid4()]))
    assert nothing.status_code == 404


def test_tenant_page_leads_to_what_belongs_to_it(scene, staff):
    tenant = scene.world.contoso.tenant
    text = staff.get(reverse("admin:rbac_tenant_change", args=[tenant.pk])).content.decode()

    for model, field in (
        (User, "tenant__id__exact"),
        (Delegation, "tenant__id__exact"),
        (Delegation, "held_by__id__exact"),
    ):
        address = f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_changelist')}?{field}={tenant.pk}"
        assert f'href="{address}"' in text
        assert staff.get(address).status_code == 200
    people = staff.get(reverse("admin:rbac_user_changelist"), {"tenant__id__exact": tenant.pk}).context["cl"]
    assert {person.tenant for person in people.result_list} == {tenant}


def found_data(**fields: str) -> dict[str, str]:
    return {
        "name": "Adatum",
        "admin_upn": "Amy@Adatum.example",
        "domains": "adatum.example, adatum.test",
        "time_zone": "Europe/Berlin",
        "language": "de",
        "reason": "Signed the contract",
    } | fields


def test_founding_through_the_form_goes_through_the_service(staff):
    with leaves(
        "platform: Settings/Create Adatum Successful jo@operator.example",
        "Adatum: Assignment/Create MMR Admin / Founding admins Successful jo@operator.example",
    ) as evidence:
        answer = staff.post(reverse("admin:rbac_tenant_found"), found_data())

    tenant = Tenant.objects.get(name="Adatum")
    assert answer["Location"] == reverse("admin:rbac_tenant_change", args=[tenant.pk])
    assert (tenant.time_zone, tenant.language) == ("Europe/Berlin", "de")
    assert PendingClaim.objects.get(tenant=tenant).upn == "amy@adatum.example"
    platform = next(event for event in evidence.events if event.category == "Settings")
    assert platform.after["reason"] == "Signed the contract"
    assert platform.after["domains"] == ["adatum.example", "adatum.test"]


def test_founding_shows_what_is_wrong_and_founds_nothing(staff):
    for wrong in (
        {"reason": ""},
        {"name": " "},
        {"admin_upn": "amy"},
        {"domains": "contoso.example"},
        {"domains": "no_domain"},
        {"time_zone": "Berlin"},
        {"language": "fr"},
        {"entra_tid": "x"},
    ):
        answer = staff.post(reverse("admin:rbac_tenant_found"), found_data(**wrong))
        assert answer.status_code == 200, wrong
        assert 'class="errornote"' in answer.content.decode(), wrong
    assert not Tenant.objects.filter(name="Adatum").exists()


def test_a_domain_is_verified_with_a_reason(staff):
    tenant = tenants.found("Adatum", admin_upn="amy@adatum.example", by=None)
    entered = TenantDomain.objects.create(tenant=tenant, domain="adatum.example")
    page = reverse("admin:rbac_tenant_verify_domain", args=[tenant.pk])
    assert page in staff.get(reverse("admin:rbac_tenant_change", args=[tenant.pk])).content.decode()
    assert staff.post(page, {"domain": entered.pk}).status_code == 200  # without a reason nothing happens
    assert TenantDomain.objects.get(pk=entered.pk).verified_at is None

    with leaves("platform: Settings/Update domain adatum.example Successful jo@operator.example"):
        assert staff.post(page, {"domain": entered.pk, "reason": "TXT record seen"}).status_code == 302

    assert TenantDomain.objects.get(pk=entered.pk).verified_at is not None
    assert staff.post(page, {"domain": entered.pk, "reason": "Again"}).status_code == 200


def test_entra_tenant_is_named_once(staff):
    tenant = tenants.found("Adatum", admin_upn="amy@adatum.example", by=None)
    page = reverse("admin:rbac_tenant_identify", args=[tenant.pk])
    assert page in staff.get(reverse("admin:rbac_tenant_change", args=[tenant.pk])).content.decode()
    asked = {"entra_tid": "7c4f1b0e-65a3-4be4-9ad3-5fe1f1a4a2b7", "reason": "Told us"}

    with leaves("platform: Settings/Update Adatum Successful jo@operator.example"):
        assert staff.post(page, asked).status_code == 302

    assert str(Tenant.objects.get(pk=tenant.pk).entra_tid) == asked["entra_tid"]
    again = staff.post(page, asked | {"entra_tid": "00000000-65a3-4be4-9ad3-5fe1f1a4a2b7"})
    assert again.status_code == 200
    assert page not in staff.get(reverse("admin:rbac_tenant_change", args=[tenant.pk])).content.decode()


def test_a_person_is_deactivated_and_activated_again_with_a_reason(scene, staff):
    ann, contoso = scene.ann, scene.world.contoso.tenant
    page, back = (reverse(f"admin:rbac_user_{what}", args=[ann.pk]) for what in ("deactivate", "activate"))
    shown = staff.get(reverse("admin:rbac_user_change", args=[ann.pk])).content.decode()
    assert (page in shown, back in shown) == (True, False)
    assert staff.post(page, {"reason": ""}).status_code == 200  # without a reason nothing happens
    assert User.objects.get(pk=ann.pk).is_active

    line = f"Fabrikam: User/Update {ann.upn} Successful jo@operator.example"
    cancelled = f"Contoso: Approval/Update {scene.world.contoso.rooms[0].display_name} Successful jo@operator.example"
    with leaves(cancelled, line) as evidence:
        answer = staff.post(page, {"reason": "Telephone stolen"}, follow=True)

    assert [one.after["reason"] for one in evidence.events if one.category == "User"] == ["Telephone stolen"]
    assert f"Deactivated: {ann.upn} is signed in nowhere any more." in answer.content.decode()
    assert not User.objects.get(pk=ann.pk).is_active
    shown = staff.get(reverse("admin:rbac_user_change", args=[ann.pk])).content.decode()
    assert (page in shown, back in shown) == (False, True)
    assert "is deactivated already" in staff.post(page, {"reason": "Again"}).content.decode()
    with leaves(line):
        assert staff.post(back, {"reason": "Found again"}).status_code == 302
    assert User.objects.get(pk=ann.pk).is_active
    assert "is active already" in staff.post(back, {"reason": "Again"}).content.decode()
    assert not Delegation.objects.filter(tenant=contoso, needs_primary_admin=True).exists()


def test_what_deactivating_takes_with_it_is_said_before(scene, staff):
    def lead_of(person: User) -> str:
        return staff.get(reverse("admin:rbac_user_deactivate", args=[person.pk])).content.decode()

    bob = User.objects.get(upn="bob@fabrikam.example")
    assert "last primary admin" not in lead_of(bob)
    people.deactivate(scene.ann, by=None)
    assert "This is the last primary admin for 1 customer: both sides are told." in lead_of(bob)
    admin_of_contoso = scene.world.contoso.admin
    assert "last MMR Admin" not in lead_of(admin_of_contoso)  # Tess is one by a group
    people.deactivate(User.objects.get(upn="tess@contoso.example"), by=None)
    assert "This is the last MMR Admin of Contoso" in lead_of(admin_of_contoso)


def test_accounts_of_support_staff_are_not_deactivated_here(scene, staff):
    shown = staff.get(reverse("admin:rbac_user_change", args=[scene.staff.pk])).content.decode()
    for what in ("deactivate", "activate"):
        page = reverse(f"admin:rbac_user_{what}", args=[scene.staff.pk])
        assert page not in shown
        assert staff.get(page).status_code == staff.post(page, {"reason": "x"}).status_code == 404
        assert staff.get(reverse(f"admin:rbac_user_{what}", args=[10**9])).status_code == 404


def test_first_page_names_organisations_that_are_locked_out(scene, staff):
    for upn in ("admin@contoso.example", "tess@contoso.example"):
        people.deactivate(User.objects.get(upn=upn), by=None)

    [concern] = [one for one in staff.get("/admin/").context["concerns"] if "MMR Admin" in one.text]
    assert concern.text == "1 organisation has no MMR Admin who can act."
    shown = staff.get(concern.url)
    assert [one.name for one in shown.context["cl"].result_list] == ["Contoso"]


def test_terms_are_published_through_the_form(staff):
    page = reverse("admin:partners_terms_publish")
    assert "Be careful with the rooms." in staff.get(page).content.decode()

    with leaves("platform: Settings/Create terms 2 Successful jo@operator.example"):
        answer = staff.post(page, {"text_en": "New.", "text_de": "Neu.", "reason": "Lawyers"})

    newest = Terms.objects.order_by("-version").first()
    assert answer["Location"] == reverse("admin:partners_terms_change", args=[newest.pk])
    assert (newest.version, newest.text_en, newest.text_de) == (2, "New.", "Neu.")
    same = staff.post(page, {"text_en": "New.", "text_de": "Neu.", "reason": "Lawyers"})
    assert same.status_code == 200
    assert Terms.objects.count() == 2


def test_ones_own_password_is_changed_by_the_service(scene, staff):
    new = "another horse, another day"

    with leaves("platform: User/Update jo@operator.example Successful jo@operator.example"):
        answer = staff.post(
            reverse("admin:password_change"), {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        )

    assert answer["Location"] == reverse("admin:password_change_done")
    assert User.objects.get(pk=scene.staff.pk).check_password(new)
    assert staff.get("/admin/").status_code == 200  # this session goes on
    wrong = {"old_password": PASSWORD, "new_password1": "x" * 20, "new_password2": "x" * 20}
    assert staff.post(reverse("admin:password_change"), wrong).status_code == 200
    assert User.objects.get(pk=scene.staff.pk).check_password(new)


def test_first_page_names_what_needs_attention(scene, staff, clock):
    Delegation.objects.filter(pk=scene.relationship.delegation_id).update(needs_primary_admin=True)

    texts = [concern.text for concern in staff.get("/admin/").context["concerns"]]
    assert texts == ["1 message could not be delivered.", "1 partner needs a primary admin."]
    clock.move(timedelta(minutes=20))
    Invitation.objects.filter(pk=scene.pending.pk).update(expires_at=now() + timedelta(days=1))
    Terms.objects.all().delete()
    waiting = OutboxMessage.objects.filter(state=OutboxState.WAITING).count()
    concerns = staff.get("/admin/").context["concerns"]
    assert [concern.text for concern in concerns] == [
        "There are no terms: nobody can add a partner until some are published.",
        "1 message could not be delivered.",
        f"{waiting} messages are overdue: is a worker running?",
        "1 partner needs a primary admin.",
    ]
    for concern in concerns:
        assert staff.get(concern.url).status_code == 200


# Session, person, standing (2), the rows and how many; and what a list asks besides.
QUERIES = 5
MORE_QUERIES = {Tenant: 1, OutboxMessage: 1}  # their domains; the kinds there are


def queries(client: Client, model: type[Model], rows: int) -> int:
    """How many queries a list that shows `rows` rows takes."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    assert len(answer.context["cl"].result_list) == rows, model
    return len(captured)


def test_lists_need_as_many_queries_for_three_rows_as_for_one(scene, staff, monkeypatch):
    scene.add_more()

    for model, shown in registered():
        expected = QUERIES + MORE_QUERIES.get(model, 0)
        for rows in (1, 3):
            monkeypatch.setattr(shown, "list_per_page", rows)
            assert queries(staff, model, rows) == expected, (model, rows)


def test_links_of_the_pages_lead_somewhere(scene, staff):
    found = set()
    for model, shown in registered():
        for one in model._default_manager.order_by("pk")[:5]:
            text = staff.get(shown.page_of("change", one)).content.decode()
            found |= set(re.findall(r'<div class="readonly">.*?</div>', text, re.DOTALL))
    links = {unescape(href) for block in found for href in re.findall(r'href="(/admin/[^"]*)"', block)}

    assert len({link.partition("?")[0] for link in links}) > 20
    for link in links:
        assert staff.get(link).status_code == 200, link


def test_lists_cannot_be_narrowed_by_what_is_hidden(staff):
    for lookup in (
        "/admin/rbac/user/?password__startswith=pbkdf2",
        "/admin/rbac/assignment/?people__password__startswith=pbkdf2",
        "/admin/partners/apitoken/?digest__startswith=a",
        "/admin/partners/apitoken/?user__password__startswith=a",
        "/admin/audit/outboxmessage/?payload__contains=a",
        "/admin/rooms/inventoryimport/?content__contains=a",
        "/admin/rooms/enrollmentkey/?digest__contains=a",
        "/admin/rooms/device/?token_digest__contains=a",
        "/admin/axes/accessattempt/?post_data__contains=a",
    ):
        assert staff.get(lookup).status_code == 400, lookup


def test_counting_stops_at_the_cap(monkeypatch, scene, staff):
    monkeypatch.setattr(CappedPaginator, "CAP", 5)

    rooms = staff.get(reverse("admin:rooms_room_changelist"))

    assert rooms.context["cl"].result_count == 5
    assert "5+ rooms" in rooms.content.decode()
    monkeypatch.setattr(CappedPaginator, "CAP", 6)
    assert "6 rooms" in staff.get(reverse("admin:rooms_room_changelist")).content.decode()


def test_release_is_published_through_the_form(staff):
    page = reverse("admin:rooms_release_publish")
    assert staff.get(page).status_code == 200

    with leaves("platform: Ring/Create release 9.1.2 Successful jo@operator.example"):
        answer = staff.post(page, {"version": "9.1.2", "notes": "New.", "reason": "It is time"})

    newest = Release.objects.order_by("-order").first()
    assert answer["Location"] == reverse("admin:rooms_release_change", args=[newest.pk])
    assert (newest.version, newest.notes) == ("9.1.2", "New.")
    for version in ("9.1.2", "9.1", "soon"):
        refused = staff.post(page, {"version": version, "reason": "Again"})
        assert refused.status_code == 200
    assert Release.objects.order_by("-order").first() == newest
