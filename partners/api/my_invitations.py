"""The invitations addressed to the signed-in person. Nobody else sees them, a token of his neither."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from partners.api import examples
from partners.api.serializers import AcceptBody, EmptyBody, MyInvitation, MyInvitationDetail
from partners.errors import (
    AlreadyInvited,
    AlreadyPrimaryAdmin,
    DailyLimit,
    DuplicateContact,
    InvitationOver,
    LinkNeeded,
    NoAdmin,
    UndoOver,
    UnknownColleague,
    WrongTenant,
)
from partners.lists import bases_of
from partners.models import Invitation, InvitationState
from partners.services import denials, invitations
from rbac.api.base import PAGING, ApiView, absolute, answer_page, named, page_of, page_schema
from rbac.api.errors import InvalidParameters
from rbac.catalogue import Permission
from rbac.errors import AlreadyPartner, DelegationOver
from rooms.reach import room_counts

TAG = "My invitations"


class MineView(ApiView):
    """For the person alone."""

    for_tokens = False

    def mine(self, request: Request) -> Any:
        """The invitations addressed to the person, as of now."""
        addressed = Invitation.objects.addressed_to(request.user).exclude(tenant=request.user.tenant_id)
        may_undo = Exists(Invitation.objects.undoable().filter(pk=OuterRef("pk")))
        return (
            addressed.as_of_now()
            .annotate(may_undo=may_undo)
            .select_related("tenant", "relationship__delegation", "relationship__tenant")
        )

    def find(self, request: Request, invitation_id: UUID) -> Invitation:
        """One of them. Raises Http404."""
        found: Invitation | None = self.mine(request).filter(pk=invitation_id).first()
        if found is None:
            raise Http404
        return found


class MyInvitations(MineView):
    parameters = frozenset({"state", "cursor", "page_size"})

    @extend_schema(
        operation_id="my_invitations",
        tags=[TAG],
        summary="The invitations addressed to you",
        description="Newest first.",
        parameters=[OpenApiParameter("state", str, enum=InvitationState.values), *PAGING],
        responses=page_schema(MyInvitation),
        examples=[examples.MY_INVITATIONS],
    )
    def get(self, request: Request) -> Response:
        state, mine = request.query_params.get("state"), self.mine(request)
        if state is not None:
            if state not in InvitationState.values:
                raise InvalidParameters({"state": ("invalid_choice", ", ".join(InvitationState.values))})
            mine = mine.filter(state_now=state)
        found = page_of(request, mine, ("-created_at", "-id"))
        return answer_page(request, found, [_item(one) for one in found.items])


class OneOfMine(MineView):
    versioned = Invitation

    @extend_schema(
        operation_id="my_invitation",
        tags=[TAG],
        summary="One invitation addressed to you",
        responses=MyInvitationDetail,
        examples=[examples.MY_INVITATION],
    )
    def get(self, request: Request, invitation_id: UUID) -> Response:
        found = self.find(request, invitation_id)
        return self.answer(found, _detail(request, found))


class Answer(MineView):
    """Two addresses that answer an invitation."""

    versioned = Invitation

    def respond(
        self, request: Request, invitation_id: UUID, service: Callable[..., Invitation], **said: Any
    ) -> Response:
        """The invitation after `service`."""
        service(self.find(request, invitation_id), by=request.user, **said)
        answered = self.find(request, invitation_id)
        return self.answer(answered, _detail(request, answered))


class Accept(Answer):
    problems = {
        "post": (
            *(InvitationOver, DelegationOver, LinkNeeded, WrongTenant, AlreadyPartner),
            *(NoAdmin, DuplicateContact, UnknownColleague),
        )
    }

    @extend_schema(
        operation_id="my_invitation_accept",
        tags=[TAG],
        summary="Accept an invitation",
        description=(
            "You become a primary admin; the first who accepts links the two organisations. Invited by domain, you name "
            "`admins` instead, and see nothing of the customer yourself unless you are one of them. The same person "
            "accepting again gets the same answer."
        ),
        request=AcceptBody,
        responses=MyInvitationDetail,
        examples=[examples.ACCEPT, examples.ACCEPT_FOR_DOMAIN, examples.ACCEPTED],
    )
    def post(self, request: Request, invitation_id: UUID) -> Response:
        self.find(request, invitation_id)
        body = self.read(AcceptBody)
        return self.respond(request, invitation_id, invitations.accept, secret=body["secret"], admins=body["admins"])


class Deny(Answer):
    problems = {"post": (InvitationOver, DelegationOver)}

    @extend_schema(
        operation_id="my_invitation_deny",
        tags=[TAG],
        summary="Decline an invitation",
        description="Only your own one; those of others stay.",
        request=None,
        responses=MyInvitationDetail,
        examples=[examples.DENIED],
    )
    def post(self, request: Request, invitation_id: UUID) -> Response:
        self.find(request, invitation_id)
        self.read(EmptyBody)
        return self.respond(request, invitation_id, invitations.deny)


class Undo(MineView):
    makes = "api-my-invitation"
    problems = {"post": (UndoOver, DelegationOver, WrongTenant, AlreadyInvited, AlreadyPrimaryAdmin, DailyLimit)}

    @extend_schema(
        operation_id="my_invitation_undo",
        tags=[TAG],
        summary="Take back a denial",
        description=(
            "Within 24 hours, once, while the invitation would still live. The denied invitation stays denied; the answer "
            "is a new one with the old expiry. Taking back again gives the same answer."
        ),
        request=None,
        responses={201: MyInvitationDetail},
        examples=[examples.REOPENED],
    )
    def post(self, request: Request, invitation_id: UUID) -> Response:
        denied = self.find(request, invitation_id)
        self.read(EmptyBody)
        reopened = denials.undo(denied, by=request.user)
        place = absolute(reverse("api-my-invitation", args=[reopened.pk]))
        answer = _detail(request, self.find(request, reopened.pk))
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": place})


def _item(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "customer": named(invitation.tenant),
        "domain": invitation.domain,
        "state": invitation.state_now,  # type: ignore[attr-defined]
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "decided_at": invitation.decided_at,
        "may_undo": invitation.may_undo,  # type: ignore[attr-defined]
    }


def _detail(request: Request, invitation: Invitation) -> dict[str, Any]:
    """What accepting takes and gives; of an invitation that is answered with no, or over, nothing more is told."""
    item = _item(invitation)
    is_told = item["state"] in (InvitationState.PENDING, InvitationState.ACCEPTED)
    base = bases_of([invitation.relationship]).get(invitation.relationship.delegation_id) if is_told else None
    held = base.role.permissions if base else ()
    return item | {
        "needs_link": item["state"] == InvitationState.PENDING and invitations.needs_link(invitation, request.user),
        "all_rooms": base is not None and base.all_rooms,
        "room_count": room_counts([base])[base.pk] if base else 0,
        "permissions": [code.value for code in Permission if code in held],
    }
