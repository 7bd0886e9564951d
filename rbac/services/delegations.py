"""The life of a delegation: opened with its role, linked, lapsed and revived, suspended and resumed, ended.

Every function here is one step of a larger change (partners/services): the caller has opened the recording, asked for
the permission, and holds the row by `lock`. Each step compares the state before it sets the next one.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from audit.clock import Now, now
from audit.events import About, Event, EventType, tell
from audit.log import recording
from audit.models import Category, Operation
from rbac.catalogue import BuiltIn, permissions_of
from rbac.errors import AlreadyPartner, DelegationOver, OwnTenant, WrongState
from rbac.models import Assignment, AssignmentKey, Delegation, DelegationState, Role, Tenant, User
from rbac.services import assignments
from rbac.states import DELEGATION

# What is told of a delegation that has come from one state to another.
_TOLD = {
    (DelegationState.INVITED, DelegationState.ACTIVE): EventType.RELATIONSHIP_LINKED,
    (DelegationState.ACTIVE, DelegationState.SUSPENDED): EventType.RELATIONSHIP_SUSPENDED,
    (DelegationState.SUSPENDED, DelegationState.ACTIVE): EventType.RELATIONSHIP_RESUMED,
    (DelegationState.INVITED, DelegationState.LAPSED): EventType.RELATIONSHIP_LAPSED,
}

# What the apps above ask of a customer before it changes something of a partner; they know rbac, rbac does not know them.
_conditions: list[Callable[[Tenant], None]] = []


def asks(condition: Callable[[Tenant], None]) -> None:
    """Have `condition` asked of a customer before it changes something of a partner; it raises what is missing."""
    if condition not in _conditions:
        _conditions.append(condition)


def require_conditions(customer: Tenant) -> None:
    """Pass if `customer` may change something of a partner now. Raises what a condition raises (TermsWaiting).

    Asked where a partner gets or keeps something; never where something is taken from it, nor for the partner's work.
    """
    for condition in _conditions:
        condition(customer)


def lock(delegation_id: UUID) -> Delegation:
    """The delegation as it is now, held until the transaction ends. Raises Delegation.DoesNotExist."""
    return Delegation.objects.select_for_update(of=("self",)).select_related("tenant", "held_by").get(pk=delegation_id)


def is_over(delegation: Delegation) -> bool:
    """Whether it has ended, or its time is over though no job has marked it; ask once it is held."""
    until = delegation.valid_until
    return delegation.state == DelegationState.ENDED or (until is not None and until <= now())


def require_live(delegation: Delegation) -> None:
    """Pass unless it is over. Raises DelegationOver."""
    if is_over(delegation):
        raise DelegationOver


def open_for(tenant: Tenant, *, by: User) -> Delegation:
    """A new delegation of `tenant`, held by nobody yet, with its role Primary admin and assignment Invited admins."""
    delegation = Delegation.objects.create(tenant=tenant)
    label = str(BuiltIn.PARTNER_ADMIN.label)
    with recording(Category.ROLE, Operation.CREATE, label, tenant=tenant, by=by, relationship_id=delegation.pk) as line:
        role = Role.objects.create(
            tenant=tenant,
            delegation=delegation,
            key=BuiltIn.PARTNER_ADMIN,
            name=BuiltIn.PARTNER_ADMIN.value,
            permissions=sorted(permissions_of(BuiltIn.PARTNER_ADMIN)),
        )
        line.after = {"permissions": role.permissions}
    assignments.open_for(role, AssignmentKey.INVITED_ADMINS.value, key=AssignmentKey.INVITED_ADMINS, by=by)
    return delegation


def base_assignment(delegation: Delegation) -> Assignment:
    """*Invited admins*: its scope is what is delegated, the ceiling of everything else the partner holds."""
    return Assignment.objects.select_related("role", "role__delegation", "tenant").get(
        role__delegation=delegation, role__key=BuiltIn.PARTNER_ADMIN, key=AssignmentKey.INVITED_ADMINS
    )


def link(delegation: Delegation, partner: Tenant) -> None:
    """`delegation` is active and held by `partner`.

    Raises DelegationOver if its time is over, OwnTenant for the customer's own tenant, AlreadyPartner if `partner` holds
    another live one of this customer.
    """
    require_live(delegation)
    if partner.pk == delegation.tenant_id:
        raise OwnTenant
    live = Delegation.objects.filter(
        tenant=delegation.tenant_id, held_by=partner, state__in=[DelegationState.ACTIVE, DelegationState.SUSPENDED]
    )
    if live.exists():
        raise AlreadyPartner
    _move(delegation, DelegationState.ACTIVE, held_by=partner, linked_at=Now())


def suspend(delegation: Delegation) -> None:
    """Nothing can be done through it until it is resumed; everything stays as it is. Raises DelegationOver, WrongState."""
    require_live(delegation)
    _move(delegation, DelegationState.SUSPENDED)


def resume(delegation: Delegation) -> None:
    """What was suspended works again. Raises DelegationOver, and WrongState for anything else: only an acceptance makes
    *invited* active."""
    require_live(delegation)
    if delegation.state != DelegationState.SUSPENDED:
        raise WrongState
    _move(delegation, DelegationState.ACTIVE)


def lapse(delegation: Delegation) -> None:
    """No invitation is left that could link it; inviting again revives it."""
    _move(delegation, DelegationState.LAPSED)


def revive(delegation: Delegation) -> None:
    """Somebody was invited again. Raises DelegationOver."""
    require_live(delegation)
    _move(delegation, DelegationState.INVITED)


def limit(delegation: Delegation, until: datetime | None) -> None:
    """Its time is over at `until`; never, if that is None.

    Raises DelegationOver if it is over now, WrongState for one that has lapsed: nobody is left whose time it would be.
    """
    require_live(delegation)
    if delegation.state == DelegationState.LAPSED:
        raise WrongState
    Delegation.objects.filter(pk=delegation.pk).update(valid_until=until)
    delegation.valid_until = until


def end(delegation: Delegation) -> None:
    """The delegation is over for good: its roles, assignments, members and index rows are gone.

    Access ended with the state alone; the rest is tidying in the same transaction. Scope and guardian rows are withdrawn
    by rooms/scopes.py before, which knows rooms. Raises DelegationOver if it had ended before.
    """
    _move(delegation, DelegationState.ENDED, ended_at=Now(), needs_primary_admin=False)


def remove_roles(delegation: Delegation, *, by: User | None) -> int:
    """All roles of an ended delegation and their assignments are deleted, an audit line each; how many members lost them."""
    lost = 0
    for role in Role.objects.filter(delegation=delegation).order_by("pk"):
        for assignment in Assignment.objects.filter(role=role).order_by("pk"):
            lost += assignments.delete(assignment, by=by)
        with recording(
            Category.ROLE,
            Operation.DELETE,
            role.label,
            tenant=delegation.tenant_id,
            by=by,
            relationship_id=delegation.pk,
        ) as line:
            line.before = {"permissions": role.permissions}
            role.delete()
    return lost


def _move(delegation: Delegation, state: DelegationState, **fields: object) -> None:
    """Compare and set. Raises DelegationOver from *ended*, WrongState where the state machine knows no such step."""
    if delegation.state == DelegationState.ENDED:
        raise DelegationOver
    if state not in DELEGATION[DelegationState(delegation.state)]:
        raise WrongState
    before = DelegationState(delegation.state)
    moved = Delegation.objects.filter(pk=delegation.pk, state=before).update(state=state, **fields)
    if not moved:
        raise WrongState
    delegation.refresh_from_db()
    told = EventType.RELATIONSHIP_ENDED if state == DelegationState.ENDED else _TOLD.get((before, state))
    if told is not None:
        tell(Event(told, delegation.tenant_id, About.RELATIONSHIP, delegation.pk, delegation.pk))
