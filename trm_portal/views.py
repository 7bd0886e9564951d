"""Pages that belong to no app: signing in and out, the way home, health, and what an error looks like."""

from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import BadRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit.clock import now
from partners.services import invitations
from rbac import gates
from rbac.models import Tenant, User
from rbac.paging import page
from rbac.partner_access import Proof
from rbac.sign_in import SignInRefused
from trm_portal.navigation import KINDS, place_of, tenants_of
from trm_portal.sessions import begin
from trm_portal.sign_in import offered, refuse

LONGEST_SEARCH = 100
SWITCHED = 50  # tenants on a page
PASSWORD = "pwd"  # RFC 8176


class SignInForm(AuthenticationForm):
    """Django's, in the words of this portal."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": _("This user principal name and this password do not belong to an account here.")
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User principal name (UPN)")

    def clean_username(self) -> str:
        """In lower case, as accounts are looked up: other spellings must not be other tries for the throttle."""
        return str(self.cleaned_data["username"]).strip().lower()


class SignIn(LoginView):
    """Local sign-in: demo accounts and support staff. Whoever signs in anew ends the session he had."""

    authentication_form = SignInForm
    template_name = "registration/sign_in.html"
    redirect_authenticated_user = False

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.DEMO and "demo_account" in request.POST:
            try:
                return self._enter(_demo_account(request.POST["demo_account"]))
            except SignInRefused as error:
                return refuse(request, error.reason, error)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        return self._enter(form.get_user())

    def _enter(self, user: User) -> HttpResponse:
        proof = Proof(now(), frozenset({PASSWORD}))
        begin(self.request, user, backend="rbac.backends.LocalAccounts", proof=proof)
        return redirect(self.get_success_url())

    def get_default_redirect_url(self) -> str:
        user = self.request.user
        return "/admin/" if user.is_authenticated and user.is_staff else super().get_default_redirect_url()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {"demo_accounts": _demo_accounts(), "providers": offered(), "is_local": settings.LOCAL_SIGN_IN}
        return super().get_context_data(**kwargs) | more


def _demo_accounts() -> list[Any]:
    if not settings.DEMO:
        return []
    from trm_portal.development import demo_data  # noqa: PLC0415 - loaded in the demo only

    return demo_data.accounts()


def _demo_account(upn: str) -> User:
    from trm_portal.development import demo_data  # noqa: PLC0415 - loaded in the demo only

    return demo_data.account(upn)


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where the person's work is: the back office for support staff, else the first tenant he holds something in.

    Somebody who holds nothing yet is probably here because he was invited.
    """
    if request.user.is_staff:
        return redirect("admin:index")
    held = {one.tenant_id for one in gates.standing(request).held}
    places = tenants_of(request)
    working = [place for place in places if place.id in held]
    if working:
        return redirect(working[0].url)
    is_invited = invitations.open_for(cast(User, request.user)).exists()
    return redirect("invitations" if is_invited or not places else places[0].url)


@login_required
@require_safe
def switch(request: HttpRequest) -> HttpResponse:
    """The tenants the person can work in, searched by name, page by page; each link leads to its page of `kind`."""
    words, kind = request.GET.get("q", "").split(), request.GET.get("kind", "") or "overview"
    if set(request.GET) - {"q", "kind", "cursor"} or kind not in KINDS or len(" ".join(words)) > LONGEST_SEARCH:
        raise BadRequest("no such search")
    tenants = Tenant.objects.filter(pk__in=[one.pk for one in gates.standing(request).tenants])
    for word in words:
        tenants = tenants.filter(name__icontains=word)
    found = page(tenants, order=("name", "id"), cursor=request.GET.get("cursor") or None, size=SWITCHED)

    def url(cursor: str | None) -> str | None:
        return cursor and "?" + urlencode({"q": " ".join(words), "kind": kind, "cursor": cursor})

    count = len(found.items)
    context = {
        "places": [place_of(request, one, kind) for one in found.items],
        "q": " ".join(words),
        "kind": kind,
        "page": {
            "previous_url": url(found.previous),
            "next_url": url(found.next),
            "shown_text": ngettext("%(count)d organisation", "%(count)d organisations", count) % {"count": count},
        },
    }
    return render(request, "switch.html", context)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process and its database answer; a broker may be away, nothing is lost then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ready"})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a stale page; says how to go on."""
    return render(request, "403_csrf.html", status=403)
