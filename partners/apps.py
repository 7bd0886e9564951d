from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    name = "partners"
    verbose_name = _("Partners")

    def ready(self) -> None:
        """Every process that writes or reads the outbox knows how partners' messages are delivered."""
        import partners.emails  # noqa: F401, PLC0415 - reads models, which are there only now
