from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = _("Rooms")

    def ready(self) -> None:
        """Whoever founds a tenant gives it its rings and its default group as well; mails about access can be delivered."""
        from rbac.services import tenants  # noqa: PLC0415 - reads models, which are there only now
        from rooms import emails  # noqa: F401, PLC0415 - registers what it delivers
        from rooms.services import founding  # noqa: PLC0415

        tenants.prepares(founding.set_up)
