"""Roles and their assignments: the customer's own, and a partner's for this customer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, Body, CustomerView, answer_page, page_of, page_schema
from rbac.catalogue import CEILING, Permission, with_implied
from rbac.errors import (
    AboveCeiling,
    BuiltInRole,
    DatesNotInOrder,
    KeptAssignment,
    LastMmrAdmin,
    LastPrimaryAdmin,
    NoEndDate,
    NoPermissions,
    NotInvited,
    NotOfThisTenant,
    RoleNameTaken,
)
from rbac.gates import TenantRequest, find
from rbac.models import Assignment, Role
from rooms import change_control, scopes
from rooms.api import role_examples as examples
from rooms.api.rooms import wanted_version
from rooms.errors import AwaitsApproval, EmptyScope, StaleVersion, UnknownRooms
from rooms.models import Room, RoomGroup

TAG = "Roles"
MOST_ROOMS, MOST_MEMBERS = 10_000, 200
_ID = {"min_value": 1, "max_value": 2**63 - 1}
_IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="The `ETag` you have read.")
_ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=["200"], description="The version, for `If-Match`."
)


class RoleItem(serializers.Serializer[Any]):
    """A role. `key` is empty for a custom one; `owner` is `partner` for a partner’s role for this customer."""

    id = serializers.IntegerField()
    key = serializers.CharField(allow_blank=True)
    name = serializers.CharField(help_text="Built-in roles in the language of the request.")
    description = serializers.CharField(allow_blank=True)
    owner = serializers.ChoiceField(choices=("customer", "partner"))
    partner = serializers.CharField(allow_blank=True, help_text="How the customer calls the partner.")
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=Permission.values))
    effective = serializers.ListField(
        child=serializers.ChoiceField(choices=Permission.values),
        help_text="With what is implied, below a partner’s ceiling.",
    )
    version = serializers.IntegerField()


class AssignmentScopeBody(Body):
    """All rooms, or single rooms and whole groups (ids)."""

    all_rooms = serializers.BooleanField(required=False, default=False)
    rooms = serializers.ListField(child=serializers.IntegerField(**_ID), required=False, max_length=MOST_ROOMS)
    groups = serializers.ListField(child=serializers.IntegerField(**_ID), required=False, max_length=MOST_ROOMS)


class NewAssignment(Body):
    """An assignment to be made; members by UPN and by the id of a security group of your own organisation."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    members = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=MOST_MEMBERS
    )
    groups = serializers.ListField(child=serializers.IntegerField(**_ID), required=False, max_length=MOST_MEMBERS)
    scope = AssignmentScopeBody()
    sends_email = serializers.BooleanField(required=False)
    valid_from = serializers.DateTimeField(required=False, allow_null=True)
    valid_until = serializers.DateTimeField(required=False, allow_null=True)


class NewRole(Body):
    """A custom role to be made, with its first assignment if you like."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=Permission.values), max_length=19)
    assignment = NewAssignment(required=False)


class RoleChanges(Body):
    """What is to be changed; fields that are left out stay as they are."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=Permission.values), required=False, max_length=19
    )


class ScopeItem(serializers.Serializer[Any]):
    """What was chosen, as far as you may see it."""

    all_rooms = serializers.BooleanField()
    rooms = serializers.ListField(child=serializers.IntegerField())
    groups = serializers.ListField(child=serializers.IntegerField())


class AssignmentItem(serializers.Serializer[Any]):
    """An assignment; `key` is empty but for the portal’s own."""

    id = serializers.IntegerField()
    role = serializers.IntegerField()
    key = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    sends_email = serializers.BooleanField()
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class AssignmentDetail(AssignmentItem):
    """An assignment with its scope."""

    scope = ScopeItem()


class AssignmentChanges(Body):
    """What is to be changed; fields that are left out stay as they are, `null` takes a date away."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    sends_email = serializers.BooleanField(required=False)
    valid_from = serializers.DateTimeField(required=False, allow_null=True)
    valid_until = serializers.DateTimeField(required=False, allow_null=True)


class MemberItem(serializers.Serializer[Any]):
    """A person by UPN, a security group by id and name, or somebody who has not signed in yet (`claim`)."""

    kind = serializers.ChoiceField(choices=("person", "group", "claim"))
    upn = serializers.CharField(required=False)
    id = serializers.IntegerField(required=False)
    name = serializers.CharField(required=False)


class Members(serializers.Serializer[Any]):
    """All members; of a group of another organisation only its name."""

    items = MemberItem(many=True)


class MembersInAndOut(Body):
    """Members to add and to remove: people by UPN, security groups by id."""

    add = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=MOST_MEMBERS)
    remove = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=MOST_MEMBERS)
    add_groups = serializers.ListField(child=serializers.IntegerField(**_ID), required=False, max_length=MOST_MEMBERS)
    remove_groups = serializers.ListField(
        child=serializers.IntegerField(**_ID), required=False, max_length=MOST_MEMBERS
    )


_ASSIGNING = (NoEndDate, DatesNotInOrder, EmptyScope, UnknownRooms, NotOfThisTenant, AwaitsApproval)


class Roles(CustomerView):
    gate = (Permission.ROLES_VIEW,)
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (RoleNameTaken, NoPermissions, AboveCeiling, *_ASSIGNING)}

    @extend_schema(
        operation_id="roles",
        tags=[TAG],
        summary="The roles you may see",
        description="Needs `roles.view` for all rooms; a partner sees its own roles for this customer.",
        parameters=PAGING,
        responses=page_schema(RoleItem),
        examples=[examples.ROLES],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        found = page_of(request, visible_roles(request), ("name", "id"))
        return answer_page(request, found, [shown(one) for one in found.items])

    @extend_schema(
        operation_id="role_create",
        tags=[TAG],
        summary="Make a custom role",
        description=(
            "Needs `roles.modify`; nobody gives what he does not hold himself. Made by a partner it is that partner’s role "
            "for this customer, below what its primary admins hold, in delegated rooms."
        ),
        request=NewRole,
        responses={201: RoleItem},
        examples=[examples.NEW_ROLE, examples.ROLE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        wanted = self.read(NewRole)
        if "assignment" in wanted:
            wanted["assignment"] = plain(wanted["assignment"])
        made = submit(request, request.customer, "create", **wanted)
        return Response(shown(_role(request, made.pk)), status=201, headers={"ETag": f'"{made.version}"'})


class OneRole(CustomerView):
    gate = (Permission.ROLES_VIEW,)
    problems = {
        "patch": (BuiltInRole, RoleNameTaken, NoPermissions, AboveCeiling, StaleVersion, AwaitsApproval),
        "delete": (BuiltInRole, AwaitsApproval),
    }

    @extend_schema(
        operation_id="role",
        tags=[TAG],
        summary="One role",
        description="Needs `roles.view`.",
        parameters=[_ETAG],
        responses=RoleItem,
        examples=[examples.ROLE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        return _answer(_role(request, role_id))

    @extend_schema(
        operation_id="role_modify",
        tags=[TAG],
        summary="Change a custom role",
        description=(
            "Needs `roles.modify` on the side that owns the role. Permissions that are added you hold yourself in all rooms "
            "of its assignments, and not through this role. `If-Match` as with rooms."
        ),
        parameters=[_ETAG, _IF_MATCH],
        request=RoleChanges,
        responses=RoleItem,
        examples=[examples.ROLE_CHANGES, examples.ROLE],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        found = _role(request, role_id)
        submit(request, found, "modify", **self.read(RoleChanges), version=wanted_version(request))
        return _answer(_role(request, role_id))

    @extend_schema(
        operation_id="role_delete",
        tags=[TAG],
        summary="Delete a custom role",
        description="With its assignments. Needs `roles.modify`; the customer deletes a partner’s roles as well.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        submit(request, _role(request, role_id), "delete")
        return Response(status=204)


class Assignments(CustomerView):
    gate = (Permission.ROLES_VIEW,)
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": _ASSIGNING}

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
        role = _role(request, role_id)
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
        role = _role(request, role_id)
        made = submit(request, role, "assign", assignment=plain(self.read(NewAssignment)))
        return Response(_detail(request, made), status=201, headers={"ETag": f'"{made.version}"'})


class OneAssignment(CustomerView):
    gate = (Permission.ROLES_VIEW,)
    problems = {
        "patch": (KeptAssignment, NoEndDate, DatesNotInOrder, LastMmrAdmin, StaleVersion, AwaitsApproval),
        "delete": (KeptAssignment, LastPrimaryAdmin, LastMmrAdmin, AwaitsApproval),
    }

    @extend_schema(
        operation_id="assignment",
        tags=[TAG],
        summary="One assignment",
        description="Needs `roles.view`.",
        parameters=[_ETAG],
        responses=AssignmentDetail,
        examples=[examples.ASSIGNMENT],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        return Response(_detail(request, found), headers={"ETag": f'"{found.version}"'})

    @extend_schema(
        operation_id="assignment_modify",
        tags=[TAG],
        summary="Change an assignment’s name or dates",
        description="Needs `roles.modify`; the dates of what you hold your own right through somebody else changes.",
        parameters=[_ETAG, _IF_MATCH],
        request=AssignmentChanges,
        responses=AssignmentDetail,
        examples=[examples.ASSIGNMENT_CHANGES, examples.ASSIGNMENT],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, assignment_id: int) -> Response:
        found = find_assignment(request, assignment_id)
        wanted = plain(self.read(AssignmentChanges))
        dates = {name: wanted.pop(name) for name in ("valid_from", "valid_until") if name in wanted}
        wanted |= {"dates": dates} if dates else {}
        submit(request, found, "modify_assignment", **wanted, version=wanted_version(request))
        changed = find_assignment(request, assignment_id)
        return Response(_detail(request, changed), headers={"ETag": f'"{changed.version}"'})

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
        return Response(_detail(request, find_assignment(request, assignment_id)))


class AssignmentMembers(CustomerView):
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
        return Response(_members(find_assignment(request, assignment_id)))

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
        return Response(_members(found))


def visible_roles(request: TenantRequest) -> QuerySet[Role]:
    """The roles the caller may see."""
    own = Role.objects.filter(tenant=request.customer).select_related("delegation__relationship")
    return access.visible(request.person, Permission.ROLES_VIEW, own, request.held)


def _role(request: TenantRequest, role_id: int) -> Role:
    own = Role.objects.filter(tenant=request.customer).select_related("tenant", "delegation__relationship")
    return find(request, Permission.ROLES_VIEW, own, pk=role_id)


def find_assignment(request: TenantRequest, assignment_id: int) -> Assignment:
    """The assignment, if the caller may see it. Raises Http404 otherwise."""
    own = Assignment.objects.filter(tenant=request.customer).select_related("role__delegation", "tenant")
    return find(request, Permission.ROLES_VIEW, own, pk=assignment_id)


def submit(request: TenantRequest, target: Any, action: str, **wanted: Any) -> Any:
    """Through change control, as everything that a partner may reach."""
    return change_control.submit(Permission.ROLES_MODIFY, target, by=request.person, action=action, **wanted)


def plain(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`wanted` in plain JSON values, as change control keeps them."""
    return {
        name: value.isoformat() if name in ("valid_from", "valid_until") and value is not None else value
        for name, value in wanted.items()
    }


def shown(role: Role) -> dict[str, Any]:
    """A role as answers show it."""
    held = with_implied(role.permissions)
    if role.delegation_id is not None:
        held &= CEILING
    return {
        "id": role.pk,
        "key": role.key,
        "name": role.label,
        "description": role.description,
        "owner": "customer" if role.delegation is None else "partner",
        "partner": "" if role.delegation is None else role.delegation.relationship.label,
        "permissions": role.permissions,
        "effective": [code.value for code in Permission if code in held],
        "version": role.version,
    }


def _answer(role: Role) -> Response:
    return Response(shown(role), headers={"ETag": f'"{role.version}"'})


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
