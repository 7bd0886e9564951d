"""The signed-in person's tokens for a customer that delegated something to his organisation."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from partners.api import examples
from partners.api.serializers import NewToken, TokenBody, TokenItem
from partners.models import ApiToken
from partners.services import tokens
from rbac import access, gates
from rbac.api.base import PAGING, CustomerView, absolute, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.errors import StepUpRequired
from rbac.gates import TenantRequest, refuse
from rbac.models import Delegation

TAG = "Tokens"


class TokensView(CustomerView):
    """For a partner's people, signed in themselves: a tool makes no tools. The customer's own people need none."""

    for_tokens = False

    def enter(self, request: Request, **kwargs: Any) -> None:
        """Raises PermissionDenied for those who hold nothing through a delegation here.

        One looks at one's own tokens and revokes them whatever the customer asks for.
        """
        try:
            super().enter(request, **kwargs)
        except StepUpRequired:
            if request.method == "POST":
                raise
            entered, tenant_id = cast(Any, request), kwargs["tenant_id"]
            entered.person, entered.held = request.user, access.with_withheld(request.user, tenant_id)
            entered.customer = gates.standing(entered).tenant(tenant_id)
        if not self.delegations(request):
            refuse(cast(TenantRequest, request), Permission.ROOMS_VIEW)

    @staticmethod
    def delegations(request: Any) -> set[UUID]:
        """Through which delegations the person is here: one, since there is one for each pair of tenants."""
        return {one.delegation_id for one in request.held if one.delegation_id is not None}

    def delegation(self, request: TenantRequest) -> UUID:
        """The one."""
        [found] = self.delegations(request)
        return found


class Tokens(TokensView):
    makes = "api-token"
    secret = frozenset({"post"})
    parameters = frozenset({"cursor", "page_size"})

    @extend_schema(
        operation_id="tokens",
        tags=[TAG],
        summary="Your tokens",
        description="Your own ones for this customer, newest first, without their secrets.",
        parameters=PAGING,
        responses=page_schema(TokenItem),
        examples=[examples.TOKENS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        own = tokens.held_by(request.person, self.delegation(request))
        found = page_of(request, own, ("-created", "-token_key"))
        return answer_page(request, found, [item_of(one) for one in found.items])

    @extend_schema(
        operation_id="token_issue",
        tags=[TAG],
        summary="Issue a token",
        description=(
            "It may do what you may do here, narrowed to `scopes`. The answer is the only one that holds the secret, "
            "`token`; send it as `Authorization: Token trm_…`."
        ),
        request=TokenBody,
        responses={201: NewToken},
        examples=[examples.TOKEN_WANTED, examples.NEW_TOKEN],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        body = self.read(TokenBody)
        issued, secret = tokens.issue(
            Delegation.objects.get(pk=self.delegation(request)),
            body["name"],
            by=request.person,
            scopes={Permission(code) for code in body["scopes"]},
            lifetime=timedelta(days=body["days"]),
        )
        place = absolute(reverse("api-token", args=[tenant_id, issued.token_key]))
        answer = item_of(issued) | {"token": secret}
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": place})


class OneToken(TokensView):
    versioned = ApiToken

    @extend_schema(
        operation_id="token",
        tags=[TAG],
        summary="One of your tokens",
        responses=TokenItem,
        examples=[examples.TOKEN],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, prefix: str) -> Response:
        found = self._find(request, prefix)
        return self.answer(found, item_of(found))

    @extend_schema(
        operation_id="token_revoke",
        tags=[TAG],
        summary="Revoke one of your tokens",
        description="It opens nothing any more, from its next request on.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, prefix: str) -> Response:
        tokens.revoke(self._find(request, prefix), by=request.person)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _find(self, request: TenantRequest, prefix: str) -> ApiToken:
        own = tokens.held_by(request.person, self.delegation(request))
        found = own.select_related("delegation").filter(token_key=prefix).first()
        if found is None:
            raise Http404
        return found


def item_of(token: ApiToken) -> dict[str, Any]:
    """A token without its secret."""
    return {
        "prefix": token.token_key,
        "name": token.name,
        "scopes": token.scopes,
        "created_at": token.created,
        "expires_at": token.expiry,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }
