"""Room groups: list, one group with its rooms, new, edit, add rooms, delete. The rules are in services/groups.py."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find, refuse, require_on, require_whole, tenant_page
from rbac.paging import Page, page
from rooms.errors import GroupInUse
from rooms.lists import RoomFilter
from rooms.models import Room, RoomGroup
from rooms.services import groups as service
from rooms.views.room_choice import ids

PAGE_SIZE = 50


class GroupForm(forms.Form):
    """What a group is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class SearchForm(forms.Form):
    """The one filter of the list."""

    q = forms.CharField(label=gettext_lazy("Search room groups"), max_length=100, required=False)


@require_safe
@tenant_page(Permission.GROUPS_VIEW)
def groups(request: TenantRequest) -> HttpResponse:
    """The groups of which the person sees at least one room, with the rooms he sees."""
    if set(request.GET) - {"q", "cursor"}:
        raise BadRequest("unknown parameter")
    form = SearchForm(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    found = page(_listed(request, words), order=("name", "id"), cursor=request.GET.get("cursor") or None)
    return render(
        request,
        "rooms/groups/groups.html",
        {
            "form": form,
            "words": words,
            "groups": found.items,
            "page": _pager(found, "?" + urlencode({"q": words}) if words else "?", len(found.items)),
            "may_create": access.holds_all(request.held, Permission.GROUPS_CREATE, request.customer.pk),
            "add_url": reverse("group_add", args=[request.customer.pk]),
        },
    )


def _listed(request: TenantRequest, words: str) -> QuerySet[RoomGroup]:
    own = RoomGroup.objects.filter(tenant=request.customer)
    if words:
        own = own.filter(Q(name__icontains=words) | Q(description__icontains=words))
    seen = access.visible(request.person, Permission.GROUPS_VIEW, own, request.held)
    rooms = access.visible(request.person, Permission.GROUPS_VIEW, Room.objects.all(), request.held)
    return seen.annotate(room_total=Count("memberships", filter=Q(memberships__room__in=rooms)))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.GROUPS_VIEW)
def group(request: TenantRequest, group_id: int) -> HttpResponse:
    """One group and its rooms, as far as the person sees them; ticked rooms can be taken out."""
    found = _find(request, group_id)
    if request.method == "POST":
        return _take_out(request, found)
    seen = access.visible(request.person, Permission.GROUPS_VIEW, Room.objects.filter(groups=found), request.held)
    rooms = page(seen, order=("display_name", "id"), cursor=request.GET.get("cursor") or None, size=PAGE_SIZE)
    may_modify = access.can(request.person, Permission.GROUPS_MODIFY, found, request.held)
    may_change_rooms = may_modify and service.may_change_rooms(found, request.person)
    may_create = access.holds_all(request.held, Permission.ROLES_VIEW, request.customer.pk)
    return render(
        request,
        "rooms/groups/group.html",
        {
            "group": found,
            "rooms": rooms.items,
            "room_total": seen.count(),
            "page": _pager(rooms, "?", len(rooms.items)),
            "assignments": list(service.using(found)) if may_create else [],
            "may_modify": may_modify,
            "may_change_rooms": may_change_rooms,
            "may_make_default": may_change_rooms and not found.is_default and _may_replace_default(request),
            "crumbs": _crumbs(request, (found.name, "")),
        },
    )


def _take_out(request: TenantRequest, found: RoomGroup) -> HttpResponse:
    picked = ids(request.POST.getlist("pick"))
    if picked:
        service.change_rooms(found, by=request.person, remove=picked)
        text = ngettext(
            "%(n)d room is no longer in “%(name)s”.", "%(n)d rooms are no longer in “%(name)s”.", len(picked)
        )
        messages.success(request, text % {"n": len(picked), "name": found.name})
    else:
        messages.info(request, _("Tick the rooms first."))
    return redirect("group", request.customer.pk, found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.GROUPS_CREATE)
def add(request: TenantRequest) -> HttpResponse:
    """A new group; its rooms are added on the next page."""
    require_whole(request, Permission.GROUPS_CREATE)
    form = GroupForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = service.create(request.customer, by=request.person, **form.cleaned_data)
        except ValidationError as error:
            form.add_error("name", error)
        else:
            messages.success(request, _("The group “%(name)s” is there. Now add its rooms.") % {"name": made.name})
            return redirect("group_rooms", request.customer.pk, made.pk)
    url = reverse("groups", args=[request.customer.pk])
    context = {"form": form, "url": url, "crumbs": _crumbs(request, (_("New room group"), ""))}
    return render(request, "rooms/groups/edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.GROUPS_VIEW)
def edit(request: TenantRequest, group_id: int) -> HttpResponse:
    """Another name or description."""
    found = _modifiable(request, group_id)
    initial = {"name": found.name, "description": found.description}
    form = GroupForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            service.modify(found, by=request.person, **form.cleaned_data)
        except ValidationError as error:
            form.add_error("name", error)
        else:
            messages.success(request, _("The changes to “%(name)s” are saved.") % {"name": form.cleaned_data["name"]})
            return redirect("group", request.customer.pk, group_id)
    url = reverse("group", args=[request.customer.pk, group_id])
    context = {"form": form, "group": found, "url": url, "crumbs": _crumbs(request, (found.name, url), (_("Edit"), ""))}
    return render(request, "rooms/groups/edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.GROUPS_VIEW)
def rooms(request: TenantRequest, group_id: int) -> HttpResponse:
    """Rooms that are not in the group yet: search, filter, add those that are ticked or all that match."""
    found = _modifiable(request, group_id)
    if not service.may_change_rooms(found, request.person):
        refuse(request, Permission.GROUPS_MODIFY)
    chosen = _addable(request, found)
    if request.method == "POST":
        return _put_in(request, found, chosen)
    listed = page(chosen.rooms, order=chosen.order, cursor=chosen.cursor, size=PAGE_SIZE)
    url = reverse("group", args=[request.customer.pk, group_id])
    total = chosen.rooms.count()
    return render(
        request,
        "rooms/groups/rooms.html",
        {
            "group": found,
            "filter": chosen,
            "rooms": listed.items,
            "total": total,
            "page": {
                "previous_url": chosen.query(cursor=listed.previous) if listed.previous else None,
                "next_url": chosen.query(cursor=listed.next) if listed.next else None,
                "shown_text": ngettext("%(n)d room", "%(n)d rooms", total) % {"n": total},
            },
            "sorts": chosen.directions(),
            "url": url,
            "crumbs": _crumbs(request, (found.name, url), (_("Add rooms"), "")),
        },
    )


def _addable(request: TenantRequest, found: RoomGroup) -> RoomFilter:
    held = request.held if request.method in ("GET", "HEAD") else None
    own = Room.objects.filter(tenant=request.customer).exclude(memberships__room_group=found)
    seen = access.visible(request.person, Permission.ROOMS_MODIFY, own, held)
    groups = access.visible(
        request.person, Permission.GROUPS_VIEW, RoomGroup.objects.filter(tenant=request.customer), held
    )
    return RoomFilter(request.GET, rooms=seen, groups=groups, also={"cursor"})


def _put_in(request: TenantRequest, found: RoomGroup, chosen: RoomFilter) -> HttpResponse:
    if "add_matching" in request.POST and chosen.is_valid():
        wanted = set(chosen.rooms.values_list("pk", flat=True))
    else:
        wanted = set(ids(request.POST.getlist("pick")))
    if not wanted:
        messages.info(request, _("Tick the rooms first."))
        return redirect(request.get_full_path())
    service.change_rooms(found, by=request.person, add=wanted)
    text = ngettext("%(n)d room is now in “%(name)s”.", "%(n)d rooms are now in “%(name)s”.", len(wanted))
    messages.success(request, text % {"n": len(wanted), "name": found.name})
    return redirect("group", request.customer.pk, found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.GROUPS_VIEW)
def make_default(request: TenantRequest, group_id: int) -> HttpResponse:
    """Ask, saying who will get every new room; then new rooms come into this group."""
    found = _modifiable(request, group_id)
    if not (service.may_change_rooms(found, request.person) and _may_replace_default(request)):
        refuse(request, Permission.GROUPS_MODIFY)
    url = reverse("group", args=[request.customer.pk, group_id])
    if request.method == "POST":
        service.make_default(found, by=request.person)
        messages.success(request, _("New rooms come into “%(name)s” from now on.") % {"name": found.name})
    if request.method == "POST" or found.is_default:
        return redirect(url)
    naming = list(service.using(found).select_related("role__delegation__relationship"))
    context = {
        "group": found,
        "url": url,
        "before": RoomGroup.objects.get(tenant=request.customer, is_default=True),
        "partners": [one for one in naming if one.role.delegation_id is not None],
        "others": [one for one in naming if one.role.delegation_id is None],
        "crumbs": _crumbs(request, (found.name, url), (_("Make it the default group"), "")),
    }
    return render(request, "rooms/groups/make_default.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.GROUPS_VIEW)
def delete(request: TenantRequest, group_id: int) -> HttpResponse:
    """Ask, then delete; a group that a scope names says so instead."""
    found = _modifiable(request, group_id)
    if request.method == "POST":
        try:
            service.delete(found, by=request.person)
        except GroupInUse as error:
            messages.error(request, " ".join(error.messages))
            return redirect("group", request.customer.pk, group_id)
        messages.success(request, _("The group “%(name)s” has been deleted. Its rooms stay.") % {"name": found.name})
        return redirect("groups", request.customer.pk)
    url = reverse("group", args=[request.customer.pk, group_id])
    context: dict[str, Any] = {"group": found, "url": url, "room_total": found.memberships.count()}
    return render(
        request,
        "rooms/groups/delete.html",
        context | {"crumbs": _crumbs(request, (found.name, url), (_("Delete"), ""))},
    )


def _find(request: TenantRequest, group_id: int) -> RoomGroup:
    return find(request, Permission.GROUPS_VIEW, RoomGroup.objects.filter(tenant=request.customer), pk=group_id)


def _may_replace_default(request: TenantRequest) -> bool:
    return service.may_replace_default(request.customer, request.person, request.held)


def _modifiable(request: TenantRequest, group_id: int) -> RoomGroup:
    found = _find(request, group_id)
    require_on(request, Permission.GROUPS_MODIFY, found)
    return found


def _pager(found: Page[Any], query: str, count: int) -> dict[str, str | None]:
    sign = "" if query == "?" else "&"
    text = ngettext("%(count)d on this page", "%(count)d on this page", count) % {"count": count}
    return {
        "previous_url": f"{query}{sign}cursor={found.previous}" if found.previous else None,
        "next_url": f"{query}{sign}cursor={found.next}" if found.next else None,
        "shown_text": text,
    }


def _crumbs(request: TenantRequest, *further: tuple[str, str]) -> list[tuple[str, str]]:
    return [(_("Room groups"), reverse("groups", args=[request.customer.pk])), *further]
