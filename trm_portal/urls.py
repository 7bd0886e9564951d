"""Every address of the portal. The customer stands in the address of each of its pages, never in the session."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.i18n import set_language

from audit import urls as audit_urls
from partners.lists import names_for_the_log
from rbac import gates
from rbac.catalogue import Permission
from trm_portal import account, second_factor, sign_in, step_up, views


def _log_gate(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """The audit log is for those who may modify the settings of the whole tenant: its MMR Admins, never a partner."""

    @gates.tenant_page(Permission.SETTINGS_MODIFY)
    def gated(request: gates.TenantRequest) -> Any:
        gates.require_whole(request, Permission.SETTINGS_MODIFY)
        return view(request, request.customer.pk)

    return gated


urlpatterns = [
    path("", views.home, name="home"),
    path("switch/", views.switch, name="switch"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-in/again/", step_up.again, name="step_up"),
    path("sign-in/carry-on/", step_up.carry_on, name="carry_on"),
    path("sign-in/<slug:provider>/", sign_in.begin, name="sign_in_at"),
    path("sign-in/<slug:provider>/complete/", sign_in.complete, name="sign_in_complete"),
    path("sessions/", account.own_sessions, name="sessions"),
    path("sessions/end-others/", account.end_other_sessions, name="sessions_end_others"),
    path("sessions/<uuid:session_id>/end/", account.end_session, name="session_end"),
    path("sign-out/", account.SignOut.as_view(), name="sign_out"),
    path("language/", set_language, name="set_language"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/second-factor/", second_factor.ask, name="second_factor"),
    path("admin/", admin.site.urls),
    path("api/", include("trm_portal.api_urls")),
    path("", include("partners.urls")),
    path("", include("rooms.urls")),
    *audit_urls.behind(_log_gate, names_for_the_log),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", include("trm_portal.styleguide")))

handler400 = "trm_portal.errors.bad_request"
handler403 = "trm_portal.errors.permission_denied"
handler404 = "trm_portal.errors.not_found"
handler500 = "trm_portal.errors.server_error"
