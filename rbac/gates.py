"""The first line of every view: which tenant's page is this, and may this person be here at all?

A gate answers 404 for what the person cannot see (it might as well not exist) and 403 for what he sees but may not do,
or may see only once he has shown what the customer asks its partners for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, NoReturn, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import Http404, HttpRequest, HttpResponse

from audit.log import recording
from audit.models import Category, Operation
from rbac import access
from rbac.access import M, Rights
from rbac.catalogue import Permission
from rbac.errors import StepUpRequired
from rbac.models import Tenant, TenantStatus, User
from rbac.partner_access import Condition
from rbac.step_up import category_of

P = ParamSpec("P")
SAFE = ("GET", "HEAD", "OPTIONS")

# What the apps above want to know of a person with every page; they know rbac, rbac does not know them.
_asked: dict[str, Callable[[User], Combinable]] = {}


def asks(name: str, question: Callable[[User], Combinable]) -> None:
    """Have `question(person)`, an expression, answered with every standing, in the same statement: `known[name]`."""
    _asked[name] = question


@dataclass(frozen=True)
class Standing:
    """Where the person of a request stands: all live rights, and the tenants they lead to. For showing only."""

    held: Rights
    # Those of customers that ask for more than he has shown are among them, though nothing of them is in `held`.
    tenants: tuple[Tenant, ...]
    # What each of these (by id) asks for.
    withheld: Mapping[UUID, frozenset[Condition]] = field(default_factory=dict)
    # What the apps above have asked; nothing for somebody who is at home nowhere.
    known: Mapping[str, Any] = field(default_factory=dict)

    def tenant(self, tenant_id: UUID) -> Tenant | None:
        return next((one for one in self.tenants if one.pk == tenant_id), None)


class TenantRequest(HttpRequest):
    """A request that has passed the gate of a tenant: by whom, where, with which live rights (for showing only)."""

    person: User
    customer: Tenant
    held: Rights


class PersonRequest(HttpRequest):
    """A request that has passed the gate of the views over all customers: by whom, which customers, with which live
    rights in them (for showing only). One's own organisation is not among them; neither are those customers (`left_out`)
    that ask for more than the person has shown."""

    person: User
    customers: tuple[Tenant, ...]
    left_out: tuple[Tenant, ...]
    held: Rights


def standing(request: HttpRequest) -> Standing:
    """The person's standing, resolved once per request in two queries: home first, then customers by name."""
    known: Standing | None = getattr(request, "_standing", None)
    if known is None:
        known = _standing_of(request.user)
        request._standing = known  # type: ignore[attr-defined]
    return known


def _standing_of(user: User | AnonymousUser) -> Standing:
    if not user.is_authenticated:
        return Standing((), ())
    everything = access.with_withheld(user)
    ids = {one.tenant_id for one in everything}
    if user.tenant_id is not None and user.is_home_member and getattr(user, "limits", None) is None:
        ids.add(user.tenant_id)
    open_ones = Tenant.objects.filter(pk__in=ids).exclude(status=TenantStatus.CLOSED).order_by("name", "pk")
    questions = {f"asked_{name}": question(user) for name, question in _asked.items()}
    tenants = sorted(open_ones.annotate(**questions), key=lambda tenant: tenant.pk != user.tenant_id)
    known = {name: getattr(tenants[0], f"asked_{name}") for name in _asked} if tenants else {}
    withheld = {one.tenant_id: one.unmet.always for one in everything if one.unmet.always}
    return Standing(access.let_in(everything), tuple(tenants), withheld, known)


def enter(request: HttpRequest, tenant_id: UUID) -> TenantRequest:
    """Let the signed-in person into the tenant: one's own, or one where something is held. Raises Http404 otherwise,
    StepUpRequired where all of it is withheld until he has shown more."""
    here = standing(request)
    tenant = here.tenant(tenant_id)
    if tenant is None:
        raise Http404
    if tenant_id in here.withheld:
        _withhold(request, tenant, here.withheld[tenant_id])
    entered = cast(TenantRequest, request)
    entered.person, entered.customer = cast(User, request.user), tenant
    entered.held = tuple(one for one in here.held if one.tenant_id == tenant_id)
    return entered


def _withhold(request: HttpRequest, tenant: Tenant, missing: frozenset[Condition]) -> NoReturn:
    """Raise StepUpRequired; on record for what would have changed something, since no service will ever hear of it."""
    if request.method in SAFE:
        raise StepUpRequired(tenant.pk, missing)
    with recording(Category.SESSION, Operation.UPDATE, _name_of(request), tenant=tenant, by=cast(User, request.user)):
        raise StepUpRequired(tenant.pk, missing)


def _name_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match is not None else request.path


def tenant_page(
    *anywhere: Permission,
) -> Callable[
    [Callable[Concatenate[TenantRequest, P], HttpResponse]], Callable[Concatenate[HttpRequest, UUID, P], HttpResponse]
]:
    """A page of one tenant, whose id comes first in its address. Needs one of the permissions `anywhere` in it.

    Anonymous: to sign-in. Neither at home nor holding anything: 404. There, but without the permission: 403. A page that
    leads to nothing but what needs a step up asks for it before anything is typed.
    """

    def decorate(
        view: Callable[Concatenate[TenantRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, UUID, P], HttpResponse]:
        @wraps(view)
        def gated(request: HttpRequest, tenant_id: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            entered = enter(request, tenant_id)
            if anywhere and not any(access.holds(entered.held, one, tenant_id) for one in anywhere):
                refuse(entered, anywhere[0])
            if request.method in ("GET", "HEAD"):
                _ask_for_step_up(entered, anywhere)
            return view(entered, *args, **kwargs)

        gate = login_required(gated)
        gate.gate = anywhere  # type: ignore[attr-defined]  # read by the test that walks all addresses
        return cast(Any, gate)

    return decorate


def _ask_for_step_up(request: TenantRequest, anywhere: Collection[Permission]) -> None:
    """Raises StepUpRequired if each of `anywhere` that the person holds is an event for which he has to show more."""
    found = [
        (permission, one.unmet.of(permission))
        for permission in anywhere
        for one in request.held
        if permission in one.permissions
    ]
    if found and all(missing for _event, missing in found):
        event, missing = found[0]
        raise StepUpRequired(request.customer.pk, missing, event=event)


def enter_all(request: HttpRequest) -> PersonRequest:
    """Let the person into what is over all customers he works for. Raises Http404 for whoever works for none,
    StepUpRequired if every one of them asks for more than he has shown."""
    here = standing(request)
    user = cast(User, request.user)
    others = tuple(one for one in here.tenants if one.pk != user.tenant_id)
    if not others:
        raise Http404
    customers = tuple(one for one in others if one.pk not in here.withheld)
    if not customers:
        raise StepUpRequired(others[0].pk, here.withheld[others[0].pk])
    entered = cast(PersonRequest, request)
    ids = {one.pk for one in customers}
    entered.person, entered.customers = user, customers
    entered.left_out = tuple(one for one in others if one.pk in here.withheld)
    entered.held = tuple(one for one in here.held if one.tenant_id in ids)
    return entered


def require_anywhere(request: PersonRequest, anywhere: Collection[Permission]) -> None:
    """Pass if the person holds one of `anywhere` for at least one customer. Raises PermissionDenied otherwise."""
    if anywhere and not any(access.holding(request.held, one) for one in anywhere):
        refuse(request, next(iter(anywhere)))


def aggregate_page(
    *anywhere: Permission,
) -> Callable[
    [Callable[Concatenate[PersonRequest, P], HttpResponse]], Callable[Concatenate[HttpRequest, P], HttpResponse]
]:
    """A page over all customers that somebody works for. Needs one of the permissions `anywhere` in one of them.

    Anonymous: to sign-in. Works for nobody else: 404. For somebody, but without the permission: 403.
    """

    def decorate(
        view: Callable[Concatenate[PersonRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def gated(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            entered = enter_all(request)
            require_anywhere(entered, anywhere)
            return view(entered, *args, **kwargs)

        return cast(Any, login_required(gated))

    return decorate


def require_whole(request: TenantRequest, permission: Permission) -> None:
    """Pass if the person holds `permission` for the tenant as a whole. Raises PermissionDenied otherwise."""
    if not access.holds_all(request.held, permission, request.customer.pk):
        refuse(request, permission)


def require_on(request: TenantRequest, permission: Permission, target: Model, *, whole: bool = False) -> None:
    """Pass if the person holds `permission` on `target`, which he sees. Raises PermissionDenied otherwise; StepUpRequired
    for a page of it, if the customer asks for more first: before anything is typed."""
    if not access.can(request.person, permission, target, request.held, whole=whole):
        refuse(request, permission)
    if request.method in ("GET", "HEAD"):
        _ask_for_step_up(request, [permission])


def refuse(request: TenantRequest | PersonRequest, permission: Permission) -> NoReturn:
    """Raise PermissionDenied. What was refused is on record if it would have changed something: the person is inside the
    tenant and sees what he tried to change, so no service will ever hear of it."""
    if request.method in SAFE:
        raise PermissionDenied
    delegations = {one.delegation_id for one in request.held if one.delegation_id is not None}
    customer = getattr(request, "customer", None)  # over all customers, the refusal is none of theirs
    with recording(
        category_of(permission),
        Operation.UPDATE,
        f"{permission.value} ({_name_of(request)})",
        tenant=customer,
        by=request.person,
        relationship_id=next(iter(delegations), None) if customer is not None else None,
    ):
        raise PermissionDenied


def find(request: TenantRequest, permission: Permission, queryset: QuerySet[M], **lookup: Any) -> M:
    """The one row of `queryset` the person holds `permission` on. Raises Http404 if there is none."""
    found = access.visible(request.person, permission, queryset, request.held).filter(**lookup).first()
    if found is None:
        raise Http404
    return found
