"""The assignments of roles: who holds one, where, how long."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, CustomerView, Nothing, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.errors import (
    DatesNotInOrder,
    KeptAssignment,
    LastMmrAdmin,
    LastPrimaryAdmin,
    NoEndDate,
    NotInvited,
    NotOfThisTenant,
)
from rbac.gates import TenantRequest, find
from rbac.models import Assignment
from rbac.services import assignments
from rooms import scopes
from rooms.api import role_examples as examples
from rooms.api.role_serializers import (
    AssignmentChanges,
    AssignmentDetail,
    AssignmentItem,
    AssignmentScopeBody,
    Members,
    MembersInAndOut,
    NewAssignment,
)
from rooms.api.roles import ASSIGNING, TAG, find_role, plain, submit
from rooms.errors import AwaitsApproval, EmptyScope, UnknownRooms
from rooms.models import Room, RoomGroup


class Assignments(CustomerView):
    versioned = Assignment
    makes = "api-assignment"
    gate = (Permission.ROLES_VIEW,)
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": ASSIGNING}

    @extend_schema(
        operation_id="assignments",
        tags=[TAG],
        summary="The assignments of a role",
        description="Needs `roles.view`.",
        parameters=PAGING,
        responses=page_schema(AssignmentItem),
        examples=[examples.ASSIGNMENTS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        role = find_role(request, role_id)
        own = access.visible(request.person, Permission.ROLES_VIEW, Assignment.objects.filter(role=role), request.held)
        found = page_of(request, own, ("name", "id"))
        return answer_page(request, found, [_listed(one) for one in found.items])

    @extend_schema(
        operation_id="assignment_create",
        tags=[TAG],
        summary="Assign a role",
        description=(
            "Needs `roles.modify`, and in each room of the scope what the role gives. Somebody who never signed in becomes "
            "a member by signing in."
        ),
        request=NewAssignment,
        responses={201: AssignmentDetail},
        examples=[examples.NEW_ASSIGNMENT, examples.ASSIGNMENT],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        role = find_role(request, role_id)
        made = submit(request, role, "assign", assignment=plain(self.read(NewAssignment)))
        return self.answer(made, _detail(request, made), status=201)


class OneAssignment(CustomerView):
    versioned = Assignment
    gate = (Permission.ROLES_VIEW,)
    problems = {
        "patch": (KeptAssignment, NoEndDate, DatesNotInOrder, LastMmrAdmin, AwaitsApproval),
        "delete": (KeptAssignment, LastPrimaryAdmin, LastMmrAdmin, AwaitsApproval),
    }

    @extend_schema(
        operation_id="assignment",
        tags=[TAG],
        summary="One assignment",
        description="Needs `roles.view`.",
        responses=AssignmentDetail,
        examples=[examples.ASSIGNMENT],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        return self.answer(found, _detail(request, found))

    @extend_schema(
        operation_id="assignment_modify",
        tags=[TAG],
        summary="Change an assignment’s name or dates",
        description="Needs `roles.modify`; the dates of what you hold your own right through somebody else changes.",
        request=AssignmentChanges,
        responses=AssignmentDetail,
        examples=[examples.ASSIGNMENT_CHANGES, examples.ASSIGNMENT],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        wanted = plain(self.read(AssignmentChanges))
        dates = {name: wanted.pop(name) for name in ("valid_from", "valid_until") if name in wanted}
        wanted |= {"dates": dates} if dates else {}
        submit(request, found, "modify_assignment", **wanted)
        changed = find_assignment(request, assignment_id)
        return self.answer(changed, _detail(request, changed))

    @extend_schema(
        operation_id="assignment_delete",
        tags=[TAG],
        summary="Delete an assignment",
        description="Needs `roles.modify`.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        submit(request, find_assignment(request, assignment_id), "delete_assignment")
        return Response(status=204)


class AssignmentScope(CustomerView):
    versioned = Assignment
    gate = (Permission.ROLES_VIEW,)
    problems = {"post": (EmptyScope, UnknownRooms, LastMmrAdmin, AwaitsApproval)}

    @extend_schema(
        operation_id="assignment_scope",
        tags=[TAG],
        summary="Choose the rooms of an assignment anew",
        description="Needs `roles.modify`, and in each room what the role gives, not through this assignment.",
        request=AssignmentScopeBody,
        responses=AssignmentDetail,
        examples=[examples.SCOPE, examples.ASSIGNMENT],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        submit(request, found, "scope", scope=self.read(AssignmentScopeBody))
        changed = find_assignment(request, assignment_id)
        return self.answer(changed, _detail(request, changed))


class AssignmentMembers(CustomerView):
    versioned = Assignment
    gate = (Permission.ROLES_VIEW,)
    problems = {"post": (NotOfThisTenant, NotInvited, LastPrimaryAdmin, LastMmrAdmin, AwaitsApproval)}

    @extend_schema(
        operation_id="assignment_members",
        tags=[TAG],
        summary="The members of an assignment",
        description="Needs `roles.view`.",
        responses=Members,
        examples=[examples.MEMBERS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        return self.answer(found, _members(found))

    @extend_schema(
        operation_id="assignment_members_modify",
        tags=[TAG],
        summary="Add and remove members",
        description=(
            "Needs `roles.modify`; to add, hold what the assignment gives. All of it or nothing. Primary admins come by "
            "invitation."
        ),
        request=MembersInAndOut,
        responses=Members,
        examples=[examples.IN_AND_OUT, examples.MEMBERS],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        submit(request, found, "members", **self.read(MembersInAndOut))
        changed = find_assignment(request, assignment_id)
        return self.answer(changed, _members(changed))


class LeaveAssignment(CustomerView):
    gate = (Permission.ROLES_VIEW,)
    for_tokens = False
    problems = {"post": (LastPrimaryAdmin, LastMmrAdmin)}

    @extend_schema(
        operation_id="assignment_leave",
        tags=[TAG],
        summary="Leave an assignment",
        description="Gives up what you are a direct member of; nobody has to allow that. The last admins stay.",
        request=None,
        responses={204: None},
    )
    def post(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        self.read(Nothing)
        assignments.leave(found, by=request.person)
        return Response(status=204)


def find_assignment(request: TenantRequest, assignment_id: int) -> Assignment:
    """The assignment, if the caller may see it. Raises Http404 otherwise."""
    own = Assignment.objects.filter(tenant=request.customer).select_related("role__delegation", "tenant")
    return find(request, Permission.ROLES_VIEW, own, pk=assignment_id)


def _listed(one: Assignment) -> dict[str, Any]:
    names = ("key", "description", "sends_email", "valid_from", "valid_until", "version")
    return {"id": one.pk, "role": one.role_id, "name": one.label} | {name: getattr(one, name) for name in names}


def _detail(request: TenantRequest, one: Assignment) -> dict[str, Any]:
    scope = scopes.scope_of(one)
    seen = {
        name: access.visible(request.person, permission, model.objects.filter(pk__in=chosen), request.held)
        for name, permission, model, chosen in (
            ("rooms", Permission.ROOMS_VIEW, Room, scope.rooms),
            ("groups", Permission.GROUPS_VIEW, RoomGroup, scope.groups),
        )
    }
    ids = {name: sorted(rows.values_list("pk", flat=True)) for name, rows in seen.items()}
    return _listed(one) | {"scope": {"all_rooms": scope.all_rooms, **ids}}


def _members(one: Assignment) -> dict[str, Any]:
    people = one.people.order_by("upn").values_list("upn", flat=True)
    groups = one.security_groups.order_by("name", "pk").values("id", "name")
    claims = one.claims.order_by("upn").values_list("upn", flat=True)
    return {
        "items": [
            *({"kind": "group", **group} for group in groups),
            *({"kind": "person", "upn": upn} for upn in people),
            *({"kind": "claim", "upn": upn} for upn in claims),
        ]
    }
