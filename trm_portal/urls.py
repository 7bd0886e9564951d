"""Every address of the portal. The customer stands in the address of each of its pages, never in the session."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from trm_portal import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("language/", set_language, name="set_language"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("trm_portal.api_urls")),
    path("", include("partners.urls")),
    path("", include("rooms.urls")),
    path("", include("audit.urls")),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", include("trm_portal.styleguide")))
