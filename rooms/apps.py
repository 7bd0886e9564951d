from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = _("Rooms")

    def ready(self) -> None:
        """Whoever founds a tenant gives it its rings and default group; every process can deliver rooms' messages."""
        from rbac.services import assignments, tenants  # noqa: PLC0415 - reads models, which are there only now
        from rooms import access_emails, approval_emails, emails, ending_emails, operation_emails  # noqa: F401, PLC0415 - they register
        from rooms.services import approvals, founding  # noqa: PLC0415

        tenants.prepares(founding.set_up)
        assignments.after_loss(lambda delegation_id, by: approvals.cancel_lost(delegation_id, by=by))
