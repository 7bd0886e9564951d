"""The back office of support staff: Django's admin, open to them only, read-only unless a service says otherwise."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.sites import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from audit.back_office import ReadOnly
from rbac.services import accounts
from trm_portal.account import SignOut
from trm_portal.concerns import concerns
from trm_portal.second_factor import is_proven


class PasswordForm(PasswordChangeForm):
    """One's own new password; the service sets it and leaves a record."""

    def save(self, commit: bool = True) -> Any:
        accounts.change_password(self.user, self.cleaned_data["new_password1"], by=self.user)
        return self.user


class PortalAdmin(AdminSite):
    site_header = _("Rooms portal: back office")
    site_title = _("Back office")
    index_title = _("Accounts, relationships, jobs and audit")
    site_url = None  # support staff belong to no tenant and have no pages in the portal

    def has_permission(self, request: HttpRequest) -> bool:
        """Support staff: active, without a tenant."""
        return accounts.is_support(request.user)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Show a model that our own apps say how to show; what libraries bring along stays closed.

        Raises ImproperlyConfigured for a page that does not name its fields: a new column must not show by itself.
        """
        if admin_class is None or not issubclass(admin_class, ReadOnly):
            return
        if admin_class.fields is None and admin_class.fieldsets is None:
            raise ImproperlyConfigured(f"{admin_class.__name__} does not name the fields it shows.")
        super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """`view` for support staff; to everybody else who is signed in there is nothing here."""
        gated = super().admin_view(view, cacheable)

        @wraps(view)
        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            if request.user.is_authenticated and not is_proven(request):
                return redirect_to_login(request.get_full_path(), reverse("second_factor"))
            return gated(request, *args, **kwargs)

        return gate

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The portal's one sign-in page, which throttles guessing. Raises Http404 for somebody signed in who is no staff."""
        wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not request.user.is_authenticated:
            return redirect_to_login(wanted or reverse("admin:index"), reverse("sign_in"))
        if not self.has_permission(request):
            raise Http404
        return redirect("admin:index")

    @method_decorator(never_cache)
    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """As everywhere in the portal."""
        return SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """One's own password, changed by the service."""
        context = {**self.each_context(request), **(extra_context or {})}
        done = reverse("admin:password_change_done", current_app=self.name)
        request.current_app = self.name  # type: ignore[attr-defined]
        return PasswordChangeView.as_view(form_class=PasswordForm, success_url=done, extra_context=context)(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models by app, each app called what it is about."""
        found = super().get_app_list(request, app_label)
        for app in found:
            app["name"] = _("Failed sign-ins") if app["app_label"] == "axes" else app["name"]
        return found

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The models, and what needs somebody's attention."""
        return super().index(request, {"concerns": list(concerns()), **(extra_context or {})})
