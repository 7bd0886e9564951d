"""Roles of the demo: a regional role of a customer, a help desk of its partner, a security group, an end date."""

from datetime import timedelta

from audit.clock import now
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Role, User
from rbac.services import security_groups
from rooms import change_control
from rooms.scopes import Scope
from rooms.services import roles
from rooms.services.roles import Proposed

P = Permission


def fill(admin: User, lead: User, tech: User, partner: User, colleague: User, *, vienna: Scope, berlin: Scope) -> None:
    """Tailwind's own roles by its `admin`, and those of the partner that `partner` is a primary admin of."""
    assert admin.tenant is not None
    shift = security_groups.create(admin.tenant, "Store support", by=admin, people=[lead, tech])
    regional = Proposed(
        "Stores in Vienna and Zurich",
        members=(lead.upn,),
        groups=(shift.pk,),
        scope=vienna,
        description="North of the Alps",
    )
    roles.create(
        admin.tenant,
        by=admin,
        name="Regional coordinator",
        description="Looks after rooms, tickets and reports of a region",
        permissions=[P.ROOMS_MODIFY, P.TICKETS_UPDATE, P.TICKETS_CREATE_INCIDENT, P.REPORTS_VIEW, P.GROUPS_VIEW],
        assignment=regional.as_data(),
    )
    trainee = Proposed(
        "Summer trainees",
        members=("summer.trainee@tailwindtraders.com",),
        scope=berlin,
        valid_until=now() + timedelta(days=45),
    )
    role = Role.objects.get(tenant=admin.tenant, key=BuiltIn.SITE_TECH, delegation=None)
    roles.assign(role, by=admin, assignment=trainee.as_data())
    desk = Proposed(
        "First line",
        members=(colleague.upn, "night.shift@fabrikam.com"),
        scope=vienna,
        valid_until=now() + timedelta(days=60),
    )
    change_control.submit(
        P.ROLES_MODIFY,
        admin.tenant,
        by=partner,
        action="create",
        name="Help desk",
        description="Answers incidents and sees the rooms",
        permissions=[P.ROOMS_VIEW.value, P.TICKETS_VIEW.value, P.TICKETS_UPDATE.value],
        assignment=desk.as_data(),
    )
