from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# What the log says of primary admins whom a partner adds, for whoever approves it.
ADDED_ADMINS = {
    "upns": _("Primary admins at once"),
    "invited": _("Invited as primary admins"),
    "days": _("Days to answer"),
    "expires_at": _("The invitation ends"),
}


class PartnersConfig(AppConfig):
    name = "partners"
    verbose_name = _("Partners")

    def ready(self) -> None:
        """Messages about partners are delivered in every process, changes of a partner ask for the newest terms, what is
        past its end makes room for a new relationship, webhooks hear of events, who
        has lost the last primary admin is told, and every page knows how many invitations
        wait for its reader."""
        import partners.emails  # noqa: PLC0415
        import partners.webhook_emails  # noqa: F401, PLC0415 - read models, which are there only now
        from audit import events  # noqa: PLC0415
        from audit.models import Category  # noqa: PLC0415
        from partners import customers, no_admin_emails  # noqa: PLC0415
        from partners.services import colleagues, invitations, relationships, terms, webhook_events  # noqa: PLC0415
        from rbac import gates  # noqa: PLC0415
        from rbac.catalogue import Permission  # noqa: PLC0415
        from rbac.services import delegations, primary_admins  # noqa: PLC0415
        from rooms import change_control, diff_words  # noqa: PLC0415

        invitations.makes_room(relationships.expire_others)
        delegations.asks(terms.require_accepted)
        gates.asks("open_invitations", customers.open_count)
        change_control.offers(Permission.ROLES_MODIFY, colleagues.ACTION, colleagues.add)
        diff_words.reads(Category.PARTNER_INVITATION, diff_words.Words("partners.invitation", ADDED_ADMINS))
        events.listens(webhook_events.note)
        primary_admins.when_none_is_left(no_admin_emails.tell)
