"""A webhook ends while something happens that it would hear of: neither change fails, and nothing leaves afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from audit.events import EventType
from partners.models import PartnerRelationship
from partners.services import invitations, relationships, webhooks
from partners.services.webhooks import Owner
from partners.webhooks import Webhook, WebhookDelivery
from rbac.models import User
from rooms.models import Ticket
from rooms.services import tickets
from tests.factories.rows import TenantFactory, UserFactory
from tests.factories.tickets import reported
from tests.factories.world import World, invite
from tests.races.harness import Race


@dataclass
class Case:
    """A partner of its own for each round, with a webhook, and a ticket that it hears of."""

    relationship: PartnerRelationship
    admin: User
    ticket: Ticket
    webhook: Webhook


def case_of(world: World) -> Case:
    partner = TenantFactory()
    ann = UserFactory(tenant=partner, upn=f"ann@p{partner.pk.hex[:8]}.example")
    relationship, (to_ann,) = invite(world.contoso, ann.upn)
    invitations.accept(to_ann, by=ann)
    owner = Owner(world.contoso.tenant, relationship.delegation_id)
    webhook, _ = webhooks.create(owner, "https://hooks.example.com/", by=ann, events=list(EventType))
    return Case(relationship, world.contoso.admin, reported(world), webhook)


def write(case: Case) -> None:
    tickets.write(case.ticket, by=case.admin, text="Any news?")


def remove(case: Case) -> None:
    relationships.remove(case.relationship, by=case.admin)


def both_are_done_and_nothing_leaves(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert not Webhook.objects.open().filter(pk=case.webhook.pk).exists()
    assert not WebhookDelivery.objects.due().filter(webhook__in=Webhook.objects.open()).exists()


def write_or_remove(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [write, remove], both_are_done_and_nothing_leaves)


def test_a_removal_and_an_event(world):
    write_or_remove(world).must_win()


@contextmanager
def rows_deleted_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if a webhook that ends were deleted by the change that ends it."""

    def end(keys: Any) -> int:
        WebhookDelivery.objects.filter(webhook__in=keys).delete()
        Webhook.objects.filter(pk__in=keys).delete()
        return 0

    with monkeypatch.context() as patched:
        patched.setattr(webhooks, "_end", end)
        yield


def test_control_a_removal_and_an_event(world, monkeypatch):
    with rows_deleted_at_once(monkeypatch):
        write_or_remove(world).must_lose()
