"""The one reminder that an invited person gets, while there is time left to answer."""

from datetime import timedelta

from django.db.models import CharField, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Greatest

from audit import outbox
from audit.clock import Now
from audit.log import recording
from audit.models import Category, Operation, OutboxMessage, OutboxState
from partners.models import OF_WHAT_IS_OVER, Invitation
from partners.parcels import INVITATION, reminder_mail

LAST_DAYS = timedelta(days=3)
LAST_PART = 4  # or the last quarter of its life, whichever begins first
QUIET_TIME = timedelta(days=1)  # after the mail was sent


def due() -> QuerySet[Invitation]:
    """Open invitations nearing their end, never reminded of, whose newest mail has been out for a day at least."""
    life = ExpressionWrapper((F("expires_at") - F("created_at")) / LAST_PART, output_field=DurationField())
    last_part = Greatest(Value(LAST_DAYS, output_field=DurationField()), life)
    mails = OutboxMessage.objects.filter(kind=INVITATION, subject_id=Cast(OuterRef("pk"), CharField()))
    recent = Q(state=OutboxState.WAITING) | Q(settled_at__gt=Now() - QUIET_TIME)
    return Invitation.objects.pending().filter(
        Exists(mails.filter(state=OutboxState.SENT)),
        ~Exists(mails.filter(recent)),
        ~OF_WHAT_IS_OVER,
        reminded_at=None,
        expires_at__lte=ExpressionWrapper(Now() + last_part, output_field=Invitation._meta.get_field("expires_at")),
    )


def remind(invitation: Invitation) -> bool:
    """A reminder is on its way to the invited person, and no other one ever will be; False if none is due (any more).

    Mark, mail and audit line are one transaction: a mark without a mail would be a reminder lost, a mail without a mark
    one sent twice. A row that somebody else holds is being answered or reminded of: it is left to them.
    """
    with recording(
        Category.PARTNER_INVITATION,
        Operation.UPDATE,
        invitation.addressee,
        tenant=invitation.tenant_id,
        by=None,
        relationship_id=invitation.relationship.delegation_id,
    ) as line:
        current = due().filter(pk=invitation.pk).select_for_update(of=("self",), skip_locked=True).first()
        if current is None:
            line.is_void = True
            return False
        Invitation.objects.filter(pk=current.pk).update(reminded_at=Now())
        outbox.leave(reminder_mail(current))
        line.after = {"reminded": True}
    return True
