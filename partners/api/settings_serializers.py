"""How the settings of a customer look in requests and answers."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from partners.api.serializers import LineField
from rbac.api.base import Body, refuse_unknown_fields
from rbac.preferences import MOST_ADDRESSES
from rbac.services.branding import LONGEST_FOOTER, LONGEST_SENDER
from rbac.services.notifications import Event


class DomainItem(serializers.Serializer[Any]):
    """A domain; it counts once it is verified."""

    id = serializers.IntegerField()
    domain = serializers.CharField()
    verified_at = serializers.DateTimeField(allow_null=True)


class GeneralItem(serializers.Serializer[Any]):
    """What the portal knows of the organisation."""

    name = serializers.CharField()
    language = serializers.ChoiceField(choices=[code for code, _ in settings.LANGUAGES])
    time_zone = serializers.CharField()
    entra_tid = serializers.UUIDField(allow_null=True)
    domains = DomainItem(many=True)


class GeneralBody(Body):
    """What is to be changed; fields that are left out stay as they are."""

    name = LineField(max_length=200, required=False)
    language = serializers.ChoiceField(choices=[code for code, _ in settings.LANGUAGES], required=False)
    time_zone = serializers.CharField(max_length=60, required=False)


class DomainBody(Body):
    """A domain to be entered."""

    domain = LineField(max_length=100)


class ChoiceItem(serializers.Serializer[Any]):
    """Who is told of one event."""

    event = serializers.ChoiceField(choices=Event.values)
    to_admins = serializers.BooleanField()
    addresses = serializers.ListField(child=serializers.CharField())


class NotificationList(serializers.Serializer[Any]):
    """Every event."""

    items = ChoiceItem(many=True)


class ChoiceBody(Body):
    """Who is to be told of an event."""

    to_admins = serializers.BooleanField()
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=254), required=False, default=list, max_length=MOST_ADDRESSES
    )


class NotificationBody(Body):
    """By event; events that are left out stay as they are."""

    events = serializers.DictField(child=ChoiceBody(), allow_empty=False)

    def validate_events(self, value: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for what is no event."""
        refuse_unknown_fields(set(value) - set(Event.values))
        return value


class LookItem(serializers.Serializer[Any]):
    """How mails look; empty: the portal's own look."""

    sender_name = serializers.CharField()
    accent = serializers.CharField(help_text="#rrggbb")
    footer = serializers.CharField()


class LookBody(Body):
    """What is to be changed; fields that are left out stay as they are."""

    sender_name = serializers.CharField(max_length=LONGEST_SENDER, required=False, allow_blank=True)
    accent = serializers.CharField(max_length=7, required=False, allow_blank=True)
    footer = serializers.CharField(max_length=LONGEST_FOOTER, required=False, allow_blank=True)


class AcceptanceItem(serializers.Serializer[Any]):
    """Who agreed to a version for the organisation."""

    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    accepted_by = serializers.CharField()
    accepted_at = serializers.DateTimeField()


class CustomerTermsItem(serializers.Serializer[Any]):
    """The newest terms, whether they wait for agreement, and what was agreed to."""

    version = serializers.IntegerField()
    text = serializers.CharField(help_text="In the language of the request.")
    sha256 = serializers.CharField()
    published_at = serializers.DateTimeField()
    is_waiting = serializers.BooleanField(help_text="Whether changes of a partner wait for your agreement.")
    acceptances = AcceptanceItem(many=True)


class AgreeBody(Body):
    """Agreeing to the version that was read, and to no other."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    agrees = serializers.BooleanField()
