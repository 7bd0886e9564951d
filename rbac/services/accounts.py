"""Local accounts of support staff: opened, given another password, closed. Everybody else signs in at home."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from audit.log import recording
from audit.models import Category, Operation
from rbac.errors import AccountExists, UnknownAccount
from rbac.models import User
from rbac.upn import normalise


def is_support(user: object) -> bool:
    """Whether `user` is an active account of support staff."""
    return isinstance(user, User) and user.is_active and user.is_staff and user.tenant_id is None


def open_support_account(upn: str, password: str, *, name: str = "", by: User | None) -> User:
    """A new account of support staff that signs in with `upn` and `password`. `by` is None for the command line.

    Raises PermissionDenied unless support staff ask, AccountExists if anybody is called that already, ValidationError
    for a UPN that is none and for a password the validators refuse.
    """
    upn = normalise(upn)
    with recording(Category.USER, Operation.CREATE, upn, tenant=None, by=by) as line:
        require_support(by)
        if User.objects.filter(username=upn).exists() or User.objects.filter(upn=upn).exists():
            raise AccountExists(params={"upn": upn})
        user = User(username=upn, upn=upn, display_name=name.strip(), is_staff=True)
        validate_password(password, user)
        user.set_password(password)
        user.clean_fields()
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError as error:  # somebody opened it at the same moment
            raise AccountExists(params={"upn": upn}) from error
        line.after = {"support_staff": True}
    return user


def change_password(user: User, password: str, *, by: User | None) -> None:
    """`user`, of support staff, signs in with `password` from now on; sessions that began before have ended.

    Raises PermissionDenied unless it is one's own account or the command line's change (`by` is None), UnknownAccount
    for anybody who is no support staff, ValidationError for a password the validators refuse.
    """
    with recording(Category.USER, Operation.UPDATE, user.upn, tenant=None, by=by) as line:
        if by is not None and by.pk != user.pk:
            raise PermissionDenied
        if not is_support(user):
            raise UnknownAccount(params={"upn": user.upn})
        validate_password(password, user)
        user.set_password(password)
        user.save(update_fields=["password"])
        line.after = {"password": "changed"}


def close_support_account(upn: str, *, by: User | None) -> User:
    """The account opens nothing from the next request on. `by` is None for the command line.

    Raises PermissionDenied unless support staff ask, UnknownAccount if there is no such open account.
    """
    upn = normalise(upn)
    with recording(Category.USER, Operation.DELETE, upn, tenant=None, by=by) as line:
        require_support(by)
        user = User.objects.filter(username=upn, is_staff=True, tenant=None, is_active=True).first()
        if user is None:
            raise UnknownAccount(params={"upn": upn})
        user.is_active = False
        user.set_unusable_password()
        user.save(update_fields=["is_active", "password"])
        line.after = {"active": False}
    return user


def require_support(by: User | None) -> None:
    """Pass for support staff and for the command line (None). Raises PermissionDenied otherwise."""
    if by is not None and not is_support(by):
        raise PermissionDenied
