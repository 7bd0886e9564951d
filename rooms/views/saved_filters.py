"""The filters a person keeps: of the room list of a tenant, and of the lists over all customers."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from rbac.catalogue import Permission
from rbac.gates import PersonRequest, TenantRequest, aggregate_page, tenant_page
from rbac.models import Tenant
from rooms.models import FilterView, SavedFilter
from rooms.services import saved_filters

AnyRequest = TenantRequest | PersonRequest
# The list of each kind over all customers: its address, and how it is asked for without any filter.
OVER_ALL = {
    FilterView.ROOMS: ("all_rooms", "sort=name"),
    FilterView.TICKETS: ("all_tickets", "sort=-opened"),
    FilterView.APPROVALS: ("all_approvals", "tab=waiting"),
    FilterView.EXPIRING: ("all_expiring", "within=30"),
}


class FilterForm(forms.Form):
    """What a filter is called, and whether the list opens with it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=saved_filters.LONGEST_NAME)
    is_default = forms.BooleanField(label=gettext_lazy("Open the list with this filter"), required=False)


class NewFilterForm(FilterForm):
    """A filter to keep: the query of the list it comes from stands in the form."""

    query = forms.CharField(widget=forms.HiddenInput, max_length=1000)


@dataclass(frozen=True)
class Shelf:
    """Where the filters of one list are kept: whose list, and the addresses of its pages."""

    tenant: Tenant | None
    view: FilterView

    @property
    def list_url(self) -> str:
        """The list, without any filter."""
        if self.tenant is not None:
            return reverse("rooms", args=[self.tenant.pk])
        return reverse(OVER_ALL[self.view][0])

    @property
    def cleared_url(self) -> str:
        """The list without any filter, not even the one it opens with."""
        return f"{self.list_url}?{OVER_ALL[self.view][1]}"

    def url(self, name: str = "", *args: int) -> str:
        """The page of the filters, or (`name`, with the filter's id) of one of them."""
        if self.tenant is not None:
            return reverse(f"rooms_filter{name}", args=[self.tenant.pk, *args])
        return reverse(f"all_filter{name}", args=[self.view.value, *args])

    def own(self, request: AnyRequest) -> list[SavedFilter]:
        """What the person keeps here."""
        return list(saved_filters.own(self.tenant, request.person, self.view))

    def find(self, request: AnyRequest, filter_id: int) -> SavedFilter:
        """One of the person's own. Raises Http404 otherwise."""
        found = saved_filters.own(self.tenant, request.person, self.view).filter(pk=filter_id).first()
        if found is None:
            raise Http404
        return found

    def chips(self, saved: list[SavedFilter], query: str, *, is_narrowed: bool) -> dict[str, Any]:
        """The person's own filters as links, and whether `query`, what the list shows now, is among them."""
        names = saved_filters.names_of(self.tenant, self.view)
        current = saved_filters.canonical(query, names) if is_narrowed else ""
        links = [
            {"label": one.name, "url": f"{self.list_url}?{one.query}", "current": one.query == current} for one in saved
        ]
        return {
            "saved": links,
            "filters_url": self.url("s"),
            "cleared_url": self.cleared_url,
            "may_save": bool(current) and not any(one["current"] for one in links),
            "query_now": current,
            "is_narrowed": is_narrowed,
        }

    @property
    def crumb(self) -> tuple[str, str]:
        """The list, as a step of the way to a filter."""
        if self.tenant is not None:
            return _("Rooms"), self.list_url
        names = {
            FilterView.ROOMS: _("Rooms of all customers"),
            FilterView.TICKETS: _("Incidents of all customers"),
            FilterView.APPROVALS: _("Approvals of all customers"),
            FilterView.EXPIRING: _("Expiring soon"),
        }
        return names[self.view], self.list_url


def opening(request: AnyRequest, saved: list[SavedFilter]) -> HttpResponse | None:
    """To the filter that the list opens with, if nothing was asked and there is one."""
    first = next((one for one in saved if one.is_default), None)
    return None if request.GET or first is None else redirect(f"{request.path}?{first.query}")


def _over_all(view: str) -> Shelf:
    """The shelf of the list over all customers that the address names. Raises Http404 for none."""
    if view not in FilterView.values:
        raise Http404
    return Shelf(None, FilterView(view))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def filters(request: TenantRequest) -> HttpResponse:
    """One's own filters; with a `query`, the form that keeps it."""
    return _filters(request, Shelf(request.customer, FilterView.ROOMS))


@require_http_methods(["GET", "HEAD", "POST"])
@aggregate_page()
def all_filters(request: PersonRequest, view: str) -> HttpResponse:
    """As `filters`, of a list over all customers."""
    return _filters(request, _over_all(view))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def saved_filter(request: TenantRequest, filter_id: int) -> HttpResponse:
    """Another name, and whether the list opens with it."""
    return _saved_filter(request, Shelf(request.customer, FilterView.ROOMS), filter_id)


@require_http_methods(["GET", "HEAD", "POST"])
@aggregate_page()
def all_filter(request: PersonRequest, view: str, filter_id: int) -> HttpResponse:
    """As `saved_filter`, of a list over all customers."""
    return _saved_filter(request, _over_all(view), filter_id)


@require_POST
@tenant_page(Permission.ROOMS_VIEW)
def delete(request: TenantRequest, filter_id: int) -> HttpResponse:
    """The filter is gone; nothing else is touched, so nobody asks twice."""
    return _delete(request, Shelf(request.customer, FilterView.ROOMS), filter_id)


@require_POST
@aggregate_page()
def all_delete(request: PersonRequest, view: str, filter_id: int) -> HttpResponse:
    """As `delete`, of a list over all customers."""
    return _delete(request, _over_all(view), filter_id)


def _filters(request: AnyRequest, shelf: Shelf) -> HttpResponse:
    query = request.GET.get("query", "")
    form = NewFilterForm(request.POST if request.method == "POST" else None, initial={"query": query})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = saved_filters.save(
                shelf.tenant,
                said["name"],
                said["query"],
                by=request.person,
                view=shelf.view,
                is_default=said["is_default"],
            )
        except ValidationError as error:
            _blame(form, error)
        else:
            messages.success(request, _("The filter “%(name)s” is kept.") % {"name": made.name})
            return redirect(f"{shelf.list_url}?{made.query}")
    rows = [
        {
            "filter": one,
            "url": f"{shelf.list_url}?{one.query}",
            "edit_url": shelf.url("", one.pk),
            "delete_url": shelf.url("_delete", one.pk),
        }
        for one in shelf.own(request)
    ]
    context: dict[str, Any] = {
        "form": form,
        "query": query or form["query"].value(),
        "rows": rows,
        "list_url": shelf.list_url,
        "crumbs": [shelf.crumb, (_("My filters"), "")],
    }
    return render(request, "rooms/filters/filters.html", context)


def _saved_filter(request: AnyRequest, shelf: Shelf, filter_id: int) -> HttpResponse:
    found = shelf.find(request, filter_id)
    initial = {"name": found.name, "is_default": found.is_default}
    form = FilterForm(request.POST if request.method == "POST" else None, initial=initial)
    url = shelf.url("s")
    if request.method == "POST" and form.is_valid():
        try:
            saved_filters.rename(found, form.cleaned_data["name"])
            saved_filters.open_with(found, is_default=form.cleaned_data["is_default"])
        except ValidationError as error:
            _blame(form, error)
        else:
            messages.success(request, _("The filter “%(name)s” is saved.") % {"name": found.name})
            return redirect(url)
    context = {
        "form": form,
        "name": initial["name"],
        "url": url,
        "crumbs": [shelf.crumb, (_("My filters"), url), (initial["name"], "")],
    }
    return render(request, "rooms/filters/edit.html", context)


def _delete(request: AnyRequest, shelf: Shelf, filter_id: int) -> HttpResponse:
    found = shelf.find(request, filter_id)
    saved_filters.delete(found)
    messages.success(request, _("The filter “%(name)s” has been deleted.") % {"name": found.name})
    return redirect(shelf.url("s"))


def _blame(form: forms.Form, error: ValidationError) -> None:
    """Put the error where it belongs; a field that the form does not show is the form's own."""
    by_field = getattr(error, "error_dict", None)
    if by_field is None:
        form.add_error("name", error)
        return
    for name, errors in by_field.items():
        form.add_error(name if name == "name" else None, errors)
