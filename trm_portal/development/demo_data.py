"""The demo's data: three customers, three partners, in every state. All of it goes through the portal's own services.

Loaded once, in one transaction; a second call changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.clock import now
from partners.models import Invitation, PartnerRelationship, Terms
from partners.services import invitations, relationships
from partners.services.invitations import Contact
from partners.services.relationships import Proposal
from rbac.catalogue import BuiltIn
from rbac.models import Delegation, Role, Tenant, User
from rbac.partner_access import Proof
from rbac.services import assignments, partner_access, tenants
from rbac.sign_in import arrive
from rooms import scopes
from rooms.models import Room
from rooms.scopes import Scope
from rooms.services import groups, inventory
from trm_portal.development import (
    demo_aggregate,
    demo_approvals,
    demo_customers,
    demo_devices,
    demo_limits,
    demo_operations,
    demo_reports,
    demo_rings,
    demo_roles,
    demo_settings,
    demo_tickets,
    demo_webhooks,
)
from trm_portal.development import demo_people as people
from trm_portal.development.demo_people import (
    CUSTOMERS,
    PARTNERS,
    PEOPLE,
    SUPPORT_NAME,
    SUPPORT_UPN,
    Organisation,
    Person,
)

INVENTORIES = Path(__file__).parent / "inventories"


@dataclass(frozen=True)
class Account:
    name: str
    upn: str
    role: str | Promise


@dataclass(frozen=True)
class AccountGroup:
    label: str | Promise
    entries: Sequence[Account]


def accounts() -> list[AccountGroup]:
    """Who can sign in with one click, by organisation."""
    groups = [
        AccountGroup(
            organisation.name, [Account(one.name, one.upn, one.role) for one in PEOPLE if one.at == organisation]
        )
        for organisation in (*CUSTOMERS, *PARTNERS)
    ]
    return [*groups, AccountGroup(_("Back office"), [Account(SUPPORT_NAME, SUPPORT_UPN, _("Support staff"))])]


def account(upn: str) -> User:
    """The demo person `upn`, arriving as after a sign-in at home. Raises Http404 outside the demo or for anybody else."""
    if not settings.DEMO:
        raise Http404
    if upn == SUPPORT_UPN:
        return User.objects.get(username=SUPPORT_UPN)
    for person in PEOPLE:
        if person.upn == upn:
            return arrive(person.identity, is_awaited=invitations.is_awaited)
    raise Http404


def load() -> list[str]:
    """The demo's data is there; lines that say who can sign in as what."""
    if not Tenant.objects.filter(entra_tid=people.CONTOSO.tid).exists():
        with transaction.atomic():
            _load()
    return [
        line
        for group in accounts()
        for line in (f"{group.label}", *(f"  {one.upn:34} {one.role}" for one in group.entries))
    ]


def _load() -> None:
    _publish_terms()
    User.objects.create(username=SUPPORT_UPN, upn=SUPPORT_UPN, display_name=SUPPORT_NAME, is_staff=True, password="!")
    for organisation in (*CUSTOMERS, *PARTNERS):
        if organisation.is_known:
            _found(organisation)
    for person in PEOPLE:
        if person.at.is_known:
            account(person.upn)
    _fill_tailwind()
    _fill_wide_world()
    wim, ann, lena, tessa = (account(one.upn) for one in (people.WIM, people.ANN, people.LENA, people.TESSA))
    demo_customers.fill(wim, ann, lena, tessa)
    for admin in (people.TESSA, people.WIM):
        demo_devices.fill(account(admin.upn))
    demo_operations.fill(
        Tenant.objects.get(entra_tid=people.TAILWIND.tid), account(people.TESSA.upn), account(people.ANN.upn)
    )
    demo_webhooks.fill(account(people.TESSA.upn), account(people.ANN.upn))  # before what they hear of
    demo_settings.dress(account(people.TESSA.upn))
    demo_tickets.fill()
    tessa = account(people.TESSA.upn)
    assert tessa.tenant is not None
    demo_rings.fill(tessa.tenant, tessa)
    # Last: what came before them is remembered for the rooms that are enrolled by then.
    for customer in (people.TAILWIND, people.WIDE_WORLD):
        demo_reports.fill(Tenant.objects.get(entra_tid=customer.tid))
    demo_reports.add_up()
    ann = account(people.ANN.upn)
    demo_approvals.fill(tessa, ann, Delegation.objects.get(tenant=tessa.tenant, held_by=ann.tenant))
    demo_aggregate.fill(ann)
    for person, *methods in ((people.ANN, "pwd"), (people.BOB, "pwd", "mfa"), (people.NILS, "pwd")):
        partner_access.note_sign_in(account(person.upn), Proof(now(), frozenset(methods)), "203.0.113.7")
    demo_limits.fill(tessa, account(people.TOM.upn), _scope(tessa.tenant, "London"))
    demo_settings.renew_terms(account(people.WIM.upn))  # the last thing: from here on changes of a partner ask for them


def _publish_terms() -> None:
    Terms.objects.create(
        version=1,
        text_en=(INVENTORIES.parent / "terms" / "en.txt").read_text(),
        text_de=(INVENTORIES.parent / "terms" / "de.txt").read_text(),
    )


def _found(organisation: Organisation) -> None:
    tenants.found(
        organisation.name,
        admin_upn=organisation.first_admin,
        domains=[organisation.domain],
        entra_tid=organisation.tid,
        time_zone=organisation.time_zone,
        language=organisation.language,
        by=None,
    )


def _fill_tailwind() -> None:
    """A customer with partners in every state."""
    tessa = account(people.TESSA.upn)
    tenant = _import(tessa, "tailwind-get-place.csv")
    _give(tessa, BuiltIn.SITE_LEAD, people.LENA, _scope(tenant, "Vienna", "Zurich"))
    _give(tessa, BuiltIn.SITE_TECH, people.TOM, _scope(tenant, "Berlin"))
    for city in ("Vienna", "Zurich"):
        groups.create(tenant, f"{city} stores", by=tessa, rooms=_scope(tenant, city).rooms)
    vienna, berlin, london = _scope(tenant, "Vienna", "Zurich"), _scope(tenant, "Berlin"), _scope(tenant, "London")

    _add(tessa, "Fabrikam AV Services", vienna, people.ANN, accepts=True)
    team = [account(one.upn) for one in (people.LENA, people.TOM, people.ANN, people.BOB)]
    demo_roles.fill(tessa, *team, vienna=vienna, berlin=berlin)
    relationships.suspend(_add(tessa, "Northwind Rooms GmbH", berlin, people.NILS, accepts=True), by=tessa)
    _add(tessa, "Adatum Integrators", london, people.ADA)
    declined = _add(tessa, "Northwind Rooms London", london, people.NORA)
    invitations.deny(declined.invitations.get(), by=account(people.NORA.upn))
    _let_expire(_add(tessa, "Litware Meeting Tech", london, Contact("Lee Sand", "lee.sand@litware.example")))
    withdrawn = _add(tessa, "Proseware Consulting", london, Contact("Pia Falk", "pia.falk@proseware.example"))
    invitations.revoke(withdrawn.invitations.get(), by=tessa)
    removed = _add(tessa, "Wingtip Conference Systems", berlin, Contact("Will Gray", "will.gray@wingtip.example"))
    relationships.remove(removed, by=tessa)


def _fill_wide_world() -> None:
    """A small customer whose partner cares for all rooms, later ones too."""
    wim = account(people.WIM.upn)
    _import(wim, "wide-world-graph-places.json")
    relationship = _add(wim, "Fabrikam AV Services", Scope(all_rooms=True), people.ANN, people.BOB, accepts=True)
    invitations.invite(relationship, [Contact("Cleo Marr", "cleo.marr@fabrikam.com")], by=wim)
    _add(wim, "Northwind Rooms GmbH", Scope(all_rooms=True), people.NORA)


def _import(admin: User, file: str) -> Tenant:
    assert admin.tenant is not None
    with (INVENTORIES / file).open("rb") as stream:
        inventory.load(admin.tenant, stream, file, by=admin)
    return admin.tenant


def _scope(tenant: Tenant, *cities: str) -> Scope:
    return Scope(rooms=frozenset(Room.objects.filter(tenant=tenant, city__in=cities).values_list("pk", flat=True)))


def _give(admin: User, role: BuiltIn, person: Person, scope: Scope) -> None:
    assignment = assignments.open_for(
        Role.objects.get(tenant=admin.tenant, key=role, delegation=None), f"{role.label} {person.name}", by=admin
    )
    scopes.change(assignment, scope, by=admin)
    assignments.change_members(assignment, by=admin, add=[account(person.upn)])


def _add(admin: User, label: str, scope: Scope, *whom: Person | Contact, accepts: bool = False) -> PartnerRelationship:
    assert admin.tenant is not None
    contacts = [Contact(one.name, one.upn) for one in whom]
    proposal = Proposal(contacts, scope, terms_version=1, agrees=True, label=label)
    relationship = relationships.add(admin.tenant, proposal, by=admin)
    if accepts:
        for invitation in relationship.invitations.all():
            invitations.accept(invitation, by=account(invitation.upn))
    return relationship


def _let_expire(relationship: PartnerRelationship) -> None:
    """As if it had been sent 15 days ago: the only thing here that no service does is letting time pass."""
    sent = now() - timedelta(days=15)
    relationship.invitations.update(created_at=sent, expires_at=sent + timedelta(days=14))
    invitations.expire_due(Invitation.objects.filter(relationship=relationship))
