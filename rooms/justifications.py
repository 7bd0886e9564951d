"""Why a change is wanted: said with the change, read by whoever approves it first."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Why the person of this request wants the change; set by the middleware, as every door hands it in the same way.
justification: ContextVar[str] = ContextVar("justification", default="")


@contextmanager
def because(text: str) -> Iterator[None]:
    """What is submitted inside is wanted because of `text`."""
    token = justification.set(text)
    try:
        yield
    finally:
        justification.reset(token)
