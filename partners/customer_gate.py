"""The gate of a customer's page on the partner's side: open as long as the relationship lives, suspended or not."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

from audit.clock import Now
from partners import customers
from rbac import gates
from rbac.errors import StepUpRequired
from rbac.gates import TenantRequest
from rbac.models import Delegation, DelegationState, Tenant, User

P = ParamSpec("P")


class PartnerRequest(TenantRequest):
    """A request that has passed the gate: of whom, about which delegation. `held` is empty while it is suspended.

    `customer` is there only while one can work in it, so that the frame leads nowhere that is closed.
    """

    delegation: Delegation
    about: Tenant
    is_active: bool


def enter(request: HttpRequest, tenant_id: UUID, *, whatever_is_asked: bool = False) -> PartnerRequest:
    """Let the person in if he holds something in a live delegation of the customer. Raises Http404 otherwise,
    StepUpRequired where the customer asks for more than he has shown, unless the page is open `whatever_is_asked`."""
    entered = cast(PartnerRequest, request)
    person = cast(User, request.user)
    found = customers.held_by(person).select_related("tenant", "held_by", "relationship").filter(tenant=tenant_id)
    delegation = found.annotate(read_at=Now()).first()
    if delegation is None:
        raise Http404
    entered.person, entered.delegation, entered.about, entered.held = person, delegation, delegation.tenant, ()
    entered.is_active = delegation.state == DelegationState.ACTIVE
    with suppress(*([StepUpRequired] if whatever_is_asked else [])):
        if entered.is_active:
            gates.enter(request, tenant_id)
    return entered


def partner_page(
    view: Callable[Concatenate[PartnerRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, UUID, P], HttpResponse]:
    """A page about one customer, for the people of its partner. Anonymous: to sign-in. Everybody else: 404."""

    @wraps(view)
    def gated(request: HttpRequest, tenant_id: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(enter(request, tenant_id), *args, **kwargs)

    return cast(Any, login_required(gated))


def own_tokens_page(
    view: Callable[Concatenate[PartnerRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, UUID, P], HttpResponse]:
    """As `partner_page`, for one's own tokens: they are looked at and revoked whatever the customer asks for. `held` is
    empty then."""

    @wraps(view)
    def gated(request: HttpRequest, tenant_id: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(enter(request, tenant_id, whatever_is_asked=True), *args, **kwargs)

    return cast(Any, login_required(gated))
