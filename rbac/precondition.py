"""`If-Match`: a change is made only if what it concerns is still as the caller has read it.

The header is read when a request comes in, and waits here until the service holds the row it is about to change; there
it is compared (`meet`), so nobody can come in between. A recorded change that would be committed without the comparison
is undone: an operation that promises to look, and does not, is a fault and shows as one.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from audit.context import before_commit
from rbac.errors import StaleVersion
from rbac.models import Tenant


@dataclass
class _Expected:
    """Things of `kind` are to have one of `tags`; the first that is held is the one the request is about."""

    kind: type
    tags: frozenset[str]
    is_met: bool = False

    def has_its_word(self) -> None:
        """Raises RuntimeError if nobody has compared."""
        if not self.is_met:
            raise RuntimeError(f"a change of {self.kind.__name__} did not look at If-Match")


_expected: ContextVar[_Expected | None] = ContextVar("precondition", default=None)


@singledispatch
def tag_of(thing: Any) -> str:
    """What stands for the state of `thing` in its `ETag`: its version, or a digest of what can be changed of it."""
    return str(thing.version)


@tag_of.register
def _of_tenant(tenant: Tenant) -> str:
    return digest(tenant.name, tenant.language, tenant.time_zone)


def digest(*values: Any) -> str:
    """A short text that differs wherever `values` (plain JSON) do."""
    told = json.dumps(values, cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:20]


@contextmanager
def expecting(kind: type, tags: frozenset[str]) -> Iterator[None]:
    """In the block a change of something of `kind` is made only if its tag is one of `tags`."""
    wanted = _Expected(kind, tags)
    tokens = _expected.set(wanted), before_commit.set((*before_commit.get(), wanted.has_its_word))
    try:
        yield
    finally:
        _expected.reset(tokens[0])
        before_commit.reset(tokens[1])


def meet(thing: Any) -> None:
    """Pass if `thing`, which is held, is as the request expects it, or the request expects nothing. Raises StaleVersion."""
    wanted = _expected.get()
    if wanted is None or wanted.is_met or not isinstance(thing, wanted.kind):
        return
    if tag_of(thing) not in wanted.tags:
        raise StaleVersion
    wanted.is_met = True
