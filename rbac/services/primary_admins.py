"""Whether a partner has a primary admin left: marked at its delegation, on record, and told by the apps above.

The portal refuses to take the last one away (the database counts). What it cannot refuse, because it is true already, is
marked here: support staff deactivate an account, a directory makes a person a guest. While the mark stands nobody can add
members himself (he would have to be a primary admin); it goes with whoever is admitted or can act again.
"""

from collections.abc import Callable, Collection
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, F, QuerySet
from django.utils.translation import override

from audit.log import recording, together
from audit.models import Category, Operation
from rbac.catalogue import BuiltIn
from rbac.last_admins import has_admin, roles, worked_for
from rbac.models import Assignment, Delegation, Tenant, User

# What the apps above do, in the same transaction, for a delegation that nobody is primary admin of any more.
_when_none_is_left: list[Callable[[Delegation], object]] = []


def when_none_is_left(step: Callable[[Delegation], object]) -> None:
    """Have `step(delegation)` run whenever a partner has lost its last primary admin."""
    if step not in _when_none_is_left:
        _when_none_is_left.append(step)


def hold_of(person: User) -> tuple[User, list[Delegation]]:
    """`person` as he is now, held, and the delegations he works in, held before him; what his memberships count in.

    First those that decisions wait for, then his own row: whoever makes him a member somewhere waits for that, and what
    came in the meantime is held as well. Raises User.DoesNotExist.
    """
    _hold_delegations(person)
    if person.tenant_id is not None:
        Tenant.objects.select_for_update().get(pk=person.tenant_id)
    current = User.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=person.pk)
    return current, _hold_delegations(person)


def _hold_delegations(person: User) -> list[Delegation]:
    return list(Delegation.objects.select_for_update().filter(pk__in=worked_for(person).values("pk")).order_by("pk"))


def settle_for(assignment: Assignment, user: User, *, by: User | None) -> None:
    """As `settle`, after `user` was admitted to `assignment`: it costs nothing for any other role.

    A membership holds its person only when it is committed (its foreign key is deferred), so he is held here: whoever is
    deactivating him is waited for before anybody counts.
    """
    delegation_id = assignment.role.delegation_id
    if assignment.role.key == BuiltIn.PARTNER_ADMIN and delegation_id is not None:
        User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
        settle([delegation_id], by=by)


def settle(delegation_ids: Collection[UUID], *, by: User | None) -> None:
    """Each of these live delegations says whether it needs a primary admin; a line each where that is new, and who has to
    be told is told if none is left. A step of a recorded change that holds them.
    """
    if not delegation_ids:
        return
    is_left = ExpressionWrapper(has_admin(BuiltIn.PARTNER_ADMIN), output_field=BooleanField())
    known = roles(BuiltIn.PARTNER_ADMIN).filter(delegation__in=delegation_ids).annotate(is_left=is_left)
    wrong = known.filter(is_left=F("delegation__needs_primary_admin")).select_related("delegation")
    with override("en"):  # how the log names it, whatever the reader's language
        name = str(BuiltIn.PARTNER_ADMIN.label)
    for role in wrong.order_by("delegation"):
        with recording(
            Category.ROLE,
            Operation.UPDATE,
            name,
            tenant=role.tenant_id,
            by=by,
            relationship_id=role.delegation_id,
        ) as line:
            delegation, needs = role.delegation, not role.is_left
            assert delegation is not None
            Delegation.objects.filter(pk=delegation.pk).update(needs_primary_admin=needs)
            line.before, line.after = {"needs_primary_admin": not needs}, {"needs_primary_admin": needs}
            if needs:
                for step in _when_none_is_left:
                    step(delegation)


def begun() -> QuerySet[Delegation]:
    """Those marked as needing a primary admin whose next one was named for a later day, which has come."""
    back = roles(BuiltIn.PARTNER_ADMIN).filter(has_admin(BuiltIn.PARTNER_ADMIN), delegation__needs_primary_admin=True)
    return Delegation.objects.filter(pk__in=back.values("delegation")).order_by("pk")


def settle_begun(delegation: Delegation) -> None:
    """The mark of one of `begun` is gone, by the clock."""
    with together():
        Delegation.objects.select_for_update().get(pk=delegation.pk)
        settle([delegation.pk], by=None)
