"""What the back office of support staff is made of: pages that show, and forms that hand a change to a service.

Nothing is added, changed or deleted by the admin itself. What is shown is named field by field, so that a new column is
hidden until somebody decides that it is no secret.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, quote, unquote
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import OperationalError
from django.db.models import Model, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg2.errors import QueryCanceled

from audit.models import AuditEvent

HISTORY = 100  # lines shown of a thing's history
SHOWN = 50  # related things linked on a page
_BREAK = mark_safe("<br>")

# Fields whose models say no more of them than their name.
LABELS: dict[str, Any] = {
    "accepted_by": gettext_lazy("Accepted by"),
    "assignment": gettext_lazy("Assignment"),
    "at": gettext_lazy("Time"),
    "beat_at": gettext_lazy("Last sign of life"),
    "created": gettext_lazy("Created"),
    "delegation": gettext_lazy("Delegation"),
    "delegation_id": gettext_lazy("Delegation"),
    "entra_oid": gettext_lazy("Entra object id"),
    "entra_tid": gettext_lazy("Entra tenant id"),
    "expiry": gettext_lazy("Expires"),
    "id": gettext_lazy("Id"),
    "ip": gettext_lazy("Address"),
    "key": gettext_lazy("Built-in key"),
    "lines": gettext_lazy("Lines"),
    "message_key": gettext_lazy("Key in the Message-ID"),
    "person": gettext_lazy("Person"),
    "position": gettext_lazy("Place in the link"),
    "relationship": gettext_lazy("Partner relationship"),
    "relationship_id": gettext_lazy("Partner relationship"),
    "request_id": gettext_lazy("Request"),
    "role": gettext_lazy("Role"),
    "rotation": gettext_lazy("Links sent"),
    "seq": gettext_lazy("Link of the chain"),
    "subject_id": gettext_lazy("About"),
    "terms_digest": gettext_lazy("SHA-256 of the terms"),
    "token_key": gettext_lazy("Prefix"),
    "user": gettext_lazy("Person"),
    "user_tenant_id": gettext_lazy("Tenant of the user"),
}


class CappedPaginator(Paginator):
    """Counts up to CAP rows only: the exact number of a large table costs more than the page it stands under."""

    CAP = 10_000

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.CAP)

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: self.CAP + 1].count()

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._counted > self.CAP


class ReasonForm(forms.Form):
    """A change by support staff says why it is made; the audit log keeps it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, help_text=gettext_lazy("Is kept in the audit log.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"] = self.fields.pop("reason")  # comes last


class KeyedList(ChangeList):
    """A list whose links name rows by their page's key."""

    def url_for_result(self, result: Model) -> str:
        return self.model_admin.page_of("change", result)


class ReadOnly(admin.ModelAdmin):
    """A list and a page of each row, to be searched and read. Subclasses name every field they show."""

    actions = None
    key = "pk"  # the field that stands in addresses, for rows whose primary key must not be shown
    linked_by: tuple[str, ...] = ()  # lookups through other models that links to this list use
    list_per_page = 50
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER  # counts of whole tables, one for each filter
    show_full_result_count = False
    view_on_site = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what is shown may be asked for: a list narrowed by a hidden column would spell it out, letter by letter."""
        if lookup in self.linked_by:
            return True
        name = lookup.partition("__")[0]
        name = self.opts.pk.name if name == "pk" else name
        hidden = {column.name for column in self.opts.fields if column.name != "id"} - self._shown()
        return name not in hidden and super().lookup_allowed(lookup, value, request)

    def _shown(self) -> set[Any]:
        """The names of what lists and pages show or filter by."""
        filters = [one if isinstance(one, str) else one[0] for one in self.list_filter if not isinstance(one, type)]
        return {*self.list_display, *flatten_fieldsets(self.get_fieldsets(None)), *filters}  # type: ignore[arg-type]

    def key_of(self, obj: Model) -> Any:
        """What stands for `obj` in the addresses of its pages."""
        return getattr(obj, self.key)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        if self.key == "pk":
            return super().get_object(request, object_id, from_field)
        return self.get_queryset(request).filter(**{self.key: object_id}).first()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeyedList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._labelled(name) for name in self.list_display]

    def _labelled(self, name: str) -> Any:
        """The column of a list: what LABELS calls it, sorted as the field is."""
        if name not in self.labels:
            return name

        @admin.display(description=self.labels[name], ordering=name)
        def column(obj: Model) -> Any:
            return getattr(obj, name)

        column.__name__ = name
        return column

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{"labels": self.labels} | kwargs)

    @cached_property
    def labels(self) -> dict[str, Any]:
        """LABELS of those fields that the model itself does not name."""
        named = {field.name for field in self.opts.get_fields() if getattr(field, "_verbose_name", None)}
        own = {"tenant": gettext_lazy("Tenant"), "tenant_id": gettext_lazy("Tenant"), **LABELS}
        return {name: label for name, label in own.items() if name not in named and not hasattr(self, name)}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list. A search that takes the database too long is given up, and the reader is told so."""
        try:
            response = super().changelist_view(request, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response
        except OperationalError as error:
            if not (isinstance(error.__cause__, QueryCanceled) and SEARCH_VAR in request.GET):
                raise
            messages.error(request, _("This search took too long. Search for something else, or filter first."))
            return redirect(request.path)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["history_url"] = self.page_of("history", kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def page_of(self, page: str, obj: Model) -> str:
        """The address of `obj`'s page: `change` or `history`."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[quote(self.key_of(obj))])

    def history_of(self, obj: Any) -> Q | None:
        """Which audit lines speak of `obj`; None where none do."""
        return None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The newest audit lines that speak of the object."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        lines = self.history_of(obj)
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(name)s") % {"name": obj},
            "opts": self.opts,
            "object": obj,
            "object_url": self.page_of("change", obj),
            "module_name": str(self.opts.verbose_name_plural),
            "events": AuditEvent.objects.filter(lines).order_by("-at", "-id")[:HISTORY] if lines is not None else [],
            "limit": HISTORY,
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    def serve(
        self,
        request: HttpRequest,
        form: forms.Form,
        change: Callable[[dict[str, Any]], tuple[Model, str]],
        *,
        title: str,
        lead: str,
        submit: str,
    ) -> HttpResponse:
        """Show `form`; once it is filled in well, hand it to `change`, which calls ONE service and says what was done."""
        if request.method == "POST" and form.is_valid():
            try:
                obj, done = change(form.cleaned_data)
            except ValidationError as error:
                _add(form, error)
            else:
                messages.success(request, done)
                return redirect(address(obj))
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "lead": lead,
            "submit": submit,
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/service_form.html", context)


class ReadOnlyInline(admin.TabularInline):
    """A few rows on the page of what they belong to."""

    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def address(obj: Model) -> str:
    """Where the back office shows `obj`."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link(obj: Model | None, label: object = None) -> SafeString | str:
    """A link to `obj`; a dash for None."""
    return format_html('<a href="{}">{}</a>', address(obj), label or obj) if obj is not None else "–"


def links(found: Iterable[Model]) -> SafeString | str:
    """Links to the first SHOWN of `found`, one a line; a dash for none."""
    shown = [*found][: SHOWN + 1]
    lines = [(link(one),) for one in shown[:SHOWN]] + ([("…",)] if len(shown) > SHOWN else [])
    return format_html_join(_BREAK, "{}", lines) or "–"


def list_link(model: type[Model], label: object, **lookups: object) -> SafeString:
    """A link to the list of those rows of `model` that `lookups` say."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(lookups), label)


def _add(form: forms.Form, error: ValidationError) -> None:
    """The service's objection at the fields it names, or above the form."""
    by_field = getattr(error, "error_dict", None)
    if by_field is None:
        form.add_error(None, error)
        return
    for name, errors in by_field.items():
        form.add_error(name if name in form.fields else None, errors)
