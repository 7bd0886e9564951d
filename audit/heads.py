"""The heads of the audit chains: how long each is, and the digest it ends in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

# From one tenant to the next along the index, then to its last link: the cost grows with the tenants, not the links.
_HEADS = """
WITH RECURSIVE chain AS (
    (SELECT tenant_id FROM audit_chainlink ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT l.tenant_id FROM audit_chainlink l WHERE l.tenant_id > chain.tenant_id ORDER BY l.tenant_id LIMIT 1)
    FROM chain WHERE chain.tenant_id IS NOT NULL
)
SELECT chain.tenant_id, head.seq, head.digest, head.at
FROM chain CROSS JOIN LATERAL (
    SELECT l.seq, l.digest, l.at FROM audit_chainlink l WHERE l.tenant_id = chain.tenant_id ORDER BY l.seq DESC LIMIT 1
) head
ORDER BY chain.tenant_id
"""


@dataclass(frozen=True)
class Head:
    """The last link of one tenant's chain."""

    tenant_id: UUID
    seq: int
    digest: bytes
    at: datetime


def heads() -> Iterator[Head]:
    """The head of every chain, in the order of the tenants' ids."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS)
        for tenant_id, seq, digest, at in cursor.fetchall():
            yield Head(tenant_id, seq, bytes(digest), at)
