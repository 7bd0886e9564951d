"""The page that shows the mails the demo has sent. It reads, and changes nothing; beside that it answers webhooks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from trm_portal.development.mail_folder import KeptMail, MailFolder

SHOWN = 200
STYLE = Path(__file__).parent / "templates" / "mails" / "style.css"
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# A mail's own HTML: its styles and embedded pictures, no script, no form, nothing from elsewhere; links open apart.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
OPEN_APART = '<base target="_blank">'


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """The newest mails."""
    context = {"mails": _folder().newest_first(SHOWN), "portal_url": os.environ["PUBLIC_URL"]}
    return _page(request, "mails/list.html", context)


@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its text, and its HTML in a frame that can do nothing."""
    return _page(request, "mails/mail.html", {"mail": _find(name)})


@require_safe
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The mail's own HTML, for the frame."""
    html = _find(name).html
    if not html:
        raise Http404
    html = HEAD.sub(lambda found: found[0] + OPEN_APART, html, count=1) if HEAD.search(html) else OPEN_APART + html
    return HttpResponse(html, headers={"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "no-store"})


@require_POST
def hook(request: HttpRequest, name: str) -> HttpResponse:
    """A receiver of webhooks, to try them out: the desk takes everything but what failed, every other one is closed."""
    is_failure = b'"approval.failed"' in request.body
    return HttpResponse(status=(422 if is_failure else 204) if name == "desk" else 503)


@require_safe
def style(request: HttpRequest) -> FileResponse:
    """The look of these pages."""
    return FileResponse(STYLE.open("rb"), content_type="text/css")


def _page(request: HttpRequest, template: str, context: Mapping[str, object]) -> HttpResponse:
    response = render(request, template, dict(context))
    response["Content-Security-Policy"] = PAGE_POLICY
    response["Cache-Control"] = "no-store"
    return response


def _find(name: str) -> KeptMail:
    found = _folder().find(name)
    if found is None:
        raise Http404
    return found


def _folder() -> MailFolder:
    return MailFolder(Path(os.environ["MAIL_FOLDER"]))


urlpatterns = [
    path("", mails, name="mails"),
    path("mails/<slug:name>/", mail, name="mail"),
    path("mails/<slug:name>/html", mail_html, name="mail_html"),
    path("style.css", style, name="style"),
    path("hooks/<slug:name>/", hook, name="hook"),
]
application = get_wsgi_application()
