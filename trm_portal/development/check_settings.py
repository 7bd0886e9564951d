"""The portal's settings, with the checker of migrations beside its apps."""

from trm_portal.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]  # noqa: F405
