"""What every operation of the API shares: closed lists of parameters and fields, the customer's gate, pages of a list.

The order in which a request is judged: who asks (401), is the customer one he can work in (404), does he hold what the
operation shows (403), is what he sent well formed (400), is the object one he may see (404). What he may change is
asked by the service, which keeps a refusal on record (403).
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rbac import access, gates, precondition
from rbac.api import idempotency, version
from rbac.api.errors import InvalidHeader, InvalidParameters, LengthRequired, NotForTokens
from rbac.catalogue import Permission
from rbac.models import Tenant
from rbac.paging import MAX_SIZE, Page, page

DEFAULT_SIZE = 50
LEAST_NOTICE = timedelta(days=365)
NAME_SHOWN = 60  # characters of an unknown name that an answer repeats

PAGING = [
    OpenApiParameter("cursor", str, description="The place in the list; taken from `next` or `previous`."),
    OpenApiParameter(
        "page_size",
        {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
        description="How many items at most.",
    ),
]


@dataclass(frozen=True)
class Deprecated:
    """An operation that is to go: since when, from when on it may be gone, and what to use instead."""

    since: date
    until: date
    instead: str

    def __post_init__(self) -> None:
        """Raises ValueError for less notice than was promised (docs/api.md)."""
        if self.until - self.since < LEAST_NOTICE:
            raise ValueError("an operation lives for at least twelve months after it was deprecated")

    def headers(self) -> dict[str, str]:
        """As RFC 9745 and RFC 8594 write them."""
        since, until = (datetime.combine(day, time(), UTC) for day in (self.since, self.until))
        return {"Deprecation": f"@{int(since.timestamp())}", "Sunset": http_date(until.timestamp())}


class ApiView(APIView):
    """One address of the API."""

    http_method_names = ["get", "head", "post", "patch", "delete"]
    # Query parameters that GET takes; no other method takes any.
    parameters: ClassVar[frozenset[str]] = frozenset()
    for_tokens: ClassVar[bool] = True
    # Methods that no token may use, though it may use the others.
    for_people: ClassVar[frozenset[str]] = frozenset()
    # What its answers carry the version of, as `ETag`. Changes take `If-Match`, unless they make another one.
    versioned: ClassVar[type | None] = None
    # The name of the address of what POST makes; empty if it makes nothing that has one.
    makes: ClassVar[str] = ""
    # Methods that are to go, and when (docs/api.md).
    deprecated: ClassVar[Mapping[str, "Deprecated"]] = {}
    # The rules each method can break, for the document: {"post": (AlreadyInvited, …)}.
    problems: ClassVar[Mapping[str, Sequence[type[Exception]]]] = {}
    # Methods whose answer holds a secret that is shown once: nothing of it is kept for a repeated request.
    secret: ClassVar[frozenset[str]] = frozenset()

    repeatable: idempotency.Repeatable | None = None
    around: ExitStack  # what holds while the request is carried out

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """As DRF's; afterwards a request with an idempotency key has its answer kept, or its key is free again."""
        answer = None
        try:
            with ExitStack() as self.around:
                answer = super().dispatch(request, *args, **kwargs)
            if self.repeatable is not None and isinstance(answer, Response):
                answer.render()
        finally:
            if self.repeatable is not None:
                self.repeatable.settle(answer)
        return answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As DRF's (who asks, may he at all, not too often), then what no operation takes is refused."""
        super().initial(request, *args, **kwargs)
        if is_token(request) and (not self.for_tokens or str(request.method).lower() in self.for_people):
            raise NotForTokens
        self.enter(request, **kwargs)
        taken = self.parameters if request.method in ("GET", "HEAD") else frozenset()
        refuse_unknown_parameters(request, taken)
        tags = version.wanted(request)
        if tags is not None:
            if self.versioned is None or not self.takes_version(str(request.method)):
                raise InvalidHeader  # whoever sends it relies on it
            self.around.enter_context(precondition.expecting(self.versioned, tags))
        self.repeatable = idempotency.begin(request, is_secret=str(request.method).lower() in self.secret)
        if self.repeatable is not None:
            self.around.enter_context(self.repeatable.marking())

    @classmethod
    def takes_version(cls, method: str) -> bool:
        """Whether `method` changes something whose version the caller may name in `If-Match`."""
        return cls.versioned is not None and method not in ("GET", "HEAD") and not (method == "POST" and cls.makes)

    def handle_exception(self, exc: Exception) -> Any:
        """As DRF's, but for the answer that a repeated request got before."""
        return exc.answer if isinstance(exc, idempotency.Replayed) else super().handle_exception(exc)

    def enter(self, request: Request, **kwargs: Any) -> None:
        """A gate, for those addresses that have one."""

    def read(self, body: type["Body"]) -> dict[str, Any]:
        """The request's body as `body` describes it. Raises ValidationError for anything else, LengthRequired."""
        if "Transfer-Encoding" in self.request.headers and not self.request.headers.get("Content-Length"):
            raise LengthRequired
        found = body(data=self.request.data)
        found.is_valid(raise_exception=True)
        return found.validated_data

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer, with how much more may be asked this minute (set by the throttle)."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate_headers", {}).items():
            answer[name] = value
        if (going := self.deprecated.get(str(request.method).lower())) is not None:
            for name, value in going.headers().items():
                answer[name] = value
        return answer

    def answer(self, thing: Any, body: Any, status: int = 200) -> Response:
        """`body`, which is what one sees of `thing`, with its version; 201 with the address of what was made."""
        headers = {"ETag": f'"{precondition.tag_of(thing)}"'}
        if status == 201 and self.makes:
            headers["Location"] = absolute(reverse(self.makes, args=[thing.tenant_id, thing.pk]))
        return Response(body, status=status, headers=headers)


class CustomerView(ApiView):
    """An address below a customer, whose id is `tenant_id`. Handlers find `customer`, `person` and `held` on the request."""

    # Needs one of these anywhere in the customer, or, if `is_whole`, for the tenant as a whole.
    gate: ClassVar[tuple[Permission, ...]] = ()
    is_whole: ClassVar[bool] = False
    # Methods that other permissions open, held for the tenant as a whole: {"post": (GROUPS_CREATE,)}.
    opened_by: ClassVar[Mapping[str, tuple[Permission, ...]]] = {}

    def enter(self, request: Request, **kwargs: Any) -> None:
        """Raises Http404 unless the person can work in the customer, PermissionDenied if the gate stays closed."""
        entered = gates.enter(request, kwargs["tenant_id"])  # type: ignore[arg-type]
        method = str(request.method).lower()
        needed = self.opened_by.get(method, self.gate)
        asked = access.holds_all if self.is_whole or method in self.opened_by else access.holds
        if needed and not any(asked(entered.held, one, entered.customer.pk) for one in needed):
            gates.refuse(entered, needed[0])


class AggregateView(ApiView):
    """An address over all customers one works for. Handlers find `customers`, `person` and `held` on the request."""

    # Needs one of these for at least one of the customers.
    gate: ClassVar[tuple[Permission, ...]] = ()
    opened_by: ClassVar[Mapping[str, tuple[Permission, ...]]] = {}

    def enter(self, request: Request, **kwargs: Any) -> None:
        """Raises Http404 for whoever works for no customer, PermissionDenied if the gate stays closed."""
        entered = gates.enter_all(request)  # type: ignore[arg-type]
        gates.require_anywhere(entered, self.opened_by.get(str(request.method).lower(), self.gate))


class Body(serializers.Serializer[Any]):
    """What a request may bring; fields it does not know are errors."""

    def to_internal_value(self, data: Any) -> Any:
        """As DRF's, for objects with known fields only."""
        if isinstance(data, Mapping):
            taken = {name for name, field in self.fields.items() if not field.read_only}
            refuse_unknown_fields(set(data) - taken)
        return super().to_internal_value(data)


class Nothing(Body):
    """No body, or an empty one."""


def refuse_unknown_fields(unknown: Collection[str]) -> None:
    """Pass if `unknown` is empty. Raises ValidationError that names the fields."""
    if unknown:
        text = _("There is no such field, or it cannot be set.")
        raise serializers.ValidationError(
            {name[:NAME_SHOWN]: [ErrorDetail(text, code="unknown_field")] for name in sorted(unknown)[:20]}
        )


def refuse_unknown_parameters(request: Request, known: Collection[str]) -> None:
    """Pass if the query has only `known` parameters, each once. Raises InvalidParameters."""
    errors = {}
    for name in request.query_params:
        if name not in known:
            errors[name[:NAME_SHOWN]] = "unknown_parameter", _("There is no such parameter.")
        elif len(request.query_params.getlist(name)) > 1:
            errors[name] = "repeated_parameter", _("Give this parameter once.")
    if errors:
        raise InvalidParameters(dict(list(errors.items())[:20]))


def uuid_parameter(request: Request, name: str) -> UUID | None:
    """The id in the parameter `name`, None without it. Raises InvalidParameters."""
    text = request.query_params.get(name)
    try:
        return None if text is None else UUID(text)
    except ValueError as error:
        raise InvalidParameters({name: ("invalid_id", _("Enter an id like %(id)s.") % {"id": UUID(int=0)})}) from error


def size_of(request: Request) -> int:
    """How many items the page may have. Raises InvalidParameters unless it is between 1 and MAX_SIZE."""
    text = request.query_params.get("page_size", str(DEFAULT_SIZE))
    if text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_SIZE:
        return int(text)
    detail = _("Enter a number between %(least)s and %(most)s.") % {"least": 1, "most": MAX_SIZE}
    raise InvalidParameters({"page_size": ("out_of_range", detail)})


def page_of(request: Request, queryset: QuerySet[Any] | Sequence[QuerySet[Any]], order: Sequence[str]) -> Page[Any]:
    """The page of `queryset` (several are one list) that the request asks for by `cursor` and `page_size`.

    Raises InvalidParameters.
    """
    size = size_of(request)
    try:
        return page(queryset, order=order, cursor=request.query_params.get("cursor"), size=size)
    except BadRequest as error:
        detail = _("This place in the list cannot be read. Begin without it.")
        raise InvalidParameters({"cursor": ("unreadable_cursor", detail)}) from error


def answer_page(request: Request, found: Page[Any], items: Sequence[Any]) -> Response:
    """`items`, which stand for those of `found`, and the addresses of the pages after and before."""
    return Response(_page_body(request, found, items))


def answer_aggregate_page(request: Request, found: Page[Any], items: Sequence[Any]) -> Response:
    """As `answer_page`, with the customers whose items are missing, since they ask for more than the caller has shown."""
    left_out: Sequence[Tenant] = request.left_out  # type: ignore[attr-defined]
    return Response(_page_body(request, found, items) | {"left_out": [named(one) for one in left_out]})


def _page_body(request: Request, found: Page[Any], items: Sequence[Any]) -> dict[str, Any]:
    return {"items": items, "next": _address(request, found.next), "previous": _address(request, found.previous)}


def _address(request: Request, cursor: str | None) -> str | None:
    """The same list at another place; never built from what the request says of its host."""
    if cursor is None:
        return None
    return absolute(request.path) + "?" + urlencode(request.query_params.dict() | {"cursor": cursor})


def absolute(path: str) -> str:
    """`path` as an address that works from anywhere."""
    return f"{settings.PUBLIC_URL}{path}"


def is_token(request: Request) -> bool:
    """Whether a tool asks with a person's token, not the person."""
    return getattr(request.user, "limits", None) is not None


def named(tenant: Tenant) -> dict[str, Any]:
    """How an answer names a tenant."""
    return {"id": tenant.pk, "name": tenant.name}


class Named(serializers.Serializer[Any]):
    """A tenant."""

    id = serializers.UUIDField()
    name = serializers.CharField()


def page_schema(item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """How a page of `item` looks, for the document."""
    fields = {
        "__doc__": f"A page of {item.__name__} items.",
        "items": item(many=True),
        "next": serializers.URLField(allow_null=True, help_text="The page after this one; null on the last one."),
        "previous": serializers.URLField(allow_null=True, help_text="The page before this one; null on the first one."),
    }
    return type(f"{item.__name__}Page", (serializers.Serializer,), fields)


def aggregate_page_schema(item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """How a page of `item` over all customers looks, for the document."""
    text = (
        "Customers whose items are missing: they ask their partners for more than you have shown (`step_up_required`)."
    )
    base = page_schema(item)
    return type(base.__name__, (base,), {"__doc__": base.__doc__, "left_out": Named(many=True, help_text=text)})
