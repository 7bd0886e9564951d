"""What devices call: enrol with the key, report with the own token, ask what is to be done.

Not for people and their tools, and not in their OpenAPI document; docs/api.md describes it.
"""

from typing import Any, ClassVar

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from rbac.api.base import ApiView, Body
from rbac.upn import normalise
from rooms.api.agent_access import DeviceToken, IsDevice, PerAddress, PerDevice
from rooms.errors import DeviceRefused
from rooms.models import Severity, SignalCategory
from rooms.services import enrolments, rollouts, telemetry
from rooms.services.enrolments import Introduction
from rooms.services.telemetry import MOST_SIGNALS, Report, Signal, Usage
from rooms.values import is_readable, refuse_unfit

LARGEST_BODY = 64 * 1024  # bytes; a full report has about 20,000
MOST_DAYS = 7
LONGEST_DAY = 24 * 60  # minutes


class Text(serializers.CharField):
    """A text that a person can read."""

    def to_internal_value(self, data: Any) -> str:
        text = str(super().to_internal_value(data))
        if not is_readable(text):
            raise ValidationError(_("This text holds a character that cannot be read."), code="unreadable_character")
        return text


class Enrolling(Body):
    """A device introduces itself."""

    key = serializers.CharField(max_length=200)
    resource_account = serializers.CharField(max_length=200)
    display_name = Text(max_length=200, required=False, allow_blank=True, default="")
    host_name = Text(max_length=100)
    serial_number = Text(max_length=100, allow_blank=True)
    app_version = Text(max_length=40)
    os_version = Text(max_length=60)
    time_zone = Text(max_length=60, required=False, allow_blank=True, default="")

    def validate_resource_account(self, value: str) -> str:
        return normalise(value)

    def validate_time_zone(self, value: str) -> str:
        try:
            refuse_unfit({"time_zone": value})
        except ValidationError as error:
            raise serializers.ValidationError(error.messages, code="unknown_time_zone") from error
        return value


class SignalSaid(Body):
    category = serializers.ChoiceField(SignalCategory.choices)
    name = Text(max_length=80)
    severity = serializers.ChoiceField(Severity.choices)
    ok = serializers.BooleanField()


class UsageSaid(Body):
    day = serializers.DateField()
    booked_minutes = serializers.IntegerField(min_value=0, max_value=LONGEST_DAY)
    calls = serializers.IntegerField(min_value=0, max_value=10_000)
    poor_calls = serializers.IntegerField(min_value=0, max_value=10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["poor_calls"] > attrs["calls"]:
            raise serializers.ValidationError({"poor_calls": [_("There are not so many calls.")]}, code="out_of_range")
        return attrs


class UpdateSaid(Body):
    version = Text(max_length=40)
    failed = Text(max_length=200)


class Reporting(Body):
    """One report of a device."""

    signals = SignalSaid(many=True, max_length=MOST_SIGNALS)
    app_version = Text(max_length=40)
    os_version = Text(max_length=60)
    usage = UsageSaid(many=True, required=False, max_length=MOST_DAYS)
    update = UpdateSaid(required=False)

    def validate_signals(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = {(one["category"], one["name"]) for one in value}
        if len(names) != len(value):
            raise serializers.ValidationError(_("Name each signal once."), code="repeated_signal")
        return value

    def validate_usage(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        days = [one["day"] for one in value]
        if len(set(days)) != len(days):
            raise serializers.ValidationError(_("Name each day once."), code="repeated_day")
        return value


class AgentView(ApiView):
    """An address for devices."""

    schema = None
    authentication_classes: ClassVar[list[type[BaseAuthentication]]] = [DeviceToken]
    permission_classes = [IsDevice]
    throttle_classes = [PerDevice]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As ApiView's, for small bodies only."""
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if length.isdecimal() and int(length[:12]) > LARGEST_BODY:
            raise RequestDataTooBig
        super().initial(request, *args, **kwargs)

    def get_authenticate_header(self, request: Request) -> str:
        return DeviceRefused.auth_header


class Enroll(AgentView):
    """The key is in the body; the answer is the only one that ever holds the token."""

    authentication_classes: ClassVar[list[type[BaseAuthentication]]] = []
    permission_classes = [AllowAny]
    throttle_classes = [PerAddress]

    def post(self, request: Request) -> Response:
        said = self.read(Enrolling)
        device, token = enrolments.enroll(said.pop("key"), Introduction(**said))
        room = device.room
        answer = {"token": token, "room": {"id": room.pk, "display_name": room.display_name, "state": room.state}}
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class Telemetry(AgentView):
    def post(self, request: Request) -> Response:
        said = self.read(Reporting)
        report = Report(
            signals=[Signal(one["category"], one["name"], one["severity"], one["ok"]) for one in said["signals"]],
            app_version=said["app_version"],
            os_version=said["os_version"],
            usage=[Usage(**one) for one in said.get("usage", ())],
            failure=said.get("update", {}).get("failed", ""),
        )
        ignored = telemetry.record(request.auth, report)
        answer = {"report_again_in": int(telemetry.EVERY.total_seconds()), "ignored_days": ignored}
        return Response(answer)


class Desired(AgentView):
    def get(self, request: Request) -> Response:
        target = rollouts.target_of(request.auth.room)
        window = None
        if target.starts_at is not None and target.ends_at is not None:
            window = {"from": target.starts_at, "to": target.ends_at}
        return Response(
            {
                "ring": target.ring.name,
                "target_version": target.target_version,
                "window": window,
                "now": target.now,
            },
            headers={"Cache-Control": "no-store"},
        )
