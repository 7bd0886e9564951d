"""What is handed off after a commit: the outbox is delivered. The broker only carries the call, never the mail."""

from celery import shared_task

from audit import delivery, outbox


@shared_task(name="audit.tasks.deliver_outbox", ignore_result=True)
def deliver_outbox() -> None:
    """What a request has just left is on its way."""
    _deliver()


@shared_task(name="audit.tasks.sweep_outbox", ignore_result=True)
def sweep_outbox() -> None:
    """What no message announced is on its way too: put off, left while the broker was down, or held by a dead worker."""
    _deliver()


def _deliver() -> None:
    if not delivery.deliver_due():
        outbox.nudge()  # many are waiting: another run, so that no run comes near the task's time limit
