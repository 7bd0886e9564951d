"""Takes away what guards a rule, for the controls: row locks, comparing before setting, triggers, unique indexes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from django.db.models import QuerySet
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from audit.clock import Now
from partners.models import Invitation
from partners.services import invitations
from rbac import access
from rbac.models import Delegation
from rbac.partner_access import NOTHING
from rbac.services import delegations


@contextmanager
def no_row_locks() -> Iterator[None]:
    """No SELECT … FOR UPDATE or FOR SHARE anywhere."""
    with ExitStack() as stack:
        unlocked = lambda queryset, *args, **kwargs: queryset.all()  # noqa: E731 - takes the place of a method
        stack.enter_context(mock.patch.object(QuerySet, "select_for_update", unlocked))
        stack.enter_context(mock.patch.object(access, "_hold_delegation", return_value=NOTHING))
        yield


@contextmanager
def no_comparing() -> Iterator[None]:
    """States are set without asking what they were."""

    def decide(invitation: Invitation, state: str, by: Any, **fields: Any) -> None:
        decided_by = by.upn if by is not None else "system"
        Invitation.objects.filter(pk=invitation.pk).update(
            state=state, decided_at=Now(), decided_by=decided_by, **fields
        )

    def move(delegation: Delegation, state: str, **fields: Any) -> None:
        Delegation.objects.filter(pk=delegation.pk).update(state=state, **fields)
        delegation.refresh_from_db()

    with mock.patch.object(invitations, "decide", decide), mock.patch.object(delegations, "_move", move):
        yield


@contextmanager
def no_trigger(owner: Connection, *triggers: tuple[str, str]) -> Iterator[None]:
    """The (table, trigger)s are off."""
    with owner.cursor() as cursor:
        for table, trigger in triggers:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        try:
            yield
        finally:
            for table, trigger in triggers:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


@contextmanager
def rewritten(owner: Connection, function: str, old: str, new: str) -> Iterator[None]:
    """The SQL function says `new` where it says `old`."""
    with owner.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regprocedure)", [function])
        (definition,) = cursor.fetchone()
        assert old in definition
        cursor.execute(definition.replace(old, new))
        try:
            yield
        finally:
            cursor.execute(definition)


@contextmanager
def no_index(owner: Connection, index: str, table: str) -> Iterator[None]:
    """The unique index is gone; afterwards the table is emptied, so that it can be made again."""
    with owner.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef(%s::regclass)", [index])
        (definition,) = cursor.fetchone()
        cursor.execute(f"DROP INDEX {index}")
        try:
            yield
        finally:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(definition)


@contextmanager
def no_unique(owner: Connection, constraint: str, table: str) -> Iterator[None]:
    """The unique constraint is gone; afterwards the table is emptied, so that it can be made again."""
    with owner.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint])
        (definition,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        try:
            yield
        finally:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}")
