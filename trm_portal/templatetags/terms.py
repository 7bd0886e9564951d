"""The notice that new terms wait for a customer's agreement, for the pages where its MMR admins look first."""

from typing import Any

from django import template
from django.urls import reverse

from partners.models import Terms
from rbac import access
from rbac.catalogue import Permission

register = template.Library()


@register.inclusion_tag("components/terms_banner.html", takes_context=True)
def terms_banner(context: dict[str, Any]) -> dict[str, Any]:
    """New terms and where to agree, for whoever may agree; nothing for everybody else. One query."""
    request = context["request"]
    customer = getattr(request, "customer", None)
    if customer is None or not access.holds_all(request.held, Permission.SETTINGS_MODIFY, customer.pk):
        return {"terms": None}
    return {"terms": Terms.objects.waiting_for(customer), "url": reverse("settings_terms", args=[customer.pk])}
