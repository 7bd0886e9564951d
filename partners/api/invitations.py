"""The invitations of one partner, for the customer: list, send more, send again, withdraw."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response

from partners.api import examples
from partners.api.partners import INVITING, PartnersView
from partners.api.serializers import EmptyBody, InvitationItem, InviteBody, SentInvitations, contacts_in
from partners.errors import DailyLimit, InvitationOver
from partners.models import Invitation
from partners.services import invitations
from rbac import access
from rbac.api.base import PAGING, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.errors import DelegationOver, TermsWaiting
from rbac.gates import TenantRequest

TAG = "Invitations of a partner"


class InvitationsView(PartnersView):
    """Below one partner."""

    def sent(self, request: TenantRequest, relationship_id: UUID) -> Any:
        """The partner's invitations, as of now."""
        rows = Invitation.objects.filter(tenant=request.customer, relationship=relationship_id).as_of_now()
        rows = rows.select_related("relationship__delegation", "relationship__tenant")
        return access.visible(request.person, Permission.SETTINGS_VIEW, rows, request.held)

    def find_sent(self, request: TenantRequest, relationship_id: UUID, invitation_id: UUID) -> Invitation:
        """One of them. Raises Http404."""
        found: Invitation | None = self.sent(request, relationship_id).filter(pk=invitation_id).first()
        if found is None:
            raise Http404
        return found


class Invitations(InvitationsView):
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (*INVITING, DelegationOver, TermsWaiting)}

    @extend_schema(
        operation_id="partner_invitations",
        tags=[TAG],
        summary="The invitations of a partner",
        description="Needs `settings.view`. Newest first.",
        parameters=PAGING,
        responses=page_schema(InvitationItem),
        examples=[examples.INVITATIONS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID) -> Response:
        self.find(request, relationship_id)
        found = page_of(request, self.sent(request, relationship_id), ("-created_at", "-id"))
        return answer_page(request, found, [item_of(one) for one in found.items])

    @extend_schema(
        operation_id="partner_invite",
        tags=[TAG],
        summary="Invite more people",
        description="Needs `settings.modify`. All of them are invited or nobody; the mails leave afterwards.",
        request=InviteBody,
        responses={201: SentInvitations},
        examples=[examples.CONTACTS, examples.SENT],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID) -> Response:
        relationship, body = self.find(request, relationship_id), self.read(InviteBody)
        sent = invitations.invite(relationship, contacts_in(body["contacts"]), by=request.person, days=body["days"])
        found = {one.pk: one for one in self.sent(request, relationship_id).filter(pk__in=[one.pk for one in sent])}
        return Response({"items": [item_of(found[one.pk]) for one in sent]}, status=status.HTTP_201_CREATED)


class OneInvitation(InvitationsView):
    versioned = Invitation

    @extend_schema(
        operation_id="partner_invitation",
        tags=[TAG],
        summary="One invitation of a partner",
        description="Needs `settings.view`.",
        responses=InvitationItem,
        examples=[examples.INVITATION],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID, invitation_id: UUID) -> Response:
        found = self.find_sent(request, relationship_id, invitation_id)
        return self.answer(found, item_of(found))


class ChangeInvitation(InvitationsView):
    """Two addresses that change an invitation which is still open."""

    versioned = Invitation

    def change(self, request: TenantRequest, place: tuple[UUID, UUID], service: Callable[..., Invitation]) -> Response:
        """The invitation after `service`."""
        found = self.find_sent(request, *place)
        self.read(EmptyBody)
        service(found, by=request.person)
        changed = self.find_sent(request, *place)
        return self.answer(changed, item_of(changed))


class Resend(ChangeInvitation):
    problems = {"post": (InvitationOver, DelegationOver, TermsWaiting, DailyLimit)}

    @extend_schema(
        operation_id="partner_invitation_resend",
        tags=[TAG],
        summary="Send an invitation again",
        description="Needs `settings.modify`. A new mail leaves; links in earlier mails no longer work.",
        request=None,
        responses=InvitationItem,
        examples=[examples.INVITATION],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID, invitation_id: UUID) -> Response:
        return self.change(request, (relationship_id, invitation_id), invitations.resend)


class Revoke(ChangeInvitation):
    problems = {"post": (InvitationOver, DelegationOver)}

    @extend_schema(
        operation_id="partner_invitation_revoke",
        tags=[TAG],
        summary="Withdraw an invitation",
        description="Needs `settings.modify`.",
        request=None,
        responses=InvitationItem,
        examples=[examples.REVOKED],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID, invitation_id: UUID) -> Response:
        return self.change(request, (relationship_id, invitation_id), invitations.revoke)


def item_of(invitation: Invitation) -> dict[str, Any]:
    """An invitation of `as_of_now` as the customer sees it."""
    return {
        "id": invitation.pk,
        "name": invitation.contact_name,
        "upn": invitation.upn,
        "domain": invitation.domain,
        "by_partner": invitation.by_partner,
        "delivery_address": invitation.delivery_address,
        "state": invitation.state_now,  # type: ignore[attr-defined]
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "decided_at": invitation.decided_at,
    }
