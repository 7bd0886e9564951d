"""What the clock calls: idempotency keys are forgotten. A key counts for 24 hours, whether or not this runs."""

from celery import shared_task

from rbac.services import idempotency


@shared_task(ignore_result=True)
def forget_idempotency_keys() -> None:
    """Keys that were first used more than 24 hours ago are gone, and the answers with them."""
    idempotency.forget()
