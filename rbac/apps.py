from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RbacConfig(AppConfig):
    name = "rbac"
    verbose_name = _("Tenants, people and roles")

    def ready(self) -> None:
        """Every process that writes or reads the outbox knows how rbac's messages are delivered."""
        import rbac.sample_mail  # noqa: F401, PLC0415 - reads models, which are there only now
