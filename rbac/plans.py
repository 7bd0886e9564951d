"""How an index's rows are asked for: three plans for the same condition, and the choice between them.

- *gather*: collect the ids one may see, fetch these rows, sort; costs what one may see.
- *probe*: go down the list by name, look into the index for each row; costs what one skips, more with more groups.
- *hashed*: collect the ids into a hash, go down the list; costs a little of both.

Each is ruinous in the wrong place, and PostgreSQL alone picks wrongly for few rooms or many assignments (docs/adr/0003).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

from django.db.models import BooleanField, Expression, F

Plan = Literal["gather", "probe", "hashed"]

_PAGE = 50
# Beyond, PostgreSQL's guess of the number of ids may leave no memory for the hash: it would scan them for each row.
_HASHABLE = 10_000

_SHAPES: dict[Plan, str] = {
    # Written as IN, PostgreSQL would filter the whole table instead.
    "gather": "{pk} = ANY(ARRAY(SELECT content_object_id FROM {rows} WHERE group_id = ANY(%s) AND permission_id = %s))",
    # A scalar subquery: EXISTS would be flattened by the planner, and the bad plan would come back.
    "probe": "(SELECT true FROM {rows} found WHERE found.content_object_id = {pk}"
    " AND found.group_id = ANY(%s) AND found.permission_id = %s LIMIT 1)",
    # IS TRUE keeps it from becoming a join.
    "hashed": "({pk} IN (SELECT content_object_id FROM {rows} WHERE group_id = ANY(%s) AND permission_id = %s)) IS TRUE",
}


class HasRow(Expression):
    """Whether the object has a row of one of `groups` for the permission. Plain SQL: the ORM needs as long to write a
    subquery as PostgreSQL to answer it."""

    conditional = True

    def __init__(self, table: str, groups: list[int], permission_id: int, plan: Plan, room: str = "pk") -> None:
        super().__init__(output_field=BooleanField())
        self.table, self.groups, self.permission_id, self.plan = table, groups, permission_id, plan
        self.object: Any = F(room)

    def get_source_expressions(self) -> list[Any]:
        return [self.object]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.object,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        pk, parameters = compiler.compile(self.object)
        shape = _SHAPES[self.plan].format(pk=pk, rows=connection.ops.quote_name(self.table))
        return shape, (*parameters, self.groups, self.permission_id)


@dataclass(frozen=True)
class Sizes:
    """What a choice rests on: the rows of each group, and how long the list is that they are looked for in."""

    groups: Sequence[int]
    listed: int


def choose(sizes: Sizes) -> Plan:
    """The plan that is cheapest for a page of the list, by what each step was measured to cost (microseconds)."""
    total, largest = sum(sizes.groups), max(sizes.groups, default=0)
    if not largest:
        return "gather"
    # Groups may have the same rows or all different ones: take the middle for how many are really visible.
    seen = sqrt(largest * min(total, max(sizes.listed, largest)))
    passed = min(sizes.listed, _PAGE * sizes.listed / seen)
    costs: dict[Plan, float] = {"gather": total, "probe": passed * (0.4 + 0.85 * len(sizes.groups))}
    if total <= _HASHABLE:
        costs["hashed"] = 0.13 * total + 0.35 * passed
    return min(costs, key=lambda plan: costs[plan])
