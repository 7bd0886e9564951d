"""Enrolment keys: issued and reset, downloaded, and checked when a device brings one.

The secret is stored twice: encrypted, for the download, under secrets that the database does not know; and as a digest,
by which an enrolment finds it. A download is the only thing that ever shows it.
"""

import hashlib
import secrets
from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import Q, QuerySet

from audit import outbox
from audit.clock import Now, now
from audit.log import recording
from audit.models import AuditEvent, Category, Operation, Result
from rbac.access import require
from rbac.catalogue import Permission
from rbac.models import Tenant, TenantStatus, User
from rooms.encryption import fernets
from rooms.errors import InvalidGrace, KeyUnreadable, NoKey, TooManyDownloads
from rooms.models import EnrollmentKey
from rooms.operation_emails import key_notice

NAME = "enrolment key"  # how the log calls it
PURPOSE = "enrolment keys"
PREFIX = "trmk_"
LONGEST_GRACE = timedelta(hours=72)
DOWNLOADS_PER_HOUR = 5  # of each person
_FILE = """# {tenant}: enrolment key, version {version}
# Whoever has this key can enrol devices into your organisation. Keep it as you keep a password.
# Fingerprint (first 16 hex digits of its SHA-256): {fingerprint}
url={url}
key={secret}
"""


def reset(tenant: Tenant, *, by: User, grace: timedelta = timedelta()) -> EnrollmentKey:
    """A new version is the key; earlier ones enrol nobody after `grace` (0 to 72 hours). Enrolled devices go on.

    The first reset issues version 1. Raises PermissionDenied, InvalidGrace.
    """
    with recording(Category.KEY, Operation.UPDATE, NAME, tenant=tenant, by=by) as line:
        require(by, Permission.ROOMS_RESET_KEY, tenant)
        if not timedelta() <= grace <= LONGEST_GRACE:
            raise InvalidGrace
        hold(tenant)
        last = EnrollmentKey.objects.filter(tenant=tenant).order_by("-version").first()
        ends = now() + grace
        stopping = EnrollmentKey.objects.filter(tenant=tenant).filter(Q(stops_at__isnull=True) | Q(stops_at__gt=ends))
        stopping.update(stops_at=ends)
        key = _issue(tenant, last.version + 1 if last else 1, by)
        if last is None:
            line.operation = Operation.CREATE
        else:
            line.before = {"version": last.version, "fingerprint": last.fingerprint}
            outbox.leave(key_notice(key))
        line.after = {"version": key.version, "fingerprint": key.fingerprint, "grace_hours": _hours(grace)}
    return key


def download(tenant: Tenant, *, by: User) -> tuple[EnrollmentKey, str]:
    """The current key and its secret; that `by` took it is on record.

    Raises PermissionDenied, NoKey, TooManyDownloads after five of the same person within an hour, KeyUnreadable.
    """
    with recording(Category.KEY, Operation.UPDATE, NAME, tenant=tenant, by=by) as line:
        require(by, Permission.ROOMS_DOWNLOAD_KEY, tenant)
        hold(tenant)  # two downloads at once must count each other
        key = EnrollmentKey.objects.filter(tenant=tenant, stops_at__isnull=True).first()
        if key is None:
            raise NoKey
        if downloads_of(tenant, by).count() >= DOWNLOADS_PER_HOUR:
            raise TooManyDownloads
        secret = _read(key)
        line.after = {"downloaded": True, "version": key.version, "fingerprint": key.fingerprint}
    return key, secret


def downloads_of(tenant: Tenant, person: User) -> QuerySet[AuditEvent]:
    """The downloads of `person` within the last hour, by the log and the database's clock."""
    return AuditEvent.objects.filter(
        tenant_id=tenant.pk,
        at__gt=Now() - timedelta(hours=1),
        category=Category.KEY,
        result=Result.SUCCESSFUL,
        user_id=person.upn,
        user_tenant_id=person.tenant_id,
        after__downloaded=True,
    )


def file_of(key: EnrollmentKey, secret: str) -> str:
    """The text of the file that a download gives: the key, and where devices bring it."""
    return _FILE.format(
        tenant=key.tenant.name.replace("\n", " "),
        version=key.version,
        fingerprint=key.fingerprint,
        url=f"{settings.PUBLIC_URL}/api/agent/v1/",
        secret=secret,
    )


def opened_by(secret: str) -> QuerySet[EnrollmentKey]:
    """The key that `secret` is, if it enrols at this second."""
    live = Q(stops_at__isnull=True) | Q(stops_at__gt=Now())
    found = EnrollmentKey.objects.filter(live, digest=digest_of(secret))
    return found.exclude(tenant__status=TenantStatus.CLOSED)


def hold(tenant: Tenant) -> None:
    """Hold the tenant's row until the transaction ends: resets, downloads and enrolments come one after the other."""
    Tenant.objects.select_for_update(no_key=True).values_list("pk").get(pk=tenant.pk)


def digest_of(secret: str) -> bytes:
    """By what a secret of 256 random bits is found; nobody gets back from it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def encrypt_anew() -> tuple[int, list[EnrollmentKey]]:
    """Every key is encrypted under the first of ENROLLMENT_KEY_SECRETS: how many were, and those that cannot be read."""
    unreadable, done = [], 0
    with recording(Category.KEY, Operation.UPDATE, "encryption of enrolment keys", tenant=None, by=None) as line:
        for key in EnrollmentKey.objects.select_for_update(of=("self",), no_key=True).order_by("pk"):
            try:
                _read(key)
            except KeyUnreadable:
                unreadable.append(key)
                continue
            EnrollmentKey.objects.filter(pk=key.pk).update(encrypted=fernets(PURPOSE).rotate(bytes(key.encrypted)))
            done += 1
        line.after = {"encrypted": done, "unreadable": [key.pk for key in unreadable]}
    return done, unreadable


def _issue(tenant: Tenant, version: int, by: User) -> EnrollmentKey:
    secret = PREFIX + secrets.token_urlsafe(32)
    digest = digest_of(secret)
    return EnrollmentKey.objects.create(
        tenant=tenant,
        version=version,
        encrypted=fernets(PURPOSE).encrypt(secret.encode()),
        digest=digest,
        fingerprint=" ".join(digest.hex()[start : start + 4] for start in range(0, 16, 4)),
        created_at=now(),
        created_by=by.upn,
    )


def _read(key: EnrollmentKey) -> str:
    """The secret. Raises KeyUnreadable, also for one that was moved here from another row."""
    try:
        secret = fernets(PURPOSE).decrypt(bytes(key.encrypted)).decode()
    except InvalidToken as error:
        raise KeyUnreadable from error
    if digest_of(secret) != bytes(key.digest):
        raise KeyUnreadable
    return secret


def _hours(grace: timedelta) -> float | int:
    hours = grace / timedelta(hours=1)
    return int(hours) if hours.is_integer() else hours
