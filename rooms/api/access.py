"""Security groups of one's own organisation, and who can do what and why."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from rbac import upn
from rbac.api.base import PAGING, Body, CustomerView, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.errors import LastMmrAdmin, LastPrimaryAdmin, NotOfThisTenant, SecurityGroupInUse, SecurityGroupNameTaken
from rbac.gates import TenantRequest, find
from rbac.models import SecurityGroup, User
from rbac.services import security_groups
from rooms import explanations
from rooms.api import role_examples as examples
from rooms.api.role_serializers import MOST_MEMBERS
from rooms.explanations import Reason
from rooms.models import Room

GROUPS, ACCESS = "Security groups", "Access"


class SecurityGroupItem(serializers.Serializer[Any]):
    """A security group of your organisation."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    people_total = serializers.IntegerField()
    version = serializers.IntegerField()


class SecurityGroupName(Body):
    """What it is called."""

    name = serializers.CharField(max_length=200)


class PersonItem(serializers.Serializer[Any]):
    """Somebody of your organisation."""

    id = serializers.IntegerField()
    upn = serializers.CharField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()


class PeopleInAndOut(Body):
    """UPNs of people who have an account, to put in and to take out."""

    add = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=MOST_MEMBERS)
    remove = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=MOST_MEMBERS)


class NamedRow(serializers.Serializer[Any]):
    """A role or an assignment by its name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class AccessPerson(serializers.Serializer[Any]):
    """A person."""

    id = serializers.IntegerField()
    upn = serializers.CharField()
    name = serializers.CharField()


class ReasonItem(serializers.Serializer[Any]):
    """One assignment through which something is held, and how: membership and scope."""

    permissions = serializers.ListField(child=serializers.ChoiceField(choices=Permission.values))
    role = NamedRow()
    assignment = NamedRow()
    is_direct = serializers.BooleanField(help_text="A member directly.")
    groups = serializers.ListField(child=serializers.CharField(), help_text="A member by these security groups.")
    all_rooms = serializers.BooleanField(help_text="For a partner: all that are delegated.")
    is_single = serializers.BooleanField(help_text="The scope names the room itself (of a person: single rooms).")
    room_groups = serializers.ListField(child=serializers.CharField(), help_text="The scope names these room groups.")
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)


class AccessItem(serializers.Serializer[Any]):
    """What somebody may do, and why."""

    person = AccessPerson()
    reasons = ReasonItem(many=True)


class SecurityGroups(CustomerView):
    versioned = SecurityGroup
    makes = "api-security-group"
    gate = (Permission.ROLES_VIEW,)
    is_whole = True
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (SecurityGroupNameTaken,)}

    @extend_schema(
        operation_id="security_groups",
        tags=[GROUPS],
        summary="The security groups of your organisation",
        description="Needs `roles.view` for all rooms of your own organisation.",
        parameters=PAGING,
        responses=page_schema(SecurityGroupItem),
        examples=[examples.GROUPS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        found = page_of(request, _groups(request).values("id", "name", "people_total", "version"), ("name", "id"))
        return answer_page(request, found, found.items)

    @extend_schema(
        operation_id="security_group_create",
        tags=[GROUPS],
        summary="Make a security group",
        description="Needs `roles.modify` for all rooms.",
        request=SecurityGroupName,
        responses={201: SecurityGroupItem},
        examples=[examples.GROUP_NAME, examples.GROUP],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        made = security_groups.create(request.customer, self.read(SecurityGroupName)["name"], by=request.person)
        return self.answer(made, _shown(_find(request, made.pk)), status=201)


class OneSecurityGroup(CustomerView):
    versioned = SecurityGroup
    gate = (Permission.ROLES_VIEW,)
    is_whole = True
    problems = {"patch": (SecurityGroupNameTaken,), "delete": (SecurityGroupInUse,)}

    @extend_schema(
        operation_id="security_group",
        tags=[GROUPS],
        summary="One security group",
        description="Needs `roles.view` for all rooms.",
        responses=SecurityGroupItem,
        examples=[examples.GROUP],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, security_group_id: int) -> Response:
        found = _find(request, security_group_id)
        return self.answer(found, _shown(found))

    @extend_schema(
        operation_id="security_group_rename",
        tags=[GROUPS],
        summary="Rename a security group",
        description="Needs `roles.modify` for all rooms.",
        request=SecurityGroupName,
        responses=SecurityGroupItem,
        examples=[examples.GROUP_NAME, examples.GROUP],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, security_group_id: int) -> Response:
        found = _find(request, security_group_id)
        security_groups.rename(found, self.read(SecurityGroupName)["name"], by=request.person)
        found = _find(request, security_group_id)
        return self.answer(found, _shown(found))

    @extend_schema(
        operation_id="security_group_delete",
        tags=[GROUPS],
        summary="Delete a security group",
        description="Needs `roles.modify` for all rooms; refused while an assignment names it.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, security_group_id: int) -> Response:
        security_groups.delete(_find(request, security_group_id), by=request.person)
        return Response(status=204)


class SecurityGroupPeople(CustomerView):
    versioned = SecurityGroup
    gate = (Permission.ROLES_VIEW,)
    is_whole = True
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (NotOfThisTenant, LastPrimaryAdmin, LastMmrAdmin)}

    @extend_schema(
        operation_id="security_group_people",
        tags=[GROUPS],
        summary="The people of a security group",
        description="Needs `roles.view` for all rooms.",
        parameters=PAGING,
        responses=page_schema(PersonItem),
        examples=[examples.PEOPLE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, security_group_id: int) -> Response:
        group = _find(request, security_group_id)
        found = page_of(request, group.people.all(), ("upn", "id"))
        listed = answer_page(request, found, [_person(one) | {"is_active": one.is_active} for one in found.items])
        return self.answer(group, listed.data)

    @extend_schema(
        operation_id="security_group_people_modify",
        tags=[GROUPS],
        summary="Put people in, take people out",
        description="Needs `roles.modify` for all rooms; to add, hold what every assignment of the group gives.",
        request=PeopleInAndOut,
        responses=SecurityGroupItem,
        examples=[examples.PEOPLE_IN_AND_OUT, examples.GROUP],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, security_group_id: int) -> Response:
        found, wanted = _find(request, security_group_id), self.read(PeopleInAndOut)
        coming, going = (_people(request, wanted.get(name, ())) for name in ("add", "remove"))
        security_groups.change_people(found, by=request.person, add=coming, remove=going)
        found = _find(request, security_group_id)
        return self.answer(found, _shown(found))


class RoomAccess(CustomerView):
    gate = (Permission.ROLES_VIEW,)
    parameters = frozenset({"cursor", "page_size"})

    @extend_schema(
        operation_id="room_access",
        tags=[ACCESS],
        summary="Who can do what in a room, and why",
        description=(
            "Needs `roles.view`, and `rooms.view` on the room. A partner reads of its own people; the customer reads of a "
            "partner’s people those who are named, not who is in the partner’s groups."
        ),
        parameters=PAGING,
        responses=page_schema(AccessItem),
        examples=[examples.ROOM_ACCESS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        own = Room.objects.filter(tenant=request.customer)
        room = find(request, Permission.ROOMS_VIEW, own, pk=room_id)
        found = page_of(request, explanations.people_of(room, request.person, request.held), ("upn", "id"))
        reasons = explanations.explain_all(found.items, room)
        return answer_page(request, found, [_access(request, one, reasons[one.pk]) for one in found.items])


class PersonAccess(CustomerView):
    gate = (Permission.ROLES_VIEW,)

    @extend_schema(
        operation_id="person_access",
        tags=[ACCESS],
        summary="What a person can do, and why",
        description="Needs `roles.view`; of whom you see in an assignment, and of your own organisation.",
        responses=AccessItem,
        examples=[examples.PERSON_ACCESS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, user_id: int) -> Response:
        person = explanations.person_seen(request.customer, user_id, request.person, request.held)
        return Response(_access(request, person, explanations.explain_person(person, request.customer)))


def _access(request: TenantRequest, person: User, reasons: Iterable[Reason]) -> dict[str, Any]:
    seen = explanations.seen_ids(request.customer.pk, request.person, request.held)
    told = explanations.told_to(reasons, person, request.person, seen)
    return {"person": _person(person), "reasons": [_reason(one) for one in told]}


def _reason(one: Reason) -> dict[str, Any]:
    return {
        "permissions": [code.value for code in one.permissions],
        "role": {"id": one.role.pk, "name": one.role.label},
        "assignment": {"id": one.assignment.pk, "name": one.assignment.label},
        "is_direct": one.is_direct,
        "groups": list(one.groups),
        "all_rooms": one.all_rooms,
        "is_single": one.is_single,
        "room_groups": list(one.room_groups),
        "valid_from": one.valid_from,
        "valid_until": one.valid_until,
    }


def _person(person: User) -> dict[str, Any]:
    return {"id": person.pk, "upn": person.upn, "name": person.get_full_name()}


def _groups(request: TenantRequest) -> QuerySet[SecurityGroup]:
    own = security_groups.visible_to(request.person, request.customer)
    return own.annotate(people_total=Count("memberships"))


def _find(request: TenantRequest, security_group_id: int) -> SecurityGroup:
    found = _groups(request).filter(pk=security_group_id).first()
    if found is None:
        raise Http404
    return found


def _shown(found: SecurityGroup) -> dict[str, Any]:
    total: int = found.people_total  # type: ignore[attr-defined]  # annotated
    return {"id": found.pk, "name": found.name, "people_total": total, "version": found.version}


def _people(request: TenantRequest, upns: Iterable[str]) -> list[User]:
    """People of the organisation. Raises NotOfThisTenant for a UPN nobody there has."""
    names = {upn.normalise(one) for one in upns}
    found = list(User.objects.filter(tenant=request.customer, upn__in=names).order_by("upn"))
    if len(found) != len(names):
        raise NotOfThisTenant
    return found
