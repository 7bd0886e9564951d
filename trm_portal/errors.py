"""One mapping from errors to answers: pages (`answer_rule`) and the API's problem details (`answer_problem`).

The API speaks RFC 9457: {type, title, status, detail, code, errors: [{pointer, code, detail}]}; `code` is stable.
"""

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, TooManyFieldsSent, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from audit.errors import RuleBroken

PROBLEM_TYPE = "application/problem+json"


def answer_rule(request: HttpRequest, error: RuleBroken) -> HttpResponse:
    """A page that names the broken rule, with the rule's own status."""
    template = "410.html" if error.status == status.HTTP_410_GONE else "409.html"
    return render(request, template, {"reason": " ".join(error.messages)}, status=error.status)


def answer_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Problem details for every expected error of an API call; None (a 500 that is logged) for the unexpected."""
    set_rollback()
    problem = _problem(error)
    if problem is None:
        return None
    headers = {}
    if isinstance(error, exceptions.APIException):
        if (challenge := getattr(error, "auth_header", None)) is not None:
            headers["WWW-Authenticate"] = challenge
        if (wait := getattr(error, "wait", None)) is not None:
            headers["Retry-After"] = str(int(wait))
    return Response(problem, status=problem["status"], headers=headers, content_type=PROBLEM_TYPE)


def _problem(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, RuleBroken):
        return problem(error.status, str(error.code), " ".join(error.messages))
    if isinstance(error, ValidationError):
        return problem(400, "invalid", _("The request is not valid."), _field_errors(error))
    if isinstance(error, exceptions.ValidationError):
        return problem(400, "invalid", _("The request is not valid."), list(_details("", error.get_full_details())))
    if isinstance(error, Http404 | exceptions.NotFound):
        return problem(404, "not_found", _("There is nothing here, or it is not yours to see."))
    if isinstance(error, PermissionDenied):
        return problem(403, "permission_denied", _("You may see this, but not do that."))
    if isinstance(error, BadRequest | RequestDataTooBig | TooManyFieldsSent):
        return problem(400, "bad_request", _("The request could not be read."))
    if isinstance(error, exceptions.APIException):
        code = error.get_codes()
        return problem(error.status_code, code if isinstance(code, str) else "error", str(error.detail))
    return None


def problem(code_of_http: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The body of a problem answer."""
    body: dict[str, Any] = {"type": "about:blank", "title": detail, "status": code_of_http, "code": code}
    if errors:
        body["errors"] = errors
    return body


def _field_errors(error: ValidationError) -> list[dict[str, str]]:
    if hasattr(error, "error_dict"):
        return [
            {"pointer": f"/{field}", "code": one.code or "invalid", "detail": " ".join(one.messages)}
            for field, errors in error.error_dict.items()
            for one in errors
        ]
    return [
        {"pointer": "", "code": one.code or "invalid", "detail": " ".join(one.messages)} for one in error.error_list
    ]


def _details(pointer: str, details: Any) -> Any:
    """Flatten DRF's nested error details into pointers."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": pointer, "code": details["code"], "detail": str(details["message"])}
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _details(pointer if key == "non_field_errors" else f"{pointer}/{key}", value)
    elif isinstance(details, list):
        for index, value in enumerate(details):
            is_leaf = isinstance(value, dict) and set(value) == {"message", "code"}
            yield from _details(pointer if is_leaf else f"{pointer}/{index}", value)
