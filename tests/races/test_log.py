"""Writers of the audit log: one chain, and two chains in opposite order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from unittest import mock
from uuid import UUID

from audit import chain
from audit.clock import now
from audit.log import recording
from audit.models import AuditEvent, ChainLink
from rbac.models import Tenant
from tests.factories.rows import TenantFactory
from tests.races.harness import Race


@dataclass
class Chains:
    first: Tenant
    second: Tenant


def two_tenants(number: int) -> Chains:
    return Chains(TenantFactory(), TenantFactory())


def write(*names: str) -> Callable[[Chains], None]:
    """One transaction with a line for each of the tenants, in this order."""

    def contender(case: Chains) -> None:
        with recording("Room", "Update", "outer", tenant=getattr(case, names[0]), by=None):
            for name in names[1:]:
                with recording("Room", "Update", "inner", tenant=getattr(case, name), by=None):
                    pass

    return contender


def chains_are_whole(case: Chains, names: list[str]) -> None:
    assert set(names) == {"ok"}
    for tenant in (case.first, case.second):
        links = ChainLink.objects.filter(tenant_id=tenant.pk).order_by("seq")
        assert list(links.values_list("seq", flat=True)) == list(range(1, len(names) + 1))
        previous = chain.FIRST
        for link in links:
            digests = AuditEvent.objects.filter(tenant_id=tenant.pk, seq=link.seq).order_by("position")
            own = [bytes(digest) for digest in digests.values_list("digest", flat=True)]
            assert bytes(link.previous) == previous
            assert bytes(link.digest) == chain.link_digest(previous, link.seq, own)
            previous = bytes(link.digest)


def writers(number: int) -> Race[Chains]:
    orders = [("first", "second"), ("second", "first")] * (number // 2)
    return Race(two_tenants, [write(*order) for order in orders], chains_are_whole)


def test_writers_in_opposite_order_neither_deadlock_nor_fork(committed_db):
    writers(4).must_win()


def test_control_writers_without_the_lock(committed_db):
    """Unguarded, two writers take the same place in a chain; the unique index stops one of them."""

    def unlocked(tenant_id: UUID, after: str) -> tuple[int, bytes, datetime]:
        last = ChainLink.objects.filter(tenant_id=tenant_id).order_by("-seq").first()
        return (last.seq + 1, bytes(last.digest), now()) if last is not None else (1, chain.FIRST, now())

    with mock.patch.object(chain, "_lock_head", unlocked):
        writers(4).must_lose()


def test_control_writers_in_any_order(committed_db):
    """Without one order of the tenants, each of two writers waits for the other's chain."""
    with mock.patch.object(chain, "sorted", lambda lines, key: list(lines), create=True):
        writers(4).must_lose()
