"""What the clock calls, and what a confirmed import sends for: inventories are carried out, old ones forgotten; reports."""

from celery import shared_task

from rooms import change_control
from rooms.services import inventory_imports, report_sums


@shared_task(name=inventory_imports.TASK, ignore_result=True)
def carry_out_imports() -> None:
    """Every confirmed import is done, and so is what a dead worker left; two of these never do the same one."""
    for import_id in inventory_imports.waiting():
        inventory_imports.carry_out(import_id, submit=change_control.submit)


@shared_task(ignore_result=True)
def discard_old_imports() -> None:
    """Uploaded inventories are gone after a day."""
    inventory_imports.discard_old()


@shared_task(ignore_result=True)
def add_up_reports() -> None:
    """The figures of reports are those of now; what one run does not finish, the next one does."""
    report_sums.run()


@shared_task(ignore_result=True)
def forget_health() -> None:
    """The health of rooms, minute by minute, is gone after 100 days; the days that reports show are kept apart."""
    report_sums.forget()
