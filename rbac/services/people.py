"""People of organisations, deactivated and activated again by support staff: a stolen account waits for no directory."""

from audit.log import recording
from audit.models import Category, Operation
from rbac.catalogue import BuiltIn
from rbac.errors import AlreadyActive, AlreadyDeactivated, NotOfOrganisation
from rbac.last_admins import only_by
from rbac.models import PersonSession, User
from rbac.services import assignments, primary_admins
from rbac.services.accounts import require_support


def deactivate(person: User, *, by: User | None, reason: str = "") -> User:
    """Nothing opens for `person` from the next request on, and he is signed in nowhere; his memberships stay.

    What he asked approval for is not asked any more. A partner whose last primary admin he was is marked as needing one,
    and both sides are told; nobody can refuse that. `by` is None for the command line. Raises PermissionDenied unless
    support staff ask, NotOfOrganisation for accounts of support staff, AlreadyDeactivated.
    """
    with recording(Category.USER, Operation.UPDATE, person.upn, tenant=person.tenant_id, by=by) as line:
        require_support(by)
        _require_home(person)
        current, delegations = primary_admins.hold_of(person)
        if not current.is_active:
            raise AlreadyDeactivated(params={"upn": current.upn})
        is_last_here = only_by(current, BuiltIn.MMR_ADMIN).exists()
        User.objects.filter(pk=current.pk).update(is_active=False)
        ended, _ = PersonSession.objects.filter(user=current).delete()
        for delegation in delegations:
            assignments.tell_of_loss(delegation.pk, by)
        primary_admins.settle([one.pk for one in delegations], by=by)
        line.before = {"active": True}
        line.after = {"active": False, "sessions_ended": ended, "reason": reason}
        if is_last_here:
            line.after["last_mmr_admin"] = True
    current.is_active = False
    return current


def activate(person: User, *, by: User | None, reason: str = "") -> User:
    """`person` has what his memberships give him again; he has to sign in anew.

    A partner that needed a primary admin has one again if he is one. `by` is None for the command line. Raises
    PermissionDenied unless support staff ask, NotOfOrganisation for accounts of support staff, AlreadyActive.
    """
    with recording(Category.USER, Operation.UPDATE, person.upn, tenant=person.tenant_id, by=by) as line:
        require_support(by)
        _require_home(person)
        current, delegations = primary_admins.hold_of(person)
        if current.is_active:
            raise AlreadyActive(params={"upn": current.upn})
        User.objects.filter(pk=current.pk).update(is_active=True)
        primary_admins.settle([one.pk for one in delegations], by=by)
        line.before, line.after = {"active": False}, {"active": True, "reason": reason}
    current.is_active = True
    return current


def _require_home(person: User) -> None:
    if person.tenant_id is None:
        raise NotOfOrganisation(params={"upn": person.upn})
