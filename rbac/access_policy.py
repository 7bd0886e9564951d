"""What each customer asks of its partners' people, and how each person has signed in last."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Tenant
from rbac.partner_access import (
    LONGEST_AGE,
    LONGEST_METHOD,
    MOST_NETWORKS,
    SHORTEST_AGE,
    Policy,
    Proof,
)

_NETWORK_LENGTH = 43  # an IPv6 network


def _minutes(label: object) -> models.PositiveIntegerField:
    return models.PositiveIntegerField(label, null=True, blank=True)


def _networks(label: object) -> ArrayField:
    return ArrayField(models.CharField(max_length=_NETWORK_LENGTH), verbose_name=label, default=list, blank=True)


def _is_an_age(name: str) -> Q:
    return Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__range": (SHORTEST_AGE, LONGEST_AGE)})


class PartnerAccessPolicy(models.Model):
    """What a customer asks of all its partners; without a row, nothing (rbac/partner_access.py)."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="partner_access_policy")
    mfa = models.BooleanField(_("second factor"), default=False)
    max_age = _minutes(_("longest time since the sign-in, in minutes"))
    networks: ClassVar[ArrayField] = _networks(_("allowed networks"))
    events: ClassVar[ArrayField] = ArrayField(
        models.CharField(max_length=30, choices=Permission), verbose_name=_("events"), default=list, blank=True
    )
    step_up_mfa = models.BooleanField(_("second factor"), default=False)
    step_up_max_age = _minutes(_("longest time since the sign-in, in minutes"))
    step_up_networks: ClassVar[ArrayField] = _networks(_("allowed networks"))

    class Meta:
        verbose_name = _("partner access policy")
        verbose_name_plural = _("partner access policies")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=_is_an_age("max_age"), name="access_policy_age"),
            models.CheckConstraint(condition=_is_an_age("step_up_max_age"), name="access_policy_step_up_age"),
            models.CheckConstraint(
                condition=Q(networks__len__lte=MOST_NETWORKS, step_up_networks__len__lte=MOST_NETWORKS),
                name="access_policy_few_networks",
            ),
            models.CheckConstraint(
                condition=Q(events__contained_by=sorted(CONTROLLED_EVENTS)), name="access_policy_events_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}"

    @property
    def policy(self) -> Policy:
        """What it says."""
        return Policy.of_row({field.attname: getattr(self, field.attname) for field in self._meta.concrete_fields})


class LatestSignIn(models.Model):
    """How a person has signed in last: what his tools show for him, and what a preview of a policy goes by."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="latest_sign_in")
    at = models.DateTimeField(_("signed in"))
    # When the provider says that he proved who he is; it may have been before, for something else.
    proved_at = models.DateTimeField(_("proved"), null=True)
    methods: ClassVar[ArrayField] = ArrayField(models.CharField(max_length=LONGEST_METHOD), default=list)
    contexts: ClassVar[ArrayField] = ArrayField(models.CharField(max_length=LONGEST_METHOD), default=list)
    ip = models.GenericIPAddressField(_("address"), null=True)

    class Meta:
        verbose_name = _("latest sign-in")
        verbose_name_plural = _("latest sign-ins")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.at}"

    @property
    def proof(self) -> Proof:
        """What was shown then."""
        return Proof(self.proved_at, frozenset(self.methods), frozenset(self.contexts))
