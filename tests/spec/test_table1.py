"""The published table, cell by cell, against what the portal is built from."""

import csv
from pathlib import Path

import pytest

from rbac import catalogue
from rbac.catalogue import CEILING, CONTROLLED_EVENTS, TABLE, BuiltIn, Permission, permissions_of

FILE = Path(__file__).parent / "table1.csv"


def published() -> list[dict[str, str]]:
    with FILE.open(newline="") as file:
        return list(csv.DictReader(file))


def test_table_says_what_the_published_one_says():
    ours = [
        {
            "code": str(code),
            "feature": str(row.feature),
            "permission": str(code.label),
            **{role.value: str(int(row.cell(role))) for role in BuiltIn},
            "scope": row.scope.value,
            "site_lead_rbac_profile": str(int(row.site_lead_rbac_profile)),
        }
        for code, row in TABLE.items()
    ]
    assert ours == published()


def test_there_are_19_permissions_and_76_cells():
    assert len(Permission) == len(published()) == 19
    assert sum(len(BuiltIn) for _ in published()) == 76


@pytest.mark.parametrize("role", BuiltIn)
def test_built_in_role_holds_its_column(role):
    assert permissions_of(role) == {row["code"] for row in published() if row[role.value] == "1"}


def test_site_lead_can_be_founded_by_the_other_profile(settings):
    settings.SITE_LEAD_PROFILE = "rbac"
    assert permissions_of(BuiltIn.SITE_LEAD) == {
        row["code"] for row in published() if row["site_lead_rbac_profile"] == "1"
    }
    assert permissions_of(BuiltIn.MMR_ADMIN) == frozenset(Permission)


def test_profiles_differ_in_five_cells():
    assert [row["code"] for row in published() if row["site_lead"] != row["site_lead_rbac_profile"]] == [
        "groups.create",
        "groups.modify",
        "rings.create",
        "rings.view",
        "rings.modify",
    ]


def test_ceiling_is_the_primary_admins_column():
    assert {row["code"] for row in published() if row["partner_admin"] == "1"} == CEILING


def test_controlled_events_are_what_a_partner_can_change():
    assert CONTROLLED_EVENTS == (
        Permission.ROOMS_MODIFY,
        Permission.RINGS_MODIFY,
        Permission.TICKETS_CREATE_INCIDENT,
        Permission.TICKETS_UPDATE,
        Permission.ROLES_MODIFY,
    )
    assert set(CONTROLLED_EVENTS) <= CEILING


def test_only_the_key_download_is_a_tenant_permission_for_any_scope():
    assert {Permission.ROOMS_DOWNLOAD_KEY} == catalogue.ANY_SCOPE


def test_changing_implies_viewing_the_same_and_nothing_else():
    assert {
        Permission.ROOMS_MODIFY: {Permission.ROOMS_VIEW},
        Permission.ROOMS_UNENROLL: {Permission.ROOMS_VIEW},
        Permission.GROUPS_MODIFY: {Permission.GROUPS_VIEW},
        Permission.RINGS_MODIFY: {Permission.RINGS_VIEW},
        Permission.TICKETS_CREATE_INCIDENT: {Permission.ROOMS_VIEW},
        Permission.TICKETS_UPDATE: {Permission.TICKETS_VIEW},
        Permission.SETTINGS_MODIFY: {Permission.SETTINGS_VIEW},
        Permission.ROLES_MODIFY: {Permission.ROLES_VIEW},
    } == catalogue.IMPLIES
