"""Inventories over the API: sent and checked, confirmed, carried out, forgotten after a day. One's own only."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from rbac.api.base import Body, CustomerView, absolute
from rbac.catalogue import Permission
from rbac.gates import TenantRequest
from rooms import change_control
from rooms.errors import ImportOver, UnreadableInventory
from rooms.forms import check_inventory_size
from rooms.inventory_reports import Outcome, Report
from rooms.models import InventoryImport, WorkState
from rooms.services import inventory_imports

TAG = "Inventories"
REFUSED_SHOWN = 200  # rows


class NewImport(Body):
    """An inventory as Exchange (`Get-Place`, CSV) or Microsoft Graph (`places`, JSON) writes it."""

    file = serializers.FileField(allow_empty_file=True)

    def validate_file(self, file: Any) -> Any:
        """As the page does. Raises ValidationError."""
        check_inventory_size(file)
        return file


class RefusedRow(serializers.Serializer[Any]):
    """A row that is left out, and why."""

    row = serializers.IntegerField()
    account = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())


class ImportItem(serializers.Serializer[Any]):
    """An inventory on its way in; before it is confirmed the numbers say what would be done, afterwards what was."""

    id = serializers.UUIDField()
    file_name = serializers.CharField()
    state = serializers.ChoiceField(choices=WorkState.choices)
    failure = serializers.CharField(help_text="Why it failed as a whole.")
    created_at = serializers.DateTimeField()
    rows = serializers.IntegerField()
    rows_done = serializers.IntegerField()
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    refused_rows = RefusedRow(many=True, help_text=f"The first {REFUSED_SHOWN}.")


_VALUE = {
    "id": "0d0c7f52-51c3-4f0c-8a57-0a5f2f6f3c11",
    "file_name": "rooms.csv",
    "state": "checked",
    "failure": "",
    "created_at": "2026-02-03T14:05:00Z",
    "rows": 3,
    "rows_done": 0,
    "created": 1,
    "changed": 1,
    "unchanged": 0,
    "refused": 1,
    "refused_rows": [{"row": 4, "account": "", "reasons": ["This is missing."]}],
}
_ITEM = OpenApiExample("Checked, not confirmed", value=_VALUE, response_only=True)
_SENT = OpenApiExample("A file", value={"file": "(bytes)"}, request_only=True, media_type="multipart/form-data")


class ImportView(CustomerView):
    """As the page: for whoever may modify rooms; what each row may do is asked of each room."""

    gate = (Permission.ROOMS_MODIFY,)

    def find(self, import_id: UUID) -> InventoryImport:
        """One's own import. Raises Http404 for anything else."""
        request: Any = self.request
        found = inventory_imports.own(request.customer, request.person).filter(pk=import_id).first()
        if found is None:
            raise Http404
        return found


class Imports(ImportView):
    parser_classes = [MultiPartParser]
    makes = "api-import"
    problems = {"post": (UnreadableInventory,)}

    @extend_schema(
        operation_id="inventory_check",
        tags=[TAG],
        summary="Send an inventory",
        description=(
            "Needs `rooms.modify`. `multipart/form-data`, at most 5 MiB and 10,000 rows. Nothing is written yet: the answer "
            "says what would be done. An earlier one that you never confirmed is gone."
        ),
        request={"multipart/form-data": NewImport},
        responses={201: ImportItem},
        examples=[_SENT, _ITEM],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        file = self.read(NewImport)["file"]
        found = inventory_imports.prepare(request.customer, file, file.name, by=request.person)
        place = absolute(reverse("api-import", args=[tenant_id, found.pk]))
        found.refresh_from_db()
        return Response(item_of(found), status=status.HTTP_201_CREATED, headers={"Location": place})


class OneImport(ImportView):
    problems = {"delete": (ImportOver,)}

    @extend_schema(
        operation_id="inventory",
        tags=[TAG],
        summary="One of your imports",
        description="How far it is, and what becomes of its rows. Gone a day after it came.",
        responses=ImportItem,
        examples=[_ITEM],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, import_id: UUID) -> Response:
        return Response(item_of(self.find(import_id)))

    @extend_schema(
        operation_id="inventory_discard",
        tags=[TAG],
        summary="Discard an import",
        description="The file is gone; what was carried out stays.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, import_id: UUID) -> Response:
        inventory_imports.discard(self.find(import_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImportConfirmation(ImportView):
    problems = {"post": (ImportOver,)}

    @extend_schema(
        operation_id="inventory_confirm",
        tags=[TAG],
        summary="Carry an import out",
        description=(
            "A small one is done with the answer; of a large one ask again until it is `done`. Where the customer approves "
            "changes of a partner, each room is asked for."
        ),
        request=None,
        responses=ImportItem,
        examples=[_ITEM],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, import_id: UUID) -> Response:
        found = self.find(import_id)
        inventory_imports.confirm(found, submit=change_control.submit)
        return Response(item_of(self.find(import_id)))


def item_of(found: InventoryImport) -> dict[str, Any]:
    """An import with the numbers of its report."""
    report = Report.from_data(found.report)
    counts = {outcome.value: count for outcome, count in report.counts.items()}
    refused = report.of(Outcome.REFUSED)[:REFUSED_SHOWN]
    return {
        "id": found.pk,
        "file_name": found.file_name,
        "state": found.state,
        "failure": found.failure,
        "created_at": found.created_at,
        "rows": found.total,
        "rows_done": found.done,
        **counts,
        "refused_rows": [{"row": one.number, "account": one.account, "reasons": one.reasons} for one in refused],
    }
