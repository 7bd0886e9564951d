"""Settings: everything that differs between installations comes from the environment.

A secret may be given as `NAME` or, for container secrets, as a file named by `NAME_FILE`.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

# --- Where we are -----------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
SECURE = env.bool("SECURE", default=True)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECRET_KEY = env.str("SECRET_KEY")
# Signs the secret in invitation mails; apart from SECRET_KEY so that either can be changed alone.
INVITATION_LINK_KEY = env.str("INVITATION_LINK_KEY")
# Encrypt the enrolment keys in the database: the first one encrypts, each of them decrypts.
ENROLLMENT_KEY_SECRETS = [one.strip() for one in env.list("ENROLLMENT_KEY_SECRETS") if one.strip()]
if not ENROLLMENT_KEY_SECRETS:
    raise ImproperlyConfigured("ENROLLMENT_KEY_SECRETS is empty: name at least one random text of 50 characters.")
ROOT_URLCONF = "trm_portal.urls"
WSGI_APPLICATION = "trm_portal.wsgi.application"

# --- What the portal is made of (order: an app imports only from those below it) ----------------
INSTALLED_APPS = [
    "trm_portal",
    "partners",
    "rooms",
    "rbac",
    "audit",
    "guardian",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "social_django",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_htmx",
    "axes",
    "csp",
    "trm_portal.admin_site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "trm_portal.client_address.ClientAddress",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "trm_portal.middleware.RefuseUnreadableInput",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "trm_portal.middleware.AbsoluteSessionLimit",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "trm_portal.middleware.PersonLocale",
    "trm_portal.middleware.AuditContext",
    "trm_portal.middleware.PartnerEvidence",
    "trm_portal.middleware.Justification",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "trm_portal.middleware.NoStore",
    "trm_portal.middleware.BreakOff",
    "trm_portal.middleware.RuleAnswers",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "trm_portal.navigation.frame",
            ]
        },
    }
]

# --- Who stands between us and the client: networks of reverse proxies, `unix` for those that come over a socket ---
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
IPWARE_META_PRECEDENCE_ORDER = (
    "REMOTE_ADDR",
)  # libraries take what ClientAddress found, and read no header of their own

# --- Data: one database, two roles. The app's role serves, the owner's migrates -----------------
DATABASES = {"default": env.db("DATABASE_URL"), "owner": env.db("DATABASE_OWNER_URL", default=env.str("DATABASE_URL"))}
for _alias, _database in DATABASES.items():
    _database["ATOMIC_REQUESTS"] = False  # `recording` owns the transaction, and keeps the audit line of a failure
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    _database["CONN_HEALTH_CHECKS"] = True
    _database.setdefault("OPTIONS", {})
    if _alias == "default":
        _database["OPTIONS"]["options"] = "-c statement_timeout=10000 -c lock_timeout=5000"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Broker ------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=env.str("REDIS_URL", default="redis://localhost:6379/0"))

# --- Webhooks: https to public addresses, unless the operator opens more ------------------------
WEBHOOK_PORTS = [int(one) for one in env.list("WEBHOOK_PORTS", default=["443"])]
WEBHOOK_ALLOWED_NETWORKS = env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])  # these too, on every port

# --- Mail --------------------------------------------------------------------------------------
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="smtp://localhost:25")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG["EMAIL_HOST"]
EMAIL_PORT = EMAIL_CONFIG["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL_CONFIG["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds; a silent mail server must not hold a worker for longer
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Rooms portal <rooms-portal@localhost>")

# --- Sign-in -----------------------------------------------------------------------------------
SITE_LEAD_PROFILE = env.str("SITE_LEAD_PROFILE", default="table1")  # or "rbac", for new tenants only
AUTH_USER_MODEL = "rbac.User"
LOCAL_SIGN_IN = env.bool("LOCAL_SIGN_IN", default=DEMO)  # demo accounts; support staff always sign in locally
# axes throttles guessing; `local` knows passwords; the two providers prove who somebody is, and `proven` finds him again;
# `answers` gives every has_perm from the one decision.
# guardian's own backend is left out on purpose: a bare row would grant (design: rows are an index only).
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rbac.backends.LocalAccounts",
    "rbac.providers.EntraID",
    "rbac.providers.OpenIDProvider",
    "rbac.backends.ProvenAtHome",
    "rbac.backends.Answers",
]
# Support staff prove who they are twice, and are signed out sooner: they see every tenant.
SUPPORT_SECOND_FACTOR = env.bool("SUPPORT_SECOND_FACTOR", default=not DEMO)
SUPPORT_SESSION_AGE = 15 * 60  # idle limit, seconds
SUPPORT_SESSION_ABSOLUTE_AGE = timedelta(hours=env.int("SUPPORT_SESSION_HOURS", default=4))
OTP_TOTP_ISSUER = "Rooms portal"
OTP_TOTP_THROTTLE_FACTOR = 1  # seconds to wait after a wrong code, twice as long after each further one
# Microsoft Entra ID, any organisation; and one OpenID provider of another make (docs/entra.md).
SOCIAL_AUTH_ENTRA_KEY = env.str("ENTRA_CLIENT_ID", default="")
SOCIAL_AUTH_ENTRA_SECRET = env.str("ENTRA_CLIENT_SECRET", default="")
SOCIAL_AUTH_ENTRA_OIDC_ENDPOINT = env.str(
    "ENTRA_ENDPOINT", default="https://login.microsoftonline.com/organizations/v2.0"
).rstrip("/")
SOCIAL_AUTH_ENTRA_PROMPT = "select_account"  # people have several accounts; the right one is theirs to name
SOCIAL_AUTH_OPENID_KEY = env.str("OIDC_CLIENT_ID", default="")
SOCIAL_AUTH_OPENID_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
SOCIAL_AUTH_OPENID_OIDC_ENDPOINT = env.str("OIDC_ENDPOINT", default="").rstrip("/")
OIDC_TENANT_ID = env.str("OIDC_TENANT_ID", default="")  # the one organisation it signs in; else OIDC_TENANT_CLAIM says
OIDC_TENANT_CLAIM = env.str("OIDC_TENANT_CLAIM", default="tid")
OIDC_OBJECT_CLAIM = env.str("OIDC_OBJECT_CLAIM", default="sub")
OIDC_UPN_CLAIM = env.str("OIDC_UPN_CLAIM", default="upn")
# What a provider says of a sign-in that had a second factor: its means (`amr`), its contexts (`acr`, Entra ID's `acrs`).
MFA_METHODS = frozenset(env.list("MFA_METHODS", default=["mfa"]))
MFA_CONTEXTS = frozenset(env.list("MFA_CONTEXTS", default=[]))
SIGN_IN_PROVIDERS = {
    "entra": bool(SOCIAL_AUTH_ENTRA_KEY),
    "openid": bool(SOCIAL_AUTH_OPENID_KEY and SOCIAL_AUTH_OPENID_OIDC_ENDPOINT),
}
SOCIAL_AUTH_PIPELINE = ("trm_portal.sign_in.bring_in", "trm_portal.sign_in.keep")
SOCIAL_AUTH_REQUESTS_TIMEOUT = 10  # seconds; a silent provider must not hold a web server's thread for longer
SOCIAL_AUTH_LOGIN_REDIRECT_URL = "home"
SOCIAL_AUTH_LOGIN_ERROR_URL = "sign_in"

LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "trm_portal.sessions"
SESSION_COOKIE_AGE = 60 * 60  # idle limit, seconds
SESSION_RENEWAL = timedelta(minutes=5)  # a session in use is written so often at most
SESSION_ABSOLUTE_AGE = timedelta(hours=12)
if not timedelta() < SUPPORT_SESSION_ABSOLUTE_AGE <= SESSION_ABSOLUTE_AGE:
    raise ImproperlyConfigured("SUPPORT_SESSION_HOURS: from 1 to 12, which is the limit of everybody else.")
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_SENSITIVE_PARAMETERS = ["password"]
AXES_DISABLE_ACCESS_LOG = True

# --- guardian: direct rows only, written by rbac/grants.py only --------------------------------
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]

# --- Browser security --------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "trm_portal.views.csrf_failure"
_PROVIDER_ORIGINS = env.list("SIGN_IN_ORIGINS", default=[]) or [
    "{0.scheme}://{0.netloc}".format(urlsplit(address))
    for name, address in (("entra", SOCIAL_AUTH_ENTRA_OIDC_ENDPOINT), ("openid", SOCIAL_AUTH_OPENID_OIDC_ENDPOINT))
    if SIGN_IN_PROVIDERS[name]
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        # Browsers hold a form to where it is sent on, too: signing in begins with one.
        "form-action": [SELF, *_PROVIDER_ORIGINS],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
INVENTORY_MAX_BYTES = 5 * 1024 * 1024
INVENTORY_MAX_ROWS = 10_000

# --- Language and time -------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files ------------------------------------------------------------------------------
STATIC_URL = "static/"
PLAIN_STATIC = DEBUG or DEMO or env.bool("PLAIN_STATIC", default=False)  # straight from the apps, nothing collected
STATIC_ROOT = None if PLAIN_STATIC else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # What people attach to tickets: never served by its address, only through the permission on the ticket.
    "attachments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env.str("ATTACHMENTS_ROOT", default=str(BASE_DIR / ".state" / "attachments")),
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if PLAIN_STATIC
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = PLAIN_STATIC

# --- Cache: counts the API's requests, nothing else. In the process, unless CACHE_URL names a Redis that all share --
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
CACHES["default"]["OPTIONS"] = (
    {"MAX_ENTRIES": 20_000}
    if "locmem" in CACHES["default"]["BACKEND"]
    # A count is worth no waiting: half a second, once.
    else {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
)

# --- API ---------------------------------------------------------------------------------------
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=600)  # of each person and each token
AGENT_REQUESTS_PER_MINUTE = env.int("AGENT_REQUESTS_PER_MINUTE", default=60)  # of each device
ENROLLMENTS_PER_MINUTE = env.int("ENROLLMENTS_PER_MINUTE", default=120)  # from each address
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "partners.api.authentication.TokenAuthentication",
        "partners.api.authentication.PersonSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["trm_portal.api.LimitedJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["trm_portal.api.PerCaller"],
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "trm_portal.api_schema.ProblemSchema",
    "EXCEPTION_HANDLER": "trm_portal.errors.answer_problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rooms portal API",
    "DESCRIPTION": "Partner management for managed meeting rooms.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "trm_portal.api_headers.add_components",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AuditCategory": "audit.models.Category.values",
        "AuditOperation": "audit.models.Operation.values",
        "AuditResult": "audit.models.Result.values",
        "PermissionCode": "rbac.catalogue.Permission.values",
        "DelegablePermissionCode": "partners.api.serializers.DELEGABLE",
        "Article": "rbac.api.table.SOURCES",
        "RoomState": "rooms.models.RoomState.choices",
        "RoomHealth": "rooms.models.Health.choices",
        "TicketState": "rooms.models.TicketState.choices",
        "OpenTicketState": "rooms.api.ticket_serializers.OPEN_STATES",
        "TicketKind": "rooms.models.TicketKind.choices",
        "Severity": "rooms.models.Severity.choices",
        "ReportedSeverity": "rooms.services.tickets.SEVERITIES",
        "ClosingReason": "rooms.services.tickets.REASONS",
        "ApprovalState": "rooms.models.ApprovalState.choices",
        "ControlledEvent": "rbac.catalogue.CONTROLLED_EVENTS",
        "AccessCondition": "rbac.partner_access.Condition.values",
        "NotificationEvent": "rbac.services.notifications.Event.values",
        "PartnerState": "rbac.models.DelegationState.values",
        "CustomerState": "partners.api.customers.STATES",
        "InvitationState": "partners.models.InvitationState.values",
        "WebhookEvent": "audit.events.EventType.values",
        "WebhookOffReason": "partners.webhooks.OffReason.values",
        "DeliveryState": "partners.webhooks.DeliveryState.values",
    },
}
KNOX_TOKEN_MODEL = "partners.ApiToken"
REST_KNOX = {
    "TOKEN_PREFIX": "trm_",
    "AUTH_TOKEN_CHARACTER_LENGTH": 64,
    "TOKEN_TTL": None,
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
}

# --- Logs: one line per event; plain for people, JSON for log stores. Request id, person and address are bound to each ---
_LOG_STEPS = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.format_exc_info,
]
_LOG_RENDERERS = {
    "plain": structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"]),
    "json": structlog.processors.JSONRenderer(),
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        name: {"()": "trm_portal.logs.SafeFormatter", "processor": renderer, "foreign_pre_chain": _LOG_STEPS}
        for name, renderer in _LOG_RENDERERS.items()
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": env.str("LOG_FORMAT", default="plain")},
        "heads": {"class": "logging.StreamHandler", "formatter": "json"},  # read by machines, whatever people like
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        "trm": {"level": "INFO"},
        "trm.audit": {"handlers": ["heads"], "level": "INFO", "propagate": False},
        "django.server": {"level": "INFO"},
    },
}
structlog.configure(
    processors=[*_LOG_STEPS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
