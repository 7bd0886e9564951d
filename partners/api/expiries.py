"""What ends soon, over all customers one works for."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from partners.expiries import DEFAULT, KINDS, ORDER, WITHIN, Expiry, ExpiryFilter, lines_of
from rbac.api.base import PAGING, AggregateView, Named, aggregate_page_schema, answer_aggregate_page, page_of
from rbac.api.errors import refuse_filter
from rbac.gates import PersonRequest

TAG = "All customers"


class ExpiryItem(serializers.Serializer[Any]):
    """Something that ends, and of which customer."""

    kind = serializers.ChoiceField(choices=list(KINDS))
    key = serializers.CharField(help_text="Its id; of a token the beginning by which it is listed.")
    customer = Named()
    name = serializers.CharField(allow_null=True, help_text="Null once it has left your scope.")
    ends_at = serializers.DateTimeField()


EXAMPLE = OpenApiExample(
    "A token that ends",
    value={
        "items": [
            {
                "kind": "token",
                "key": "trm_a1b2c3d4e5f",
                "customer": {"id": "3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11", "name": "Contoso"},
                "name": "Ticket bridge",
                "ends_at": "2026-02-10T14:05:00Z",
            }
        ],
        "left_out": [],
        "next": None,
        "previous": None,
    },
    response_only=True,
    status_codes=["200"],
)


class Expiring(AggregateView):
    parameters = ExpiryFilter.NAMES | {"cursor", "page_size"}

    @extend_schema(
        operation_id="all_expiring",
        tags=[TAG],
        summary="What ends soon",
        description=(
            "Your invitations and tokens, the relationships and assignments through which you hold something, and approval "
            "requests that you may see; what ends first comes first. Tools are told of no tokens and no invitations."
        ),
        parameters=[
            OpenApiParameter("customer", str, description="Id of one of your customers."),
            OpenApiParameter("kind", str, enum=list(KINDS)),
            OpenApiParameter("within", str, enum=list(WITHIN), default=DEFAULT, description="Days from now."),
            *PAGING,
        ],
        responses=aggregate_page_schema(ExpiryItem),
        examples=[EXAMPLE],
    )
    def get(self, request: PersonRequest) -> Response:
        chosen = ExpiryFilter(request.query_params, request=request, also=["cursor", "page_size"])  # type: ignore[attr-defined]
        refuse_filter(chosen)
        found = page_of(request, chosen.parts, ORDER)  # type: ignore[arg-type]
        return answer_aggregate_page(request, found, [_item(line) for line in lines_of(request, found.items)])  # type: ignore[arg-type]


def _item(line: Expiry) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "key": line.key,
        "customer": {"id": line.customer_id, "name": line.customer_name},
        "name": line.name,
        "ends_at": line.ends_at,
    }
