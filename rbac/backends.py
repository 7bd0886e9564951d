"""Django's authentication backends: passwords for local accounts, and THE answer behind every `has_perm`."""

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.db.models import Model
from django.http import HttpRequest

from rbac import access
from rbac.catalogue import Permission
from rbac.models import User
from rbac.services import sessions

security_log = logging.getLogger("trm.security")
_BY_CODENAME = {code.codename: code for code in Permission}


class Accounts(BaseBackend):
    """Finds the person of a session again, however he signed in."""

    def get_user(self, user_id: int) -> User | None:
        """The person of a session; None once deactivated, so the next request is anonymous."""
        return User.objects.select_related("tenant").filter(pk=user_id, is_active=True).first()


class LocalAccounts(Accounts):
    """Demo accounts (only where LOCAL_SIGN_IN is on) and support staff, by UPN and password."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        """The active local account with this name and password, or None. Takes as long for a name nobody has.

        Whoever is not let in as somebody who is known is on record; a stranger is in the security log.
        """
        if not username or password is None:
            return None
        user = User.objects.filter(username=username.strip().lower()).first()
        if user is None:
            User().set_password(password)  # the same work, so that the time does not tell who exists
            sessions.note_wrong_name()
            security_log.info("sign-in refused: nobody is called so")
            return None
        is_right = user.check_password(password)
        if is_right and user.is_active and (user.is_staff or settings.LOCAL_SIGN_IN):
            return user
        sessions.note_refusal(user, "closed" if is_right else "wrong_password")
        return None


class ProvenAtHome(Accounts):
    """Whoever has signed in at the provider of his own organisation (trm_portal/sign_in.py logs him in)."""


class Answers(BaseBackend):
    """`user.has_perm` for pages, admin, templates and DRF alike."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def has_perm(self, user_obj: Any, perm: str, obj: object = None) -> bool:
        """For a permission of Table 1: THE answer on `obj`. For admin's `view_…`: support staff. Else False."""
        codename = perm.rpartition(".")[2]
        permission = _BY_CODENAME.get(codename)
        if permission is not None:
            return isinstance(obj, Model) and access.can(user_obj, permission, obj)
        return codename.startswith("view_") and _is_support(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Support staff may look at every part of the admin; nobody else at any."""
        return _is_support(user_obj)


def _is_support(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.is_staff and user.tenant_id is None)
