"""How the API's operations describe themselves. Apart from `api`: this needs the framework's views, which need that."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiResponse
from rest_framework import serializers

from audit.errors import RuleBroken
from rbac.api.base import AggregateView, ApiView, CustomerView
from rbac.errors import IdempotencyAnswerNotKept, IdempotencyKeyInUse, IdempotencyKeyReused, StaleVersion
from rbac.partner_access import Condition
from rooms.errors import AwaitsApproval
from trm_portal import api_headers
from trm_portal.errors import GENERAL, PROBLEM_TYPE, problem

_REPEATED = (IdempotencyKeyInUse, IdempotencyKeyReused, IdempotencyAnswerNotKept)
_WRITING = ("POST", "PUT", "PATCH")


class ProblemDetail(serializers.Serializer[Any]):
    """What is wrong at one place of the request."""

    pointer = serializers.CharField(required=False, help_text="Where in the body (JSON pointer).")
    parameter = serializers.CharField(required=False, help_text="Which query parameter.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """Problem details (RFC 9457). `code` is stable; `detail` is for people, in the language of the request."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = ProblemDetail(many=True, required=False)
    # Of `step_up_required` alone.
    customer = serializers.UUIDField(required=False, help_text="Who asks its partners for more.")
    event = serializers.CharField(
        required=False, allow_null=True, help_text="For which permission it is asked; null: for any access."
    )
    missing = serializers.ListField(
        child=serializers.ChoiceField(choices=Condition.values), required=False, help_text="What is asked for."
    )
    sign_in_url = serializers.URLField(required=False, help_text="Where a person shows it.")


class Waiting(serializers.Serializer[Any]):
    """Nothing has been done yet: the customer approves such changes first."""

    state = serializers.CharField()
    request = serializers.UUIDField()
    url = serializers.URLField(help_text="Where the request is found, also in the header `Location`.")
    expires_at = serializers.DateTimeField(help_text="When the request ends without a decision.")


WAITING = OpenApiResponse(
    Waiting,
    description="The customer approves such changes first; why you want it may stand in the header `Change-Justification`.",
    examples=[
        OpenApiExample(
            "Waits for approval",
            value={
                "state": "pending",
                "request": "0d0c7f52-51c3-4f0c-8a57-0a5f2f6f3c11",
                "url": "https://portal.example/api/v1/customers/3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11/approvals/"
                "0d0c7f52-51c3-4f0c-8a57-0a5f2f6f3c11/",
                "expires_at": "2026-02-10T14:05:00Z",
            },
            response_only=True,
            status_codes=["202"],
        )
    ],
)


class ProblemSchema(AutoSchema):
    """Every operation says which problems it answers, general ones and the rules it can break."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        by_status: dict[int, list[str]] = defaultdict(list)
        for code, status in self._codes():
            if code not in by_status[status]:
                by_status[status].append(code)
        for status, codes in sorted(by_status.items()):
            bodies[str(status)] = self._problem_response(status, codes)
        if AwaitsApproval in self._rules():
            bodies["202"] = self._get_response_for_code(WAITING, "202")
        return bodies

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """As the framework's, with the headers, and what is said of an operation that is to go."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            api_headers.describe(operation, self.view, self.method, self._rules())
            if (going := self.view.deprecated.get(self.method.lower())) is not None:
                text = f"Deprecated, ends on {going.until.isoformat()}. {going.instead}"
                operation |= {"deprecated": True, "description": f"{operation.get('description', '')} {text}".strip()}
        return operation

    def _rules(self) -> tuple[type[Exception], ...]:
        view: ApiView = self.view
        rules = tuple(view.problems.get(self.method.lower(), ()))
        return rules + ((StaleVersion,) if view.takes_version(self.method) else ())

    def _problem_response(self, status: int, codes: list[str]) -> dict[str, Any]:
        text = str(GENERAL[codes[0]][1]) if codes[0] in GENERAL else "A rule forbids it."
        example = OpenApiExample(
            codes[0], value=problem(status, codes[0], text), response_only=True, status_codes=[str(status)]
        )
        listed = ", ".join(f"`{code}`" for code in codes)
        response = OpenApiResponse(Problem, description=f"Problem: {listed}", examples=[example])
        body: dict[str, Any] = self._get_response_for_code(response, str(status), [PROBLEM_TYPE])
        return body

    def _codes(self) -> Iterator[tuple[str, int]]:
        """Code and status of every problem the operation answers."""
        view: ApiView = self.view
        names = ["invalid_parameters", "bad_request", "not_authenticated", "authentication_failed"]
        names += ["not_acceptable", "throttled"]
        if self.method in _WRITING:
            names += ["invalid", "parse_error", "length_required", "body_too_large", "unsupported_media_type"]
        if self.method not in ("GET", "HEAD"):
            names.append("csrf_failed")
            names.append("invalid_header")
        if not view.for_tokens or self.method.lower() in view.for_people:
            names.append("not_for_tokens")
        if isinstance(view, CustomerView | AggregateView):
            names += ["permission_denied", "step_up_required"]
        if "{" in self.path or "customer" in view.parameters or isinstance(view, AggregateView):
            names.append("not_found")
        yield from ((name, GENERAL[name][0]) for name in names)
        repeated = () if self.method == "GET" else _REPEATED
        for rule in (*self._rules(), *repeated):
            if issubclass(rule, RuleBroken):
                yield from ((code, rule.status) for code in codes_of(rule))


def codes_of(rule: type[RuleBroken]) -> list[str]:
    """The stable codes of a rule; some have one for each state."""
    texts: dict[str, Any] | None = getattr(rule, "texts", None)
    return [rule().code] if texts is None else [str(rule(state).code) for state in texts]


class TokenScheme(OpenApiAuthenticationExtension):
    """A partner tool's token."""

    target_class = "partners.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """A header of its own kind: OpenAPI knows only `Bearer` and `Basic`."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token trm_…`: acts as its holder, in one customer, narrowed to its scopes.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """A person's browser session."""

    target_class = "partners.api.authentication.PersonSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """The cookie of the pages."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "session",
            "description": "Signed in with a browser; changes need the header `X-CSRFToken`.",
        }
