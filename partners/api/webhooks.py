"""The webhooks that one keeps: made, changed, tried; the log of what was delivered, and delivering it again."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from audit.events import About, EventType
from partners.api import webhook_examples as examples
from partners.errors import InvalidWebhookAddress, NoEvents, TooManyTests, TooManyWebhooks, WebhookOff
from partners.failures import Failure
from partners.services import webhooks
from partners.services.webhooks import LONGEST_GRACE, Owner, kept_by
from partners.webhooks import DeliveryState, OffReason, Webhook, WebhookDelivery
from rbac.api.base import PAGING, Body, CustomerView, Nothing, answer_page, page_of, page_schema
from rbac.api.errors import InvalidParameters
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, refuse

TAG = "Webhooks"
MOST_HOURS = int(LONGEST_GRACE / timedelta(hours=1))
NEEDS = (
    "For who modifies the customer’s settings: its own webhooks. For a partner’s primary admin, and his tools with "
    "`roles.modify`: the partner’s for this customer."
)


class WebhookBody(Body):
    """A new webhook."""

    url = serializers.CharField(max_length=500, help_text="`https://`, a public name, no user name in it.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.values), allow_empty=False, max_length=len(EventType)
    )
    description = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class WebhookChanges(Body):
    """What is to be changed; fields that are left out stay as they are."""

    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.values),
        allow_empty=False,
        max_length=len(EventType),
        required=False,
    )
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    on = serializers.BooleanField(required=False, help_text="Turn it on or off; alone, without other fields.")


class RotationBody(Body):
    """For how long the secret of today goes on signing beside the new one."""

    grace_hours = serializers.IntegerField(min_value=0, max_value=MOST_HOURS, required=False, default=24)


class WebhookItem(serializers.Serializer[Any]):
    """A webhook, without its secret."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(choices=EventType.values))
    description = serializers.CharField()
    on = serializers.BooleanField()
    off_reason = serializers.ChoiceField(choices=OffReason.values, allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    rotated_at = serializers.DateTimeField(help_text="Since when the secret signs.")
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Since when nothing arrives; null if it does.")


class NewWebhook(WebhookItem):
    """A webhook with its secret, which is shown this once."""

    secret = serializers.CharField()


class DeliveryObject(serializers.Serializer[Any]):
    """What the event is about."""

    type = serializers.ChoiceField(choices=About.values)
    id = serializers.CharField()


class DeliveryItem(serializers.Serializer[Any]):
    """An event and what has become of it."""

    id = serializers.UUIDField(help_text="Of the event; the same at every attempt, and in `webhook-id`.")
    type = serializers.CharField()
    object = DeliveryObject()
    state = serializers.ChoiceField(choices=DeliveryState.values)
    created_at = serializers.DateTimeField()
    attempts = serializers.IntegerField()
    tried_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried next; null once it is settled.")
    settled_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="The receiver’s last answer; null without any.")
    error = serializers.ChoiceField(
        choices=["", *Failure.values], help_text="Why there was no answer, or why it did not count; else empty."
    )


class WebhooksView(CustomerView):
    """Below the webhooks of whom the person keeps: the customer itself, or the partner of which he is a primary admin."""

    gate = (Permission.SETTINGS_MODIFY, Permission.ROLES_MODIFY)
    owner: Owner

    def enter(self, request: Request, **kwargs: Any) -> None:
        """Raises PermissionDenied for those who keep none here."""
        super().enter(request, **kwargs)
        entered: Any = request
        owner = kept_by(entered.person, entered.customer, entered.held)
        if owner is None:
            is_home = entered.person.tenant_id == entered.customer.pk
            refuse(entered, Permission.SETTINGS_MODIFY if is_home else Permission.ROLES_MODIFY)
        self.owner = owner

    def find(self, request: TenantRequest, webhook_id: UUID) -> Webhook:
        """One of them. Raises Http404."""
        found = webhooks.own(request.person, self.owner, request.held).filter(pk=webhook_id).first()
        if found is None:
            raise Http404
        return found

    def find_delivery(self, request: TenantRequest, webhook_id: UUID, event_id: UUID) -> WebhookDelivery:
        """One of its deliveries. Raises Http404."""
        webhook = self.find(request, webhook_id)
        found = WebhookDelivery.objects.filter(webhook=webhook, event_id=event_id).first()
        if found is None:
            raise Http404
        found.webhook = webhook
        return found


class Webhooks(WebhooksView):
    versioned = Webhook
    makes = "api-webhook"
    secret = frozenset({"post"})
    parameters = frozenset({"cursor", "page_size"})
    for_people = frozenset({"post"})
    problems: ClassVar = {"post": (InvalidWebhookAddress, NoEvents, TooManyWebhooks)}

    @extend_schema(
        operation_id="webhooks",
        tags=[TAG],
        summary="The webhooks you keep",
        description=NEEDS,
        parameters=PAGING,
        responses=page_schema(WebhookItem),
        examples=[examples.MANY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        own = webhooks.own(request.person, self.owner, request.held)
        found = page_of(request, own, ("-created_at", "-id"))
        return answer_page(request, found, [item_of(one) for one in found.items])

    @extend_schema(
        operation_id="webhook_create",
        tags=[TAG],
        summary="Make a webhook",
        description=f"{NEEDS} By people, not by tools. The answer is the only one that holds the `secret`.",
        request=WebhookBody,
        responses={201: NewWebhook},
        examples=[examples.WANTED, examples.MADE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        body = self.read(WebhookBody)
        made, secret = webhooks.create(self.owner, body.pop("url"), by=request.person, **body)
        return self.answer(made, item_of(made) | {"secret": secret}, status=status.HTTP_201_CREATED)


class OneWebhook(WebhooksView):
    versioned = Webhook
    for_people = frozenset({"patch", "delete"})
    problems: ClassVar = {"patch": (InvalidWebhookAddress, NoEvents)}

    @extend_schema(
        operation_id="webhook",
        tags=[TAG],
        summary="One webhook",
        description=NEEDS,
        responses=WebhookItem,
        examples=[examples.ONE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID) -> Response:
        found = self.find(request, webhook_id)
        return self.answer(found, item_of(found))

    @extend_schema(
        operation_id="webhook_modify",
        tags=[TAG],
        summary="Change a webhook, turn it off or on",
        description=(
            f"{NEEDS} By people, not by tools. While it is off nothing new is kept for it; what waits is sent once it is "
            "on again."
        ),
        request=WebhookChanges,
        responses=WebhookItem,
        examples=[examples.CHANGED, examples.ONE],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID) -> Response:
        found, changes = self.find(request, webhook_id), self.read(WebhookChanges)
        if not changes or ("on" in changes and len(changes) > 1):
            raise ValidationError(
                [ErrorDetail(_("Name fields to change; turning on or off stands alone."), code="empty")]
            )
        if "on" in changes:
            changed = (webhooks.turn_on if changes["on"] else webhooks.turn_off)(found, by=request.person)
        else:
            wanted = {"url": found.url, "events": found.events, "description": found.description} | changes
            changed = webhooks.modify(found, by=request.person, **wanted)
        return self.answer(changed, item_of(changed))

    @extend_schema(
        operation_id="webhook_delete",
        tags=[TAG],
        summary="Delete a webhook",
        description=f"{NEEDS} By people, not by tools. Nothing is sent any more, and its log is gone.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID) -> Response:
        webhooks.delete(self.find(request, webhook_id), by=request.person)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Rotate(WebhooksView):
    versioned = Webhook
    secret = frozenset({"post"})
    for_people = frozenset({"post"})

    @extend_schema(
        operation_id="webhook_rotate",
        tags=[TAG],
        summary="Give a webhook another secret",
        description=(
            f"{NEEDS} By people, not by tools. The secret of today goes on signing for `grace_hours` beside the new one, "
            "which this answer alone holds."
        ),
        request=RotationBody,
        responses=NewWebhook,
        examples=[examples.ROTATION, examples.ROTATED],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID) -> Response:
        found, body = self.find(request, webhook_id), self.read(RotationBody)
        secret = webhooks.rotate(found, by=request.person, grace=timedelta(hours=body["grace_hours"]))
        rotated = self.find(request, webhook_id)
        return self.answer(rotated, item_of(rotated) | {"secret": secret})


class SendTest(WebhooksView):
    for_people = frozenset({"post"})
    problems: ClassVar = {"post": (WebhookOff, TooManyTests)}

    @extend_schema(
        operation_id="webhook_test",
        tags=[TAG],
        summary="Send a test event",
        description=f"{NEEDS} By people, not by tools. An event `webhook.test` is on its way; look at it in the log.",
        request=None,
        responses=DeliveryItem,
        examples=[examples.TEST],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID) -> Response:
        found = self.find(request, webhook_id)
        self.read(Nothing)
        sent = webhooks.send_test(found, by=request.person)
        return Response(delivery_of(sent))


class Deliveries(WebhooksView):
    parameters = frozenset({"state", "cursor", "page_size"})

    @extend_schema(
        operation_id="deliveries",
        tags=[TAG],
        summary="What was delivered",
        description=f"{NEEDS} The newest first; kept for 30 days.",
        parameters=[OpenApiParameter("state", str, enum=DeliveryState.values), *PAGING],
        responses=page_schema(DeliveryItem),
        examples=[examples.DELIVERIES],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID) -> Response:
        rows = WebhookDelivery.objects.filter(webhook=self.find(request, webhook_id))
        if (state := request.query_params.get("state")) is not None:  # type: ignore[attr-defined]
            if state not in DeliveryState.values:
                raise InvalidParameters({"state": ("invalid_choice", ", ".join(DeliveryState.values))})
            rows = rows.filter(state=state)
        found = page_of(request, rows, ("-id",))
        return answer_page(request, found, [delivery_of(one) for one in found.items])


class OneDelivery(WebhooksView):
    @extend_schema(
        operation_id="delivery",
        tags=[TAG],
        summary="One delivery",
        description=NEEDS,
        responses=DeliveryItem,
        examples=[examples.DELIVERY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID, event_id: UUID) -> Response:
        return Response(delivery_of(self.find_delivery(request, webhook_id, event_id)))


class Redeliver(WebhooksView):
    problems: ClassVar = {"post": (WebhookOff,)}

    @extend_schema(
        operation_id="delivery_redeliver",
        tags=[TAG],
        summary="Deliver an event again",
        description=(
            f"{NEEDS} It is tried at once, with the id it had: a receiver that has taken it knows it again. What waits is "
            "tried now."
        ),
        request=None,
        responses=DeliveryItem,
        examples=[examples.REDELIVERED],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, webhook_id: UUID, event_id: UUID) -> Response:
        found = self.find_delivery(request, webhook_id, event_id)
        self.read(Nothing)
        again = webhooks.redeliver(found, by=request.person)
        return Response(delivery_of(again))


def item_of(webhook: Webhook) -> dict[str, Any]:
    """A webhook without its secret."""
    return {
        "id": webhook.pk,
        "url": webhook.url,
        "events": webhook.events,
        "description": webhook.description,
        "on": webhook.is_active,
        "off_reason": webhook.off_reason or None,
        "version": webhook.version,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "rotated_at": webhook.rotated_at,
        "failing_since": webhook.failing_since,
    }


def delivery_of(delivery: WebhookDelivery) -> dict[str, Any]:
    """A line of the log."""
    return {
        "id": delivery.event_id,
        "type": delivery.type,
        "object": {"type": delivery.about, "id": delivery.object_id},
        "state": delivery.state,
        "created_at": delivery.created_at,
        "attempts": delivery.attempts,
        "tried_at": delivery.tried_at,
        "next_at": delivery.due_at if delivery.state == DeliveryState.WAITING else None,
        "settled_at": delivery.settled_at,
        "status": delivery.status or None,
        "error": delivery.error,
    }
