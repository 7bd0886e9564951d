# One image, four roles: web, worker, beat, migrate (see docker-compose.yml).
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt -c constraints.txt
COPY . .
RUN /venv/bin/python -m trm_portal.development.translations \
    && SECRET_KEY=build INVITATION_LINK_KEY=build ENROLLMENT_KEY_SECRETS=build DATABASE_URL=postgres:///none \
       /venv/bin/python manage.py collectstatic --noinput

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin portal \
    && install -d -o 10001 -m 700 /attachments
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=trm_portal.settings
USER 10001
EXPOSE 8000
# gthread: slow clients hold a thread, not a worker (two sync workers were stopped by eight slow clients).
CMD ["gunicorn", "trm_portal.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=8", "--worker-tmp-dir=/dev/shm", "--no-control-socket", "--access-logfile=-", "--logger-class=trm_portal.logs.AccessLog"]
