"""What must hold after every race, fault and history; told from the rows alone, not from the portal's own checks.

invariants.check()      # raises AssertionError naming everything that does not hold
"""

import hashlib
from collections.abc import Collection, Iterator

from django.db import connection

from tests.rbac import oracle

# Each statement finds what must not be; its columns name it.
NEVER: dict[str, str] = {
    "a role under an ended relationship": """
        SELECT r.id FROM rbac_role r JOIN rbac_delegation d ON d.id = r.delegation_id WHERE d.state = 'ended'""",
    "an assignment under an ended relationship": """
        SELECT a.id FROM rbac_assignment a JOIN rbac_role r ON r.id = a.role_id
        JOIN rbac_delegation d ON d.id = r.delegation_id WHERE d.state = 'ended'""",
    "a token under an ended relationship": """
        SELECT t.digest FROM partners_apitoken t JOIN rbac_delegation d ON d.id = t.delegation_id
        WHERE d.state = 'ended'""",
    "an open invitation under an ended relationship": """
        SELECT i.upn FROM partners_invitation i JOIN partners_partnerrelationship r ON r.id = i.relationship_id
        JOIN rbac_delegation d ON d.id = r.delegation_id WHERE d.state = 'ended' AND i.state = 'pending'""",
    "a guardian row whose group indexes no assignment": """
        SELECT g.id FROM rooms_roomgrantrow g LEFT JOIN rbac_assignment a ON a.group_id = g.group_id
        WHERE a.id IS NULL""",
    "a group that indexes no assignment": """
        SELECT g.id FROM auth_group g LEFT JOIN rbac_assignment a ON a.group_id = g.id WHERE a.id IS NULL""",
    "a linked relationship without a primary admin": """
        SELECT d.id FROM rbac_delegation d
        WHERE d.state IN ('active', 'suspended') AND NOT d.needs_primary_admin AND NOT EXISTS (
            SELECT FROM rbac_role r JOIN rbac_assignment a ON a.role_id = r.id
            JOIN rbac_user u ON u.tenant_id = d.held_by_id AND u.is_active AND u.is_home_member
            WHERE r.delegation_id = d.id AND r.key = 'partner_admin' AND (
                EXISTS (SELECT FROM rbac_assignmentmember m WHERE m.assignment_id = a.id AND m.user_id = u.id)
                OR EXISTS (SELECT FROM rbac_assignmentgroup ag JOIN rbac_securitygroupmember s ON s.group_id = ag.group_id
                    WHERE ag.assignment_id = a.id AND s.user_id = u.id)))""",
    "a customer without an MMR Admin": """
        SELECT t.name FROM rbac_tenant t JOIN rbac_role r ON r.tenant_id = t.id AND r.key = 'mmr_admin'
        WHERE NOT EXISTS (SELECT FROM rbac_pendingclaim c WHERE c.tenant_id = t.id) AND NOT EXISTS (
            SELECT FROM rbac_assignment a
            JOIN rbac_user u ON u.tenant_id = t.id AND u.is_active AND u.is_home_member
            WHERE a.role_id = r.id AND (
                EXISTS (SELECT FROM rbac_assignmentmember m WHERE m.assignment_id = a.id AND m.user_id = u.id)
                OR EXISTS (SELECT FROM rbac_assignmentgroup ag JOIN rbac_securitygroupmember s ON s.group_id = ag.group_id
                    WHERE ag.assignment_id = a.id AND s.user_id = u.id)))""",
    "a pair of tenants linked twice": """
        SELECT tenant_id, held_by_id FROM rbac_delegation WHERE state IN ('active', 'suspended')
        GROUP BY 1, 2 HAVING count(*) > 1""",
    "an invited relationship that nobody can link any more": """
        SELECT d.id FROM rbac_delegation d WHERE d.state = 'invited' AND NOT EXISTS (
            SELECT FROM partners_invitation i JOIN partners_partnerrelationship r ON r.id = i.relationship_id
            WHERE r.delegation_id = d.id AND i.state = 'pending')""",
    "a lapsed relationship with an open invitation": """
        SELECT d.id FROM rbac_delegation d JOIN partners_partnerrelationship r ON r.delegation_id = d.id
        JOIN partners_invitation i ON i.relationship_id = r.id WHERE d.state = 'lapsed' AND i.state = 'pending'""",
    "an acceptance from another tenant than the linked one": """
        SELECT i.upn FROM partners_invitation i JOIN rbac_user u ON u.id = i.accepted_by_id
        JOIN partners_partnerrelationship r ON r.id = i.relationship_id
        JOIN rbac_delegation d ON d.id = r.delegation_id
        WHERE i.state = 'accepted' AND u.tenant_id IS DISTINCT FROM d.held_by_id""",
    "a member of a partner's role from the customer's own tenant": """
        SELECT u.upn FROM rbac_assignmentmember m JOIN rbac_user u ON u.id = m.user_id
        JOIN rbac_assignment a ON a.id = m.assignment_id JOIN rbac_role r ON r.id = a.role_id
        WHERE r.delegation_id IS NOT NULL AND u.tenant_id = a.tenant_id""",
    "a scope with another tenant's room": """
        SELECT s.id FROM rooms_assignmentroom s JOIN rooms_room o ON o.id = s.room_id
        JOIN rbac_assignment a ON a.id = s.assignment_id WHERE o.tenant_id <> a.tenant_id OR s.tenant_id <> a.tenant_id""",
    "an answered invitation with another number of lines than one": """
        SELECT r.delegation_id, i.upn, i.state, count(*), (
            SELECT count(*) FROM audit_auditevent e WHERE e.relationship_id = r.delegation_id AND e.object_name = i.upn
            AND e.category = 'PartnerInvitation' AND e.result = 'Successful' AND e.after->>'state' = i.state)
        FROM partners_invitation i JOIN partners_partnerrelationship r ON r.id = i.relationship_id
        WHERE i.state <> 'pending' GROUP BY 1, 2, 3 HAVING count(*) <> (
            SELECT count(*) FROM audit_auditevent e WHERE e.relationship_id = r.delegation_id AND e.object_name = i.upn
            AND e.category = 'PartnerInvitation' AND e.result = 'Successful' AND e.after->>'state' = i.state)""",
    "a mail that waits for an answered invitation": """
        SELECT i.upn FROM audit_outboxmessage o JOIN partners_invitation i ON i.id::text = o.subject_id
        WHERE o.kind = 'partners.invitation' AND o.state = 'waiting' AND i.state <> 'pending'""",
    "two mails that wait for one invitation": """
        SELECT subject_id FROM audit_outboxmessage WHERE kind = 'partners.invitation' AND state = 'waiting'
        GROUP BY 1 HAVING count(*) > 1""",
    "something open in a rollout that does not run": """
        SELECT u.id, u.state, r.state FROM rooms_roomupdate u JOIN rooms_rollout r ON r.id = u.rollout_id
        WHERE u.state IN ('waiting', 'offered', 'paused') AND r.state NOT IN ('in_progress', 'paused')
            OR u.state IN ('waiting', 'offered') AND r.state = 'paused'""",
    "rings that take more than 60 days": """
        SELECT tenant_id FROM rooms_updatering GROUP BY 1 HAVING sum(test_days + rollout_days) > 60""",
    "a line that belongs to no link": """
        SELECT e.id FROM audit_auditevent e LEFT JOIN audit_chainlink l USING (tenant_id, seq) WHERE l.id IS NULL""",
}


NO_PRIMARY_ADMIN = "a linked relationship without a primary admin"


def check(*, besides: Collection[str] = ()) -> None:
    """Raise AssertionError with everything that does not hold, `besides` aside; pass if all does."""
    broken = [*_never(besides), *_index(), *_chains()]
    assert not broken, "\n".join(broken)


def _never(besides: Collection[str]) -> Iterator[str]:
    with connection.cursor() as cursor:
        for name in NEVER.keys() - set(besides):
            cursor.execute(NEVER[name])
            yield from (f"{name}: {row}" for row in cursor.fetchall())


def _index() -> Iterator[str]:
    world = oracle.dump()
    for name, expected, actual in (
        ("guardian rows", oracle.expected_grants(world), oracle.actual_grants(world)),
        ("user.groups", oracle.expected_memberships(world), oracle.actual_memberships(world)),
    ):
        if expected != actual:
            yield f"{name}: too many {sorted(actual - expected)[:5]}, missing {sorted(expected - actual)[:5]}"
    counts = {row["id"]: row["room_count"] for row in world.rows["assignments"]}
    if counts != oracle.expected_counts(world):
        yield f"room counts {counts} instead of {oracle.expected_counts(world)}"


def _chains() -> Iterator[str]:
    """Each tenant's links follow each other without gap or fork, and hold as many lines as they say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, seq, digest FROM audit_auditevent ORDER BY tenant_id, seq, position")
        lines: dict[tuple[object, int], list[bytes]] = {}
        for tenant_id, seq, digest in cursor.fetchall():
            lines.setdefault((tenant_id, seq), []).append(bytes(digest))
        cursor.execute("SELECT tenant_id, seq, previous, digest, lines FROM audit_chainlink ORDER BY tenant_id, seq")
        heads: dict[object, tuple[int, bytes]] = {}
        for tenant_id, seq, previous, digest, number in cursor.fetchall():
            last_seq, last_digest = heads.get(tenant_id, (0, bytes(32)))
            own = lines.get((tenant_id, seq), [])
            expected = hashlib.sha256(last_digest + seq.to_bytes(8, "big") + b"".join(own)).digest()
            if (seq, bytes(previous), number, bytes(digest)) != (last_seq + 1, last_digest, len(own), expected):
                yield f"link {seq} of {tenant_id} does not follow link {last_seq}"
            heads[tenant_id] = (seq, bytes(digest))
