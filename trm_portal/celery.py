"""The one Celery application.

Celery only moves rows that a committed transaction left behind (audit/outbox.py) and rings the clock; no truth lives
in the broker. A broker that refuses or hangs costs a request at most `socket_timeout`, and loses nothing: the sweep
finds every row that no message announced.

No message expires. Its age would be judged by two machines' clocks, and a worker whose clock is ahead would throw away
every ring; what piles up while no worker runs costs a query each.
"""

import os

import environ
from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm_portal.settings")
env = environ.Env()

app = Celery("trm_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_acks_late=False,  # a lost message is found again by the sweep, so nothing waits for redelivery
    task_publish_retry=False,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 0},
    timezone="UTC",
    beat_schedule={
        "deliver what no message announced": {
            "task": "audit.tasks.sweep_outbox",
            "schedule": env.float("SWEEP_SECONDS", default=30.0),
        },
        "expire due invitations": {
            "task": "partners.schedule.expire_invitations",
            "schedule": env.float("EXPIRE_SECONDS", default=60.0),
        },
        "end relationships past their end": {
            "task": "partners.schedule.end_relationships",
            "schedule": env.float("EXPIRE_SECONDS", default=60.0),
        },
        "deliver to webhooks what no message announced": {
            "task": "partners.schedule.deliver_webhooks",
            "schedule": env.float("SWEEP_SECONDS", default=30.0),
        },
        "forget old deliveries of webhooks": {
            "task": "partners.schedule.forget_deliveries",
            "schedule": crontab(hour=4, minute=11),
        },
        "carry out what no message announced": {
            "task": "rooms.schedule.carry_out_imports",
            "schedule": env.float("SWEEP_SECONDS", default=30.0),
        },
        "carry out what was chosen in bulk": {
            "task": "rooms.schedule.carry_out_bulk_changes",
            "schedule": env.float("SWEEP_SECONDS", default=30.0),
        },
        "lift suppressions that are over": {
            "task": "rooms.schedule.end_suppressions",
            "schedule": env.float("SUPPRESSIONS_SECONDS", default=60.0),
        },
        "look for rooms that fell silent": {"task": "rooms.schedule.mark_silent_rooms", "schedule": 60.0},
        "schedule the rollouts of a new release": {
            "task": "rooms.schedule.schedule_rollouts",
            "schedule": env.float("ROLLOUT_SECONDS", default=60.0),
        },
        "go on with rollouts": {
            "task": "rooms.schedule.advance_rollouts",
            "schedule": env.float("ROLLOUT_SECONDS", default=60.0),
        },
        "take in rooms that came late": {
            "task": "rooms.schedule.take_in_late_rooms",
            "schedule": crontab(minute="*/5"),
        },
        "expire due approval requests": {
            "task": "rooms.schedule.expire_requests",
            "schedule": env.float("EXPIRE_SECONDS", default=60.0),
        },
        "remind of waiting approval requests": {
            "task": "rooms.schedule.remind_of_requests",
            "schedule": crontab(minute=19),
        },
        "forget old inventories": {"task": "rooms.schedule.discard_old_imports", "schedule": crontab(minute=23)},
        "add up reports": {
            "task": "rooms.schedule.add_up_reports",
            "schedule": env.float("REPORT_SECONDS", default=300.0),
        },
        "forget old health": {"task": "rooms.schedule.forget_health", "schedule": crontab(hour=2, minute=29)},
        "remind of open invitations": {"task": "partners.schedule.remind_invited", "schedule": crontab(minute=17)},
        "tell of relationships that end soon": {
            "task": "partners.schedule.tell_of_ends",
            "schedule": crontab(minute=43),
        },
        "tell of assignments that end soon": {"task": "rooms.schedule.tell_of_ends", "schedule": crontab(minute=47)},
        "close tickets that nobody adds to": {
            "task": "rooms.schedule.close_silent_tickets",
            "schedule": crontab(minute="*/10"),
        },
        "sweep files that nobody attached": {
            "task": "rooms.schedule.sweep_attachments",
            "schedule": crontab(hour=2, minute=31),
        },
        "publish the heads of the audit chains": {
            "task": "audit.schedule.publish_heads",
            "schedule": crontab(hour=3, minute=41),
        },
        "forget idempotency keys": {
            "task": "rbac.schedule.forget_idempotency_keys",
            "schedule": crontab(minute=37),
        },
        "forget settled messages": {"task": "audit.schedule.forget_settled", "schedule": crontab(hour=4, minute=7)},
    },
)
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="schedule")
