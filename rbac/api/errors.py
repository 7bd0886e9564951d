"""What is wrong with a request as such, whatever it asks for. Rules are in the apps' errors.py."""

from collections.abc import Mapping

from django.forms import Form
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException


class NotForTokens(APIException):
    """Only the person may do this, signed in: a tool makes no tools, and answers no invitations."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "not_for_tokens"
    default_detail = _("This cannot be done with a token. Sign in yourself.")


class InvalidParameters(APIException):
    """Query parameters that do not exist or do not fit; `errors` says of each: its code and what to do."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid_parameters"
    default_detail = _("The parameters of the request are not valid.")

    def __init__(self, errors: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self.errors = [
            {"parameter": name, "code": code, "detail": detail} for name, (code, detail) in sorted(errors.items())
        ]


class LengthRequired(APIException):
    """A body in chunks, whose length nobody said: the server behind us would take it for none at all."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = _("Send the body with its length (Content-Length).")


class InvalidHeader(APIException):
    """A header of the request that cannot be read."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid_header"
    default_detail = _("A header of the request could not be read.")


def refuse_filter(chosen: Form) -> None:
    """Pass if `chosen`, the filter of a list, is valid. Raises InvalidParameters that names what is wrong."""
    if not chosen.is_valid():
        wrong = {name: errors[0] for name, errors in chosen.errors.as_data().items()}
        raise InvalidParameters(
            {name: (error.code or "invalid", " ".join(error.messages)) for name, error in wrong.items()}
        )
