"""Made-up data in the portal's own tables: many tenants, skewed sizes, and seven kinds of people who look at rooms."""

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import connection, connections, transaction

from rbac import grants
from rbac.catalogue import BuiltIn, permissions_of
from rbac.models import Assignment, AssignmentKey, AssignmentMember, Delegation, DelegationState, Role, Tenant, User
from rooms import scopes
from rooms.models import Room, UpdateRing
from rooms.services import founding

TENANTS = 200


@dataclass(frozen=True)
class Kind:
    """A person to measure with, and the customer whose list he looks at."""

    name: str
    user: User
    tenant: Tenant


def make(rooms: int) -> list[Kind]:
    """`rooms` rooms in 200 tenants (the first has a fifth), a partner for each tenant, and the people to measure with."""
    _forget()
    with transaction.atomic():
        tenants = [Tenant(name=f"Tenant {number:03}", entra_tid=uuid.uuid4()) for number in range(TENANTS)]
        Tenant.objects.bulk_create(tenants)
        _rooms(tenants, rooms)
        partner = Tenant.objects.create(name="Partner", entra_tid=uuid.uuid4())
        for tenant in tenants[1:]:
            _partner(tenant, partner, [], share=1.0)
        kinds = _people(tenants, partner)
    with connections["owner"].cursor() as cursor:  # only the owner may; without statistics every plan is a guess
        cursor.execute("VACUUM (ANALYZE)")
    return kinds


def _forget() -> None:
    """Nothing is left of an earlier size."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE rbac_tenant, rbac_user, auth_group, audit_auditevent, audit_chainlink CASCADE")


def _rooms(tenants: list[Tenant], count: int) -> None:
    sizes = [count // 5] + [count * 4 // 5 // (len(tenants) - 1)] * (len(tenants) - 1)
    with connection.cursor() as cursor:
        for tenant, size in zip(tenants, sizes, strict=True):
            cursor.execute(
                """
                INSERT INTO rooms_room (tenant_id, resource_account, display_name, state, health, country, region, city,
                    street, postal_code, campus, building, floor, floor_label, label, capacity, time_zone, phone,
                    is_wheelchair_accessible, tags, audio_device, video_device, display_device, host_name,
                    serial_number, app_version, os_version, version, ring_id, created_at, changed_at)
                SELECT %s, 'room' || n || '@t.example', 'Room ' || md5(n::text || %s), 'enrolled', 'healthy', 'DE', '',
                    'City ' || n %% 50, '', '', '', 'Building ' || n %% 9, 1, '', '', 8, '', '', false, '{}',
                    '', '', '', '', '', '', '', 1, %s, now(), now()
                FROM generate_series(1, %s) n
                """,
                [tenant.pk, tenant.name, _ring_of(tenant).pk, size],
            )
            Tenant.objects.filter(pk=tenant.pk).update(room_count=size)


def _ring_of(tenant: Tenant) -> UpdateRing:
    founding.set_up(tenant)
    return UpdateRing.objects.get(tenant=tenant, is_default=True)


def _person(tenant: Tenant, name: str) -> User:
    return User.objects.create(
        tenant=tenant, username=name, upn=f"{name}@t.example", entra_tid=tenant.entra_tid, entra_oid=uuid.uuid4()
    )


def _assignment(role: Role, people: list[User], wanted: int | None, *, key: str = "") -> Assignment:
    """`people` hold `role` over `wanted` rooms spread over the tenant (None: all rooms, without rows)."""
    assignment = Assignment.objects.create(
        tenant=role.tenant,
        role=role,
        key=key,
        name="measured",
        all_rooms=wanted is None,
        group=Group.objects.create(name=str(uuid.uuid4())),
    )
    AssignmentMember.objects.bulk_create([AssignmentMember(assignment=assignment, user=user) for user in people])
    if wanted is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO rooms_assignmentroom (tenant_id, assignment_id, room_id)"
                " SELECT tenant_id, %s, id FROM rooms_room WHERE tenant_id = %s ORDER BY md5(id::text || %s) LIMIT %s",
                [assignment.pk, role.tenant_id, str(assignment.pk), wanted],
            )
    scopes.apply(assignment)
    grants.project_members(assignment)
    return assignment


def _role(tenant: Tenant, key: BuiltIn, delegation: Delegation | None = None) -> Role:
    return Role.objects.get_or_create(
        tenant=tenant,
        key=key,
        delegation=delegation,
        defaults={"name": key.value, "permissions": sorted(permissions_of(key))},
    )[0]


def _partner(tenant: Tenant, partner: Tenant, people: list[User], *, share: float) -> Assignment:
    delegation = Delegation.objects.create(
        tenant=tenant, held_by=partner, state=DelegationState.ACTIVE, linked_at="2026-01-01T00:00Z"
    )
    wanted = max(1, int(Room.objects.filter(tenant=tenant).count() * share))
    return _assignment(
        _role(tenant, BuiltIn.PARTNER_ADMIN, delegation), people, wanted, key=AssignmentKey.INVITED_ADMINS
    )


def _people(tenants: list[Tenant], partner: Tenant) -> list[Kind]:
    big = tenants[0]
    size = Room.objects.filter(tenant=big).count()
    tech, lead, admin = (_person(big, name) for name in ("tech", "lead", "admin"))
    _assignment(_role(big, BuiltIn.SITE_TECH), [tech], 10)
    _assignment(_role(big, BuiltIn.SITE_LEAD), [lead], size // 10)
    _assignment(_role(big, BuiltIn.MMR_ADMIN), [admin], None)
    small = _person(Tenant.objects.create(name="Small partner", entra_tid=uuid.uuid4()), "small")
    _partner(big, small.tenant, [small], share=10 / size)
    large = _person(Tenant.objects.create(name="Large partner", entra_tid=uuid.uuid4()), "large")
    _partner(big, large.tenant, [large], share=0.5)
    ten, hundred = _person(big, "ten"), _person(big, "hundred")
    for _ in range(10):
        _assignment(_role(big, BuiltIn.SITE_TECH), [ten], size // 100)
    for _ in range(100):
        _assignment(_role(big, BuiltIn.SITE_TECH), [hundred], 10)
    for tenant in tenants[1:101]:
        _partner(tenant, large.tenant, [large], share=0.15)
    return [
        Kind("site tech, 10 rooms", tech, big),
        Kind("site lead, a tenth", lead, big),
        Kind("MMR admin, all rooms", admin, big),
        Kind("partner admin, 10 rooms", small, big),
        Kind("partner admin, half, 101 customers", large, big),
        Kind("10 assignments", ten, big),
        Kind("100 assignments of 10 rooms", hundred, big),
    ]
