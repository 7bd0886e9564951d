"""One mapping from errors to answers: pages (`answer_rule`, the handlers) and the API's problem details.

The API speaks RFC 9457: {type, title, status, detail, code, errors: [{pointer or parameter, code, detail}]}. `code` is
stable and says which problem it is (docs/problems.md lists them); `detail` is for people, in the language of the request.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, TooManyFieldsSent, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from django_htmx.http import HttpResponseClientRedirect
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from audit.errors import RuleBroken
from rbac.api.base import absolute, is_token
from rbac.errors import StepUpRequired
from rooms.errors import AwaitsApproval
from trm_portal.step_up import address as step_up_address

PROBLEM_TYPE = "application/problem+json"
API = "/api/"

# What can be wrong with any request, by code: status, and what it means. Rules bring their own (errors.py of the apps).
GENERAL: Mapping[str, tuple[int, Any]] = {
    "bad_request": (400, gettext_lazy("The request could not be read.")),
    "parse_error": (400, gettext_lazy("The body is not JSON that can be read.")),
    "invalid": (400, gettext_lazy("The request is not valid.")),
    "invalid_parameters": (400, gettext_lazy("The parameters of the request are not valid.")),
    "invalid_header": (400, gettext_lazy("A header of the request could not be read.")),
    "not_authenticated": (401, gettext_lazy("Sign in, or send a token.")),
    "authentication_failed": (401, gettext_lazy("This token is not valid.")),
    "permission_denied": (403, gettext_lazy("You may see this, but not do that.")),
    "step_up_required": (
        403,
        gettext_lazy(
            "This customer asks the people of its partners for more than you have shown: `missing` says what, and "
            "`sign_in_url` is where a person shows it."
        ),
    ),
    "csrf_failed": (403, gettext_lazy("The request does not carry the page’s CSRF token.")),
    "not_for_tokens": (403, gettext_lazy("This cannot be done with a token. Sign in yourself.")),
    "not_found": (404, gettext_lazy("There is nothing here, or it is not yours to see.")),
    "method_not_allowed": (405, gettext_lazy("This method does not exist here.")),
    "not_acceptable": (406, gettext_lazy("The answer cannot be given in the form that is asked for.")),
    "length_required": (411, gettext_lazy("Send the body with its length (Content-Length).")),
    "body_too_large": (413, gettext_lazy("The body of the request is too large.")),
    "unsupported_media_type": (415, gettext_lazy("The body of the request is in a form that is not understood.")),
    "throttled": (429, gettext_lazy("Too many requests. Try again in a moment.")),
    "internal_error": (500, gettext_lazy("Something went wrong here. It has been logged.")),
}


def answer_rule(request: HttpRequest, error: RuleBroken) -> HttpResponse:
    """A page that names the broken rule, with the rule's own status."""
    template = "410.html" if error.status == status.HTTP_410_GONE else "409.html"
    return render(request, template, {"reason": " ".join(error.messages)}, status=error.status)


def show_waiting(request: HttpRequest, error: AwaitsApproval) -> HttpResponse:
    """The page of the request, which says plainly that nothing has been done yet."""
    messages.info(request, _("Nothing has changed yet: your change waits for the customer’s approval."))
    url = reverse("approval", args=[error.request.tenant_id, error.request.pk])
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)


def answer_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Problem details for every expected error of an API call; None (a 500 that is logged) for the unexpected."""
    set_rollback()
    if isinstance(error, AwaitsApproval):
        return _answer_waiting(error)
    body = _problem(error)
    if body is None:
        return None
    if isinstance(error, StepUpRequired):
        body |= _way_up(error, by_tool=is_token(context["request"]))
    headers = {}
    if (challenge := getattr(error, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    if place := getattr(error, "place", ""):
        headers["Location"] = place
    return Response(body, status=body["status"], headers=headers, content_type=PROBLEM_TYPE)


def _answer_waiting(error: AwaitsApproval) -> Response:
    """202: nothing has been done yet; the address of the request that the customer decides."""
    found = error.request
    url = absolute(reverse("api-approval", args=[found.tenant_id, found.pk]))
    body = {"state": found.state, "request": str(found.pk), "url": url, "expires_at": found.expires_at}
    return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": url})


def _way_up(error: StepUpRequired, *, by_tool: bool) -> dict[str, Any]:
    """What is missing, and where a person shows it."""
    return {
        "customer": str(error.tenant_id),
        "event": error.event,
        "missing": sorted(error.missing),
        "sign_in_url": absolute(step_up_address(error, by_tool=by_tool)),
    }


def _problem(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, RuleBroken):
        return problem(error.status, str(error.code), " ".join(error.messages))
    if isinstance(error, ValidationError):
        return general("invalid", list(_field_errors(error)))
    if isinstance(error, exceptions.ValidationError):
        return general("invalid", list(_details("", error.get_full_details())))
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return general("not_found")
    if isinstance(error, PermissionDenied):
        return general("step_up_required" if isinstance(error, StepUpRequired) else "permission_denied")
    if isinstance(error, RequestDataTooBig):
        return general("body_too_large")
    return general("bad_request") if isinstance(error, BadRequest | TooManyFieldsSent) else None


def _of_framework(error: exceptions.APIException) -> dict[str, Any]:
    code = error.get_codes()
    if not isinstance(code, str) or code not in GENERAL:
        return problem(error.status_code, "bad_request", str(error.detail))
    return general(code, getattr(error, "errors", None))


def general(code: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The body of one of the GENERAL problems."""
    status_code, detail = GENERAL[code]
    return problem(status_code, code, str(detail), errors)


def problem(status_code: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The body of a problem answer. Its type is about:blank: the title is HTTP's own, `code` tells problems apart."""
    title = HTTPStatus(status_code).phrase
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status_code,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    return body


def _field_errors(error: ValidationError) -> Iterator[dict[str, str]]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    for field, errors in by_field.items():
        pointer = f"/{_escaped(field)}" if field else ""
        for one in errors:
            yield {"pointer": pointer, "code": one.code or "invalid", "detail": " ".join(one.messages)}


def _details(pointer: str, details: Any) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested error details into JSON pointers."""
    if _is_leaf(details):
        yield {"pointer": pointer, "code": details["code"], "detail": str(details["message"])}
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _details(pointer if key == "non_field_errors" else f"{pointer}/{_escaped(str(key))}", value)
    elif isinstance(details, list):
        for index, value in enumerate(details):
            yield from _details(pointer if _is_leaf(value) else f"{pointer}/{index}", value)


def _is_leaf(details: Any) -> bool:
    return (
        isinstance(details, dict)
        and set(details) == {"message", "code"}
        and not any(isinstance(value, dict | list) for value in details.values())
    )


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


# --- What Django calls when no view answers ------------------------------------------------------------------------


def is_api(request: HttpRequest) -> bool:
    """Whether a tool is to be answered, not a person."""
    return request.path_info.startswith(API)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, for what no view was asked: an address that cannot be read, a host that is not ours."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    return _answer(general("body_too_large" if isinstance(exception, RequestDataTooBig) else "bad_request"))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(general("permission_denied")) if is_api(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(general("not_found")) if is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500. What happened stands in the log, not in the answer."""
    return _answer(general("internal_error")) if is_api(request) else defaults.server_error(request)


def _answer(body: dict[str, Any]) -> HttpResponse:
    return JsonResponse(body, status=body["status"], content_type=PROBLEM_TYPE)
