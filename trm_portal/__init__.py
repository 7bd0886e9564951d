"""The project: settings, addresses, error mapping, navigation and the look. No rule and no model lives here."""

from trm_portal.celery import app as celery_app

__all__ = ["celery_app"]
