"""The entry for a WSGI server: `gunicorn trm_portal.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm_portal.settings")
application = get_wsgi_application()
