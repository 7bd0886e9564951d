"""A partner's tool and the portal it asks, both real."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from partners.models import PartnerRelationship
from rbac.catalogue import CEILING
from rbac.models import User
from rooms_portal import Portal as Tool
from tests.factories.callers import token
from tests.factories.world import World, join, make
from tests.foundation.portal import Portal, PortalProcess


@dataclass
class Site:
    """The running portal; Ann of Fabrikam works for Contoso, in its three rooms, and has a token for everything."""

    world: World
    relationship: PartnerRelationship
    ann: User
    secret: str
    web: PortalProcess

    @property
    def customer(self) -> str:
        return str(self.world.contoso.tenant.pk)

    def tool(self, secret: str = "", **options: object) -> Tool:
        """A client with Ann's token, or with another one."""
        return Tool(self.web.url, secret or self.secret, **options)  # type: ignore[arg-type]


@pytest.fixture
def site(portal: Portal) -> Site:
    world = make()
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    return Site(world, relationship, ann, token(relationship, ann, *sorted(CEILING)), portal.web(workers=1))
