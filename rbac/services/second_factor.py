"""The second factor of support staff: a code from an authenticator app (TOTP, RFC 6238), kept by django-otp.

The first sign-in sets it up; a code that was used, or a wrong one, makes the next try wait.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.log import recording
from audit.models import Category, Operation
from rbac.errors import UnknownAccount, WrongCode
from rbac.models import User
from rbac.services.accounts import is_support
from rbac.upn import normalise

NAME = "authenticator app"


def device_of(user: User) -> TOTPDevice | None:
    """What `user` proves himself with; None until it is set up."""
    found: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return found


def prepare(user: User) -> TOTPDevice:
    """A device that waits for its first code: the same one until it is confirmed.

    Raises PermissionDenied for anybody but support staff, and once there is a confirmed one.
    """
    if not is_support(user) or device_of(user) is not None:
        raise PermissionDenied
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": NAME})
    return device


def confirm(user: User, code: str) -> TOTPDevice:
    """The prepared device is the second factor of `user` from now on. Raises WrongCode, and what `prepare` raises."""
    device = prepare(user)
    is_right = _is_right(device, code)
    with recording(Category.USER, Operation.UPDATE, user.upn, tenant=None, by=user) as line:
        if not is_right:
            raise WrongCode
        TOTPDevice.objects.filter(pk=device.pk, confirmed=False).update(confirmed=True)
        line.after = {"second_factor": "set up"}
    device.refresh_from_db()
    return device


def verify(user: User, code: str) -> TOTPDevice:
    """The device whose code of this moment it is; on record, like a wrong one.

    Raises WrongCode, also while the last wrong code makes one wait.
    """
    device = device_of(user)
    is_right = _is_right(
        device, code
    )  # before the recording, which would undo that a wrong one makes the next try wait
    with recording(Category.SESSION, Operation.UPDATE, user.upn, tenant=None, by=user) as line:
        if device is None or not is_right:
            raise WrongCode
        line.after = {"second_factor": "shown"}
    return device


def _is_right(device: TOTPDevice | None, code: str) -> bool:
    """Whether `code` is the one of this moment, which it is once; a wrong one makes the next try wait.

    Raises WrongCode for what is not looked at: no code at all, or a try that still has to wait. It leaves no line, so that
    nobody fills the log by trying on.
    """
    with transaction.atomic():  # held: several at once are tried one after the other
        held = TOTPDevice.objects.select_for_update().filter(pk=device.pk).first() if device is not None else None
        if held is None or not (code.isascii() and code.isdigit()) or not held.verify_is_allowed()[0]:
            raise WrongCode
        return bool(held.verify_token(code))


def forget(upn: str, *, by: User | None) -> None:
    """The next sign-in of `upn` sets its second factor up anew: the telephone is lost. `by` is None for the command line.

    Raises UnknownAccount for anybody who is no support staff, PermissionDenied for one's own.
    """
    upn = normalise(upn)
    with recording(Category.USER, Operation.UPDATE, upn, tenant=None, by=by) as line:
        user = User.objects.filter(username=upn, is_staff=True, tenant=None, is_active=True).first()
        if user is None:
            raise UnknownAccount(params={"upn": upn})
        if by is not None and (by.pk == user.pk or not is_support(by)):
            raise PermissionDenied
        TOTPDevice.objects.filter(user=user).delete()
        line.after = {"second_factor": "forgotten"}
