from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    name = "partners"
    verbose_name = _("Partners")

    def ready(self) -> None:
        """Messages about partners are delivered in every process, and changes of a partner ask for the newest terms."""
        import partners.emails  # noqa: F401, PLC0415 - reads models, which are there only now
        from partners.services import terms  # noqa: PLC0415
        from rbac.services import delegations  # noqa: PLC0415

        delegations.asks(terms.require_accepted)
