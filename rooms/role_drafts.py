"""What somebody has entered in the wizard of roles and assignments so far; sending it makes them, in one transaction."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction

from rbac import drafts
from rbac.catalogue import Permission
from rbac.drafts import DraftChanged
from rbac.models import Role, Tenant, User
from rooms.errors import AwaitsApproval
from rooms.models import RoleDraft
from rooms.scopes import Scope
from rooms.services.inventory import Submit


class Step(models.TextChoices):
    """The steps, in the order of the product contract."""

    GENERAL = "general"
    PERMISSIONS = "permissions"
    ASSIGNMENT = "assignment"
    MEMBERS = "members"
    SCOPE = "scope"
    FINISH = "finish"


ORDER = tuple(Step)
# Another assignment of a role that is there already.
SHORT_ORDER = ORDER[2:]

# Which step can mend what the services refuse; everything else is shown where it happened.
_MENDED_BY = {
    "role_name_taken": Step.GENERAL,
    "no_permissions": Step.PERMISSIONS,
    "above_ceiling": Step.PERMISSIONS,
    "no_end_date": Step.ASSIGNMENT,
    "dates_not_in_order": Step.ASSIGNMENT,
    "not_of_this_tenant": Step.MEMBERS,
    "upn_character": Step.MEMBERS,
    "upn_form": Step.MEMBERS,
    "upn_guest": Step.MEMBERS,
    "empty_scope": Step.SCOPE,
    "unknown_rooms": Step.SCOPE,
}


def of(user: User, tenant: Tenant, role: Role | None = None) -> RoleDraft:
    """What `user` has entered for `tenant`; a new, empty draft if nothing is kept (it is not stored yet)."""
    fresh = RoleDraft(tenant=tenant, user=user, role=role)
    return drafts.stored(fresh) or fresh


def order_of(draft: RoleDraft) -> tuple[Step, ...]:
    """The steps of this draft."""
    return ORDER if draft.role_id is None else SHORT_ORDER


def scope_of(draft: RoleDraft) -> Scope:
    """The rooms chosen so far."""
    return Scope.from_data(draft.data.get("scope", {}))


def first_open(draft: RoleDraft) -> Step:
    """The first step that is not done; *finish* when all are."""
    done = draft.data.get("done", ())
    for step in order_of(draft)[:-1]:
        if step.value not in done or (step is Step.SCOPE and scope_of(draft).is_empty):
            return step
    return Step.FINISH


def assignment_of(draft: RoleDraft) -> dict[str, Any]:
    """The assignment as it is proposed."""
    data, scope = draft.data, scope_of(draft)
    return {
        "name": data.get("assignment_name", ""),
        "description": data.get("assignment_description", ""),
        "members": list(data.get("members", ())),
        "groups": list(data.get("groups", ())),
        "scope": (Scope(all_rooms=True) if scope.all_rooms else scope).as_data(),
        "sends_email": bool(data.get("sends_email", True)),
        "valid_from": data.get("valid_from"),
        "valid_until": data.get("valid_until"),
    }


def send(draft: RoleDraft, *, by: User, reviewed: str, submit: Submit) -> Role:
    """The role with its assignment, or the assignment of a role that is there, is made as drafted; the draft is gone.

    `submit` is the door for controlled changes, which stands above the services. Raises AwaitsApproval if the customer
    decides first (the draft is gone: the request holds it); DraftGone if it was sent or discarded before, DraftChanged
    if it is not what was `reviewed`, and what `roles.create` and `roles.assign` raise; the draft is kept then.
    """
    with transaction.atomic():
        current = drafts.hold_reviewed(draft, reviewed)
        if first_open(current) is not Step.FINISH:
            raise DraftChanged
        # Caught inside the block: the transaction goes on, and with it the audit line of the failure.
        try:
            made = _make(current, by, submit)
        except AwaitsApproval as waiting:
            current.delete()
            refused: Exception = waiting
        except (ValidationError, PermissionDenied) as error:
            refused = error
        else:
            current.delete()
            return made
    raise refused


def _make(draft: RoleDraft, by: User, submit: Submit) -> Role:
    assignment = assignment_of(draft)
    if draft.role is not None:
        submit(Permission.ROLES_MODIFY, draft.role, by=by, action="assign", assignment=assignment)
        return draft.role
    made: Role = submit(
        Permission.ROLES_MODIFY,
        draft.tenant,
        by=by,
        action="create",
        name=draft.data["name"],
        description=draft.data.get("description", ""),
        permissions=list(draft.data.get("permissions", ())),
        assignment=assignment,
    )
    return made


def mended_by(error: ValidationError) -> Step:
    """The step where the person can mend what was refused."""
    return _MENDED_BY.get(str(getattr(error, "code", "")), Step.FINISH)
