"""What the clock calls, and what a confirmed import sends for: inventories, silent tickets, files nobody attached."""

from celery import shared_task

from rooms import change_control
from rooms.models import BulkChange
from rooms.services import attachments, bulk_changes, inventory_imports, monitoring, telemetry, ticket_silence, work


@shared_task(name=inventory_imports.TASK, ignore_result=True)
def carry_out_imports() -> None:
    """Every confirmed import is done, and so is what a dead worker left; two of these never do the same one."""
    for import_id in inventory_imports.waiting():
        inventory_imports.carry_out(import_id, submit=change_control.submit)


@shared_task(ignore_result=True)
def discard_old_imports() -> None:
    """Uploaded inventories and bulk changes are gone after a day."""
    inventory_imports.discard_old()
    work.discard_old(BulkChange)


@shared_task(name=bulk_changes.TASK, ignore_result=True)
def carry_out_bulk_changes() -> None:
    """Every confirmed bulk change is done, and so is what a dead worker left; two of these never do the same one."""
    for change_id in bulk_changes.waiting():
        bulk_changes.carry_out(change_id, submit=change_control.submit)


@shared_task(ignore_result=True)
def end_suppressions() -> None:
    """Rooms whose suppression is over are watched again; that they are was true before."""
    monitoring.end_due()


@shared_task(ignore_result=True)
def mark_silent_rooms() -> None:
    """Rooms that have not been heard of for 15 minutes are unmonitored, at most a minute after they fell silent so long."""
    telemetry.mark_silent()


@shared_task(ignore_result=True)
def close_silent_tickets() -> None:
    """Tickets that nobody has anything to add to are closed; two of these close each one once."""
    ticket_silence.close_silent()


@shared_task(ignore_result=True)
def sweep_attachments() -> None:
    """Files that were handed in and never attached are gone, and so is what failed transactions left."""
    attachments.sweep()
