"""The enrolment keys of a customer: which versions there are, reset, download."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from rbac.api.base import PAGING, Body, CustomerView, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.gates import TenantRequest
from rooms.errors import InvalidGrace, KeyUnreadable, NoKey, TooManyDownloads
from rooms.models import EnrollmentKey
from rooms.services import keys

TAG = "Enrolment keys"
LISTED = ("version", "fingerprint", "created_at", "created_by", "stops_at")


class KeyItem(serializers.ModelSerializer[EnrollmentKey]):
    """A version of the key, without its secret. The one whose `stops_at` is null is the current one."""

    class Meta:
        model = EnrollmentKey
        fields = LISTED
        read_only_fields = fields


class KeyReset(Body):
    """For how long earlier keys go on enrolling."""

    grace_hours = serializers.IntegerField(min_value=0, max_value=72, required=False, default=0)


class KeySecret(serializers.Serializer[Any]):
    """The key itself."""

    version = serializers.IntegerField()
    fingerprint = serializers.CharField()
    key = serializers.CharField()


_ITEM = {
    "version": 3,
    "fingerprint": "9f2c 11ab 04d7 e85b",
    "created_at": "2026-02-03T14:05:00Z",
    "created_by": "mara@contoso.example",
    "stops_at": None,
}
_SECRET = {"version": 3, "fingerprint": "9f2c 11ab 04d7 e85b", "key": "trmk_fZ3…"}
MANY = OpenApiExample(
    "One key", value={"items": [_ITEM], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
ISSUED = OpenApiExample("The new version", value=_ITEM, response_only=True, status_codes=["201"])
GRACE = OpenApiExample("Old keys enrol for another day", value={"grace_hours": 24}, request_only=True)
SECRET = OpenApiExample("The key", value=_SECRET, response_only=True, status_codes=["200"])


class KeysView(CustomerView):
    gate = (Permission.ROOMS_DOWNLOAD_KEY, Permission.ROOMS_RESET_KEY)


class Keys(KeysView):
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (InvalidGrace,)}

    @extend_schema(
        operation_id="keys",
        tags=[TAG],
        summary="The versions of the enrolment key",
        description="Needs `rooms.download_key` or `rooms.reset_key`. No answer of this list holds a secret.",
        parameters=PAGING,
        responses=page_schema(KeyItem),
        examples=[MANY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        own = EnrollmentKey.objects.filter(tenant=request.customer).values(*LISTED)
        found = page_of(request, own, ("-version",))
        return answer_page(request, found, found.items)

    @extend_schema(
        operation_id="key_reset",
        tags=[TAG],
        summary="Reset the key",
        description=(
            "Issues a new version; needs `rooms.reset_key` for all rooms. Earlier versions enrol no device after "
            "`grace_hours`; devices that are enrolled go on. The first reset issues version 1."
        ),
        request=KeyReset,
        responses={201: KeyItem},
        examples=[GRACE, ISSUED],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        grace = timedelta(hours=self.read(KeyReset)["grace_hours"])
        made = keys.reset(request.customer, by=request.person, grace=grace)
        return Response({name: getattr(made, name) for name in LISTED}, status=201)


class KeyDownload(KeysView):
    secret = frozenset({"post"})
    problems = {"post": (NoKey, KeyUnreadable, TooManyDownloads)}

    @extend_schema(
        operation_id="key_download",
        tags=[TAG],
        summary="Download the key",
        description=(
            "Needs `rooms.download_key` for any rooms. Each download is written to the customer’s audit log; a person "
            "can do it five times an hour."
        ),
        request=None,
        responses=KeySecret,
        examples=[SECRET],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        key, secret = keys.download(request.customer, by=request.person)
        answer = {"version": key.version, "fingerprint": key.fingerprint, "key": secret}
        return Response(answer, headers={"Cache-Control": "no-store"})
