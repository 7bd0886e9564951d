"""The filters a person keeps for the list of rooms: keep, rename, open with, delete."""

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
from rbac.gates import TenantRequest, tenant_page
from rooms.models import SavedFilter
from rooms.services import saved_filters


class FilterForm(forms.Form):
    """What a filter is called, and whether the list opens with it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=saved_filters.LONGEST_NAME)
    is_default = forms.BooleanField(label=gettext_lazy("Open the list of rooms with this filter"), required=False)


class NewFilterForm(FilterForm):
    """A filter to keep: the query of the list it comes from stands in the form."""

    query = forms.CharField(widget=forms.HiddenInput, max_length=1000)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def filters(request: TenantRequest) -> HttpResponse:
    """One's own filters; with a `query`, the form that keeps it."""
    query = request.GET.get("query", "")
    form = NewFilterForm(request.POST if request.method == "POST" else None, initial={"query": query})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = saved_filters.save(
                request.customer, said["name"], said["query"], by=request.person, is_default=said["is_default"]
            )
        except ValidationError as error:
            _blame(form, error)
        else:
            messages.success(request, _("The filter “%(name)s” is kept.") % {"name": made.name})
            return redirect(reverse("rooms", args=[request.customer.pk]) + f"?{made.query}")
    own = list(saved_filters.own(request.customer, request.person))
    context: dict[str, Any] = {"form": form, "query": query or form["query"].value(), "filters": own}
    return render(request, "rooms/filters/filters.html", context | {"crumbs": _crumbs(request, (_("My filters"), ""))})


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def saved_filter(request: TenantRequest, filter_id: int) -> HttpResponse:
    """Another name, and whether the list opens with it."""
    found = _find(request, filter_id)
    initial = {"name": found.name, "is_default": found.is_default}
    form = FilterForm(request.POST if request.method == "POST" else None, initial=initial)
    url = reverse("rooms_filters", args=[request.customer.pk])
    if request.method == "POST" and form.is_valid():
        try:
            saved_filters.rename(found, form.cleaned_data["name"])
            saved_filters.open_with(found, is_default=form.cleaned_data["is_default"])
        except ValidationError as error:
            _blame(form, error)
        else:
            messages.success(request, _("The filter “%(name)s” is saved.") % {"name": found.name})
            return redirect(url)
    way = _crumbs(request, (_("My filters"), url), (initial["name"], ""))
    return render(
        request, "rooms/filters/edit.html", {"form": form, "name": initial["name"], "url": url, "crumbs": way}
    )


@require_POST
@tenant_page(Permission.ROOMS_VIEW)
def delete(request: TenantRequest, filter_id: int) -> HttpResponse:
    """The filter is gone; no room is touched, so nobody asks twice."""
    found = _find(request, filter_id)
    saved_filters.delete(found)
    messages.success(request, _("The filter “%(name)s” has been deleted.") % {"name": found.name})
    return redirect("rooms_filters", request.customer.pk)


def _blame(form: forms.Form, error: ValidationError) -> None:
    """Put the error where it belongs; a field that the form does not show is the form's own."""
    by_field = getattr(error, "error_dict", None)
    if by_field is None:
        form.add_error("name", error)
        return
    for name, errors in by_field.items():
        form.add_error(name if name == "name" else None, errors)


def _find(request: TenantRequest, filter_id: int) -> SavedFilter:
    found = saved_filters.own(request.customer, request.person).filter(pk=filter_id).first()
    if found is None:
        raise Http404
    return found


def _crumbs(request: TenantRequest, *further: tuple[str, str]) -> list[tuple[str, str]]:
    return [(_("Rooms"), reverse("rooms", args=[request.customer.pk])), *further]
