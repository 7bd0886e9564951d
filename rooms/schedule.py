"""What the clock calls, and what a confirmed import sends for: inventories are carried out, old ones forgotten; requests
nobody decided are over.
"""

from celery import shared_task

from rooms import change_control
from rooms.services import approvals, inventory_imports


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
def expire_requests() -> None:
    """Approval requests whose time is over are marked; that they are over was true before."""
    approvals.expire_due()
