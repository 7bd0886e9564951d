"""Who speaks below /api/agent/v1/: a device with its token, or one that still has to enrol; and how often."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from rbac.api.counting import count, until_next
from rooms.errors import DeviceRefused
from rooms.models import Device
from rooms.services import telemetry


class DeviceToken(BaseAuthentication):
    """`Authorization: Bearer trmd_…`. Sessions and the tokens of people are nothing here."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Device]:
        """The device, which is no person. Raises DeviceRefused, always the same, for whatever is no live token."""
        kind, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        device = telemetry.device_of(token.strip()) if kind.lower() == "bearer" else None
        if device is None:
            raise DeviceRefused
        return AnonymousUser(), device

    def authenticate_header(self, request: Request) -> str:
        return DeviceRefused.auth_header


class IsDevice(BasePermission):
    """Nobody else gets past DeviceToken; this says so once more."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Device)


class PerMinute(BaseThrottle):
    """At most so many requests of the same caller in a minute of the clock."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the caller may go on."""
        return count(self.caller(request)) <= self.limit()

    def wait(self) -> int:
        """Seconds until the next minute of the clock begins."""
        return until_next()

    def caller(self, request: Request) -> str:
        raise NotImplementedError

    def limit(self) -> int:
        raise NotImplementedError


class PerDevice(PerMinute):
    def caller(self, request: Request) -> str:
        assert isinstance(request.auth, Device)
        return f"device:{request.auth.pk}"

    def limit(self) -> int:
        return int(settings.AGENT_REQUESTS_PER_MINUTE)


class PerAddress(PerMinute):
    def caller(self, request: Request) -> str:
        return f"enroll:{request.META['REMOTE_ADDR']}"

    def limit(self) -> int:
        return int(settings.ENROLLMENTS_PER_MINUTE)
