"""Where somebody is signed in: a session's row says whose it is, since when, from where, so that he can look and end it."""

import uuid

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

AGENT_LENGTH = 300
_NAMESPACE = uuid.UUID("5d6b7a0c-8b1e-4a7e-9a55-0d2f8f1c6e21")


class PersonSession(AbstractBaseSession):
    """A session. Its key is the secret of a browser; people and pages know it by `public_id` alone."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions", verbose_name=_("person")
    )
    began_at = models.DateTimeField(_("signed in"), null=True)
    ip = models.GenericIPAddressField(_("address"), null=True)
    agent = models.CharField(_("browser"), max_length=AGENT_LENGTH, blank=True, default="")

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        # The table that Django's own sessions had, so that nobody is signed out by the change.
        db_table = "django_session"
        default_permissions = ()

    @property
    def public_id(self) -> uuid.UUID:
        """What a page may say of it: follows from the key, and leads to no key."""
        return uuid.uuid5(_NAMESPACE, self.session_key)

    def __str__(self) -> str:
        return str(self.public_id)
