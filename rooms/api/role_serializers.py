"""How roles and assignments look in requests and answers."""

from typing import Any

from rest_framework import serializers

from rbac.api.base import Body
from rbac.catalogue import Permission

MOST_ROOMS, MOST_MEMBERS = 10_000, 200
_ID = {"min_value": 1, "max_value": 2**63 - 1}


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
