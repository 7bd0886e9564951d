"""Table 1 for tools: the 19 permissions, what each built-in role holds and by which article, and what the caller holds."""

from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rbac import gates
from rbac.api.base import ApiView, Named, named, uuid_parameter
from rbac.api.effective import Reach, effective
from rbac.catalogue import IMPLIES, TABLE, BuiltIn, Permission, Row, Scope, permissions_of

# The two published articles: they differ in five cells of Site Lead, and an installation chooses which one holds.
SOURCES = ("table1", "rbac")


class CellSchema(serializers.Serializer[Any]):
    """One cell: whether the role holds the permission in this installation, and which article says so."""

    granted = serializers.BooleanField()
    source = serializers.ChoiceField(choices=SOURCES)


class CellsSchema(serializers.Serializer[Any]):
    """The four built-in roles."""

    mmr_admin = CellSchema()
    site_lead = CellSchema()
    site_tech = CellSchema()
    partner_admin = CellSchema()


class ProfilesSchema(serializers.Serializer[Any]):
    """What either article says of Site Lead."""

    table1 = serializers.BooleanField()
    rbac = serializers.BooleanField()


class RowSchema(serializers.Serializer[Any]):
    """One permission."""

    code = serializers.ChoiceField(choices=Permission.values)
    feature = serializers.CharField(help_text="In the language of the request.")
    permission = serializers.CharField(help_text="In the language of the request.")
    scope = serializers.ChoiceField(choices=[one.value for one in Scope], help_text="What it is asked about.")
    implies = serializers.ListField(child=serializers.ChoiceField(choices=Permission.values))
    cells = CellsSchema()
    site_lead_profiles = ProfilesSchema()


class RoleSchema(serializers.Serializer[Any]):
    """A built-in role."""

    key = serializers.ChoiceField(choices=BuiltIn.values)
    label = serializers.CharField(help_text="In the language of the request.")


class EffectiveSchema(serializers.Serializer[Any]):
    """What the caller effectively holds in one customer, by the code of the permission."""

    customer = Named()
    permissions = serializers.DictField(child=serializers.ChoiceField(choices=Reach.values))


class PermissionTableSchema(serializers.Serializer[Any]):
    """Table 1 and the caller's own answers."""

    site_lead_profile = serializers.ChoiceField(
        choices=SOURCES, help_text="The one this installation founds tenants by."
    )
    roles = RoleSchema(many=True)
    rows = RowSchema(many=True)
    effective = EffectiveSchema(many=True)


_EXAMPLE = OpenApiExample(
    "A primary admin of one customer (one of the 19 rows shown)",
    value={
        "site_lead_profile": "table1",
        "roles": [{"key": "mmr_admin", "label": "MMR Admin"}],
        "rows": [
            {
                "code": "groups.create",
                "feature": "Group management",
                "permission": "Create",
                "scope": "tenant",
                "implies": [],
                "cells": {
                    "mmr_admin": {"granted": True, "source": "table1"},
                    "site_lead": {"granted": True, "source": "table1"},
                    "site_tech": {"granted": False, "source": "table1"},
                    "partner_admin": {"granted": False, "source": "table1"},
                },
                "site_lead_profiles": {"table1": True, "rbac": False},
            }
        ],
        "effective": [
            {
                "customer": {"id": "3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11", "name": "Contoso"},
                "permissions": {"rooms.view": "in_scope", "rooms.reset_key": "nowhere"},
            }
        ],
    },
    response_only=True,
)


class PermissionTable(ApiView):
    parameters = frozenset({"customer"})

    @extend_schema(
        operation_id="permission_table",
        tags=["Permissions"],
        summary="The permission table, and what you hold",
        description=(
            "The 19 permissions of Table 1: for each built-in role whether it holds them, by which of the two published "
            "articles, and in `effective` how far you hold them in each customer you can work in: `everywhere`, "
            "`in_scope` (your rooms; for a partner’s `roles.*` the partner’s own roles) or `nowhere`. A token narrows it."
        ),
        parameters=[OpenApiParameter("customer", {"type": "string", "format": "uuid"}, description="Only this one.")],
        responses=PermissionTableSchema,
        examples=[_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        wanted = uuid_parameter(request, "customer")
        here = gates.standing(request)  # type: ignore[arg-type]
        tenants = [one for one in here.tenants if wanted in (None, one.pk)]
        if wanted is not None and not tenants:
            raise Http404
        return Response(
            {
                "site_lead_profile": profile(),
                "roles": [{"key": role.value, "label": role.label} for role in BuiltIn],
                "rows": [_row(code, row) for code, row in TABLE.items()],
                "effective": [{"customer": named(one), "permissions": effective(here.held, one.pk)} for one in tenants],
            }
        )


def profile() -> str:
    """Which article this installation's Site Lead follows."""
    return "rbac" if settings.SITE_LEAD_PROFILE == "rbac" else "table1"


def _row(code: Permission, row: Row) -> dict[str, Any]:
    return {
        "code": code.value,
        "feature": row.feature,
        "permission": code.label,
        "scope": row.scope.value,
        "implies": sorted(one.value for one in IMPLIES.get(code, ())),
        "cells": {role.value: _cell(role, code) for role in BuiltIn},
        "site_lead_profiles": {"table1": row.site_lead, "rbac": row.site_lead_rbac_profile},
    }


def _cell(role: BuiltIn, code: Permission) -> dict[str, Any]:
    source = profile() if role is BuiltIn.SITE_LEAD else "table1"
    return {"granted": code in permissions_of(role), "source": source}
