"""Who asks, and the terms that everybody can read."""

from typing import Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from partners.api import examples
from partners.api.serializers import Me as MeSchema
from partners.api.serializers import TermsSchema
from partners.models import ApiToken
from partners.services import drafts
from rbac import gates
from rbac.api.base import ApiView, absolute, named
from rbac.paging import MAX_SIZE


class Me(ApiView):
    @extend_schema(
        operation_id="me",
        tags=["Me"],
        summary="Who you are",
        description="You, the token you ask with if you do, and the customers you can work in.",
        responses=MeSchema,
        examples=[examples.ME],
    )
    def get(self, request: Request) -> Response:
        person, home = request.user, request.user.tenant
        tenants = gates.standing(request).tenants[:MAX_SIZE]  # type: ignore[arg-type]
        return Response(
            {
                "upn": person.upn,
                "name": person.get_full_name(),
                "home": named(home) if home else None,
                "token": _token(request.auth) if request.auth is not None else None,
                "customers": [named(one) for one in tenants],
                "customers_url": absolute(reverse("api-customers")),
            }
        )


def _token(token: ApiToken) -> dict[str, Any]:
    return {"prefix": token.token_key, "name": token.name, "scopes": token.scopes, "expires_at": token.expiry}


class CurrentTerms(ApiView):
    @extend_schema(
        operation_id="terms",
        tags=["Partners"],
        summary="The terms as they are now",
        description="To be read before *Add a partner*, which asks for their version.",
        responses=TermsSchema,
        examples=[examples.TERMS],
    )
    def get(self, request: Request) -> Response:
        terms = drafts.current_terms()
        if terms is None:
            raise Http404
        return Response(
            {
                "version": terms.version,
                "text": terms.text,
                "sha256": terms.digest,
                "published_at": terms.published_at,
            }
        )
