"""Partners: the relationship behind a delegation, the invitations that found it, the terms it rests on, API tokens."""

import hashlib
import uuid
from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, F, Q, Subquery, Value, When
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from audit.clock import Now
from rbac.access import OfTenant, Rule
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.drafts import Draft
from rbac.models import Assignment, Delegation, DelegationState, Tenant, User
from rbac.time_limits import over
from rbac.upn import MAX_LENGTH, PATTERN


class TermsQuerySet(models.QuerySet["Terms"]):
    def newest(self) -> "Terms | None":
        """What a customer agrees to today; None until support staff have published something."""
        return self.order_by("-version").first()

    def waiting_for(self, tenant: Tenant) -> "Terms | None":
        """The newest terms, if `tenant` agreed to older ones and not to these; None for whoever never had to agree."""
        accepted = TermsAcceptance.objects.filter(tenant=tenant).order_by("-version").values("version")[:1]
        return self.filter(version__gt=Subquery(accepted)).newest()


class Terms(models.Model):
    """The operator's text that a customer agrees to; a published version never changes."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    text_en = models.TextField(_("English text"))
    text_de = models.TextField(_("German text"))
    published_at = models.DateTimeField(_("published"), auto_now_add=True)

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        default_permissions = ("view",)
        ordering = ("-version",)

    def __str__(self) -> str:
        return f"{self.version}"

    @property
    def text(self) -> str:
        """The text in the reader's language."""
        return self.text_de if (get_language() or "").startswith("de") else self.text_en

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over both texts: what was agreed to can be proved later."""
        return hashlib.sha256(f"{self.version}\n{self.text_en}\n{self.text_de}".encode()).hexdigest()


class TermsAcceptance(models.Model):
    """A customer has agreed to a version of the terms; never changed, never deleted."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="terms_acceptances", verbose_name=_("customer"))
    version = models.PositiveIntegerField(_("version"))
    digest = models.CharField(_("SHA-256 of the terms"), max_length=64)
    accepted_by = models.CharField(_("agreed by"), max_length=150)
    accepted_at = models.DateTimeField(_("agreed"))

    ACCESS: ClassVar[Rule] = OfTenant()

    class Meta:
        verbose_name = _("acceptance of terms")
        verbose_name_plural = _("acceptances of terms")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["tenant", "version"], name="terms_accepted_once")]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.version}"


class PartnerRelationship(models.Model):
    """What the customer knows of a partner. State, partner tenant and end date are the delegation's.

    There is no pointer to the person who linked it: the relationship belongs to the two organisations.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="partners", verbose_name=_("customer"))
    delegation = models.OneToOneField(Delegation, models.PROTECT, related_name="relationship")
    label = models.CharField(_("partner name"), max_length=120)
    expected_tid = models.UUIDField(
        _("partner’s Entra tenant id"), null=True, blank=True, help_text=_("If entered, only this tenant can accept.")
    )
    terms_version = models.PositiveIntegerField(_("terms version"))
    terms_digest = models.CharField(max_length=64)
    terms_accepted_by = models.CharField(_("terms accepted by"), max_length=150)
    terms_accepted_at = models.DateTimeField(_("terms accepted"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    ACCESS: ClassVar[Rule] = OfTenant()

    class Meta:
        verbose_name = _("partner relationship")
        verbose_name_plural = _("partner relationships")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["tenant", "label", "id"], name="relationship_by_label")]

    def __str__(self) -> str:
        return self.label

    @property
    def state(self) -> str:
        return self.delegation.state

    @property
    def is_open(self) -> bool:
        """Whether anything can still become of it."""
        return self.delegation.state != DelegationState.ENDED


class InvitationState(models.TextChoices):
    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", _("Accepted")
    DENIED = "denied", _("Denied")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


# The relationship has ended, or its time is over though no job has marked it.
OF_WHAT_IS_OVER = over("relationship__delegation")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        """Those that can still be accepted at this second, whether or not the periodic job has run."""
        return self.filter(state=InvitationState.PENDING, expires_at__gt=Now())

    def due(self) -> "InvitationQuerySet":
        """Those whose time is over but that no job has marked yet."""
        return self.filter(state=InvitationState.PENDING, expires_at__lte=Now())

    def addressed_to(self, user: User) -> "InvitationQuerySet":
        """Those `user` may answer: the UPN is his own, he is at home there, and the tenant is not the customer; and those
        to a domain of his tenant, if he is one of its managers."""
        is_tool = getattr(user, "limits", None) is not None  # a token answers no invitations
        if user.tenant_id is None or not user.is_home_member or not user.is_active or is_tool:
            return self.none()
        return self.filter(Q(upn=user.upn) | Q(invited_tenant=user.tenant_id) & TenantManager.is_one(user))

    def open_to(self, user: User) -> "InvitationQuerySet":
        """Those `user` can answer at this second."""
        return self.addressed_to(user).pending().exclude(tenant=user.tenant_id).exclude(OF_WHAT_IS_OVER)

    def undoable(self) -> "InvitationQuerySet":
        """Those whose denial can still be taken back at this second: once, within a day, while they would live."""
        return self.filter(
            state=InvitationState.DENIED,
            decided_at__gt=Now() - UNDO_WITHIN,
            expires_at__gt=Now(),
            reopens__isnull=True,
            reopened_as__isnull=True,
        ).exclude(OF_WHAT_IS_OVER)

    def as_of_now(self) -> "InvitationQuerySet":
        """With `state_now`: what is due has expired, and what ended with its relationship is withdrawn, marked or not."""
        return self.annotate(
            state_now=Case(
                When(~Q(state=InvitationState.PENDING), then=F("state")),
                When(OF_WHAT_IS_OVER, then=Value(InvitationState.REVOKED)),
                When(expires_at__lte=Now(), then=Value(InvitationState.EXPIRED)),
                default=F("state"),
            )
        )


UNDO_WITHIN = timedelta(days=1)


class TenantManager(models.Model):
    """Somebody who answers invitations to a domain of his tenant. With nobody named, its MMR Admins do."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="managers", verbose_name=_("tenant"))
    user = models.ForeignKey(User, models.CASCADE, related_name="+", verbose_name=_("person"))
    appointed_by = models.CharField(_("appointed by"), max_length=150)
    created_at = models.DateTimeField(_("appointed"), auto_now_add=True)

    ACCESS: ClassVar[Rule] = OfTenant()

    class Meta:
        verbose_name = _("tenant manager")
        verbose_name_plural = _("tenant managers")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="tenant_manager_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.tenant}"

    @classmethod
    def of(cls, tenant_id: object) -> models.QuerySet["TenantManager"]:
        """Those named who can act: active, and at home."""
        return cls.objects.filter(tenant=tenant_id, user__is_active=True, user__is_home_member=True)

    @classmethod
    def is_one(cls, user: User) -> Q:
        """Whether `user` answers for his tenant, as part of another statement."""
        admins = Assignment.objects.valid().filter(
            tenant=user.tenant_id, role__key=BuiltIn.MMR_ADMIN, role__delegation__isnull=True
        )
        by_group = Q(group_memberships__group__memberships__user=user)
        is_admin = Exists(admins.filter(Q(memberships__user=user) | by_group))
        return Q(Exists(cls.of(user.tenant_id).filter(user=user))) | ~Exists(cls.of(user.tenant_id)) & Q(is_admin)


class Invitation(models.Model):
    """One person invited to one partner relationship, or the managers of a tenant by a domain of theirs; each invitation
    is independent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="invitations", verbose_name=_("customer"))
    relationship = models.ForeignKey(PartnerRelationship, models.PROTECT, related_name="invitations")
    contact_name = models.CharField(_("name"), max_length=120)
    upn = models.CharField(_("user principal name"), max_length=MAX_LENGTH, blank=True)
    domain = models.CharField(_("domain"), max_length=48, blank=True, default="", db_default="")
    invited_tenant = models.ForeignKey(
        Tenant, models.PROTECT, null=True, blank=True, related_name="+", help_text=_("Whose domain it is.")
    )
    delivery_address = models.EmailField(_("delivery address"), max_length=254, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    state = models.CharField(_("state"), max_length=10, choices=InvitationState, default=InvitationState.PENDING)
    rotation = models.PositiveIntegerField(default=1, help_text=_("Raised by each resend; older links are dead."))
    invited_by = models.CharField(_("invited by"), max_length=150)
    created_at = models.DateTimeField(_("invited"))
    expires_at = models.DateTimeField(_("expires"))
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="accepted_invitations")
    by_partner = models.BooleanField(
        _("by the partner"), default=False, db_default=False, help_text=_("Sent by a primary admin of the partner.")
    )
    reopens = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reopened_as", verbose_name=_("takes back")
    )

    ACCESS: ClassVar[Rule] = OfTenant()
    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["relationship", "upn", "domain"],
                condition=Q(state="pending"),
                name="invitation_one_pending_per_upn",
            ),
            models.CheckConstraint(condition=Q(state__in=InvitationState.values), name="invitation_state"),
            models.CheckConstraint(
                condition=Q(upn__regex=PATTERN, domain="", invited_tenant__isnull=True)
                | Q(upn="", invited_tenant__isnull=False) & ~Q(domain=""),
                name="invitation_upn_form",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True, decided_by="")
                | (~Q(state="pending") & Q(decided_at__isnull=False) & ~Q(decided_by="")),
                name="invitation_decided_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="accepted", accepted_by__isnull=False)
                | (~Q(state="accepted") & Q(accepted_by__isnull=True)),
                name="invitation_accepted_by",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"),
        ]
        indexes = [
            models.Index(fields=["upn"], name="invitation_by_upn"),
            models.Index(fields=["expires_at"], name="invitation_due", condition=Q(state="pending")),
            models.Index(fields=["tenant", "created_at"], name="invitation_by_day"),
        ]

    def __str__(self) -> str:
        return self.addressee

    @property
    def addressee(self) -> str:
        """Whom it names: a person's UPN, or a domain."""
        return self.upn or self.domain

    @property
    def address(self) -> str:
        """Where its mail goes; a UPN need not be a mailbox."""
        return self.delivery_address or self.upn


class PartnerDraft(Draft):
    """What somebody has entered in *Add partner* so far; survives a reload and a new sign-in."""

    class Meta:
        verbose_name = _("draft of a partner")
        verbose_name_plural = _("drafts of partners")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="draft_one_per_person")]


class ApiToken(AbstractAuthToken):
    """A partner tool's key: one person's rights in one relationship, narrowed to `scopes`; only its hash is stored."""

    name = models.CharField(_("name"), max_length=100)
    delegation = models.ForeignKey(Delegation, models.CASCADE, related_name="tokens")
    scopes = ArrayField(models.CharField(max_length=30, choices=Permission), verbose_name=_("permissions"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(scopes__contained_by=sorted(CEILING)), name="token_scopes_below_ceiling")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"


import partners.webhooks  # noqa: E402, F401 - models of this app too
