"""A partner's day: Fabrikam's Ann works for Contoso (its German rooms) and Wingtip (all rooms), not for Tailwind."""

from typing import Any

from rbac.catalogue import Permission
from rooms.models import Room
from rooms.scopes import Scope
from tests.factories.world import Customer, assign, custom_role, found_customer, join, make, over, ticket


class Day:
    def __init__(self) -> None:
        self.world = make()
        self.contoso, self.tailwind = self.world.contoso, self.world.tailwind
        self.wingtip = found_customer("Wingtip")
        self.ours, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        self.second, _ = join(self.wingtip, self.world.fabrikam, "ann", scope=Scope(all_rooms=True))
        join(self.tailwind, self.world.northwind, "eve")
        # Ben only looks at Contoso's first room; Cora holds something at Contoso that is none of these views.
        self.ben, self.cora = self.world.fabrikam.person("ben"), self.world.fabrikam.person("cora")
        self.role(self.ben, Permission.ROOMS_VIEW)
        self.role(self.cora, Permission.REPORTS_VIEW)

    def role(self, person: Any, *permissions: Permission, room: Room | None = None) -> Any:
        """`person` of the partner holds `permissions` on one room of Contoso; the assignment."""
        made = custom_role(self.contoso.tenant, *permissions, delegation=self.ours.delegation)
        return assign(made, person, over(room or self.contoso.rooms[0]))

    @property
    def visible(self) -> list[Room]:
        """The rooms that Ann sees, by name."""
        return [*self.contoso.german, *self.wingtip.rooms]

    def tickets(self) -> dict[str, int]:
        """A ticket about each of the customers' first and last rooms; ids by the room's name."""
        found = {}
        for customer in (self.contoso, self.tailwind, self.wingtip):
            for room in (customer.rooms[0], customer.rooms[2]):
                found[room.display_name] = ticket(room).pk
        return found

    def another(self, name: str) -> Customer:
        """One more customer that Ann works for."""
        customer = found_customer(name)
        join(customer, self.world.fabrikam, "ann", scope=Scope(all_rooms=True))
        return customer
