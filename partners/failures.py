"""Why nothing arrived: codes that the log of deliveries keeps, said in the reader's language."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Failure(models.TextChoices):
    NO_ADDRESS = "no_address", _("This is no address.")
    USER_IN_ADDRESS = "user_in_address", _("A user name or a password cannot be part of the address.")
    HTTPS_NEEDED = "https_needed", _("The address has to begin with https://.")
    NOT_PUBLIC = "not_public", _("The address is not public.")
    PORT_NOT_OPEN = "port_not_open", _("The port is not open to webhooks.")
    NOT_RESOLVED = "not_resolved", _("The name of the receiver cannot be resolved.")
    NO_CONNECTION = "no_connection", _("There was no connection within 5 seconds.")
    REFUSED = "connection_refused", _("The receiver refused the connection.")
    BROKEN = "connection_broken", _("The connection broke off before there was an answer.")
    CERTIFICATE = "certificate_not_trusted", _("The receiver’s certificate is not trusted.")
    NO_ANSWER = "no_answer", _("There was no answer within 10 seconds.")
    REDIRECT = "redirect", _("The receiver points elsewhere; redirects are not followed.")
    PORTAL = "portal_failed", _("The portal could not send it; its operator can see why.")


def said_of(code: str) -> str:
    """What `code` means; the code itself if it is of another version of the portal."""
    return str(Failure(code).label) if code in Failure.values else code
