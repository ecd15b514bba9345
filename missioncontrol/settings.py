"""Django settings. Only the environment differs between installations; see deploy/env.example."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from missioncontrol import env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- where this installation keeps its data -----------------------------------------------
VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var")
ARCHIVE_DIR = env.folder("ARCHIVE_DIR", VAR_DIR / "archive")
# A ClickHouse that holds the columns; empty: they are in ARCHIVE_DIR with the packets.
ARCHIVE_URL = env.clickhouse("ARCHIVE_URL")
# What receivers heard and nobody has archived yet; so much of it at each input.
SPOOL_DIR = env.folder("SPOOL_DIR", VAR_DIR / "spool")
SPOOL_MAX_MIB = env.integer("SPOOL_MAX_MIB", 1024, low=16, high=1_048_576)
# How long telemetry is kept; 0 is for ever.
TELEMETRY_KEEP_PACKETS_DAYS = env.integer("TELEMETRY_KEEP_PACKETS_DAYS", 0, low=0, high=36_500)
TELEMETRY_KEEP_COLUMNS_DAYS = env.integer("TELEMETRY_KEEP_COLUMNS_DAYS", 0, low=0, high=36_500)
FILES_DIR = env.folder("FILES_DIR", VAR_DIR / "files")
LOG_DIR = env.folder("LOG_DIR", VAR_DIR / "log")
# Name of the consortium log: first line of its checkpoints, name of its key. For ever.
LOG_ORIGIN = env.text("LOG_ORIGIN", "missioncontrol.local/log")
# Witnesses that must have cosigned; they count from the first registered witness on.
AUDIT_PUBLISHED_QUORUM = env.integer("AUDIT_PUBLISHED_QUORUM", 0, low=0, high=99)
AUDIT_SETTLED_QUORUM = env.integer(
    "AUDIT_SETTLED_QUORUM", AUDIT_PUBLISHED_QUORUM, low=AUDIT_PUBLISHED_QUORUM, high=99
)

SECRET_KEY = env.secret("SECRET_KEY", file=VAR_DIR / "secret-key")
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS", "")
DEBUG = False
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS", "")

# --- the broker: one Redis-protocol server for Celery, Channels and live streams ----------
# A unix socket path may have 107 octets at most, so it lives in the system's run folder
# and not below VAR_DIR, which may be deep.
_RUN = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
BROKER_RUN_DIR = _RUN / f"missioncontrol-{hashlib.sha256(str(VAR_DIR).encode()).hexdigest()[:12]}"
EMBEDDED_BROKER_URL = f"unix://{BROKER_RUN_DIR}/broker.sock"
REDIS_URL = env.broker("REDIS_URL", default=EMBEDDED_BROKER_URL)
_CELERY_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)

# --- planning ------------------------------------------------------------------------------
# Approve plans that move nothing that is booked without asking a person.
PLAN_AUTOMATIC_APPROVAL = env.flag("PLAN_AUTOMATIC_APPROVAL", default=False)

# --- providers of leased stations, by the slug of the organisation that owns them -----------
STATION_PROVIDERS = env.services("STATION_PROVIDERS")
STATION_PROVIDER_TOKENS = env.pairs("STATION_PROVIDER_TOKENS")

# --- the API: how much may be asked of it, counted on the broker ---------------------------
API_RATE_PER_TOKEN = env.rate("API_RATE_PER_TOKEN", "600/minute")
API_RATE_PER_ORGANISATION = env.rate("API_RATE_PER_ORGANISATION", "3000/minute")
# Tokens that open nothing, by the address that they come from.
API_RATE_OF_WRONG_TOKENS = env.rate("API_RATE_OF_WRONG_TOKENS", "30/minute")

# --- the simulator: real CCSDS octets over loopback ----------------------------------------
SIMULATOR_ADDRESS = env.text("SIMULATOR_ADDRESS", "127.0.0.1:18400")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "channels",
    "axes",
    "missioncontrol.kernel",
    "missioncontrol.accounts",
    "missioncontrol.audit",
    "missioncontrol.webhooks",
    "missioncontrol.fleet",
    "missioncontrol.contacts",
    "missioncontrol.scheduling",
    "missioncontrol.reservations",
    "telemetry",
    "uplink.commanding",
    "uplink.transfers",
    "uplink.jobs",
    "missioncontrol.pipelines",
    "missioncontrol.operations",
    "missioncontrol.api",
    "missioncontrol.console",
    "missioncontrol.supervision",
    # After the console, whose templates come before theirs.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "missioncontrol.api.plain_http.PlainHttpRefusal",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "missioncontrol.kernel.admission.Admission",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "missioncontrol.audit.receipt_header.AuditReceipts",
    "missioncontrol.accounts.gate.Gate",
    "missioncontrol.accounts.second_factor.SecondFactor",
]

# Of one web process; each may hold a connection to the database.
REQUESTS_AT_ONCE = 32

ROOT_URLCONF = "missioncontrol.urls"
ASGI_APPLICATION = "missioncontrol.asgi.application"
WSGI_APPLICATION = "missioncontrol.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "missioncontrol.console.context.page_frame",
            ],
        },
    },
]

DATABASES = {"default": env.database("DATABASE_URL", default_file=VAR_DIR / "mission.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Operator"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "missioncontrol.accounts.password_words.ContextWordsValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 2 * 24 * 3600  # of an invitation to choose a password

# What a stranger may ask for; everything else is answered with 401 by whoever speaks there.
GATE_OPEN_PATHS = [
    r"/health",
    r"/calendars/[A-Za-z0-9_-]+\.ics",  # their addresses are secrets
    r"/signin/",
    r"/signout/",  # also out of half a sign-in, before the second factor
    r"/account/single-sign-on/[a-z0-9-]+/login/(callback/)?",
    r"/account/single-sign-on/login/(cancelled|error)/",
    r"/account/invitation/.+",
    r"/account/second-factor/authenticate/",
    r"/account/passkeys/login/",
]
GATE_REFUSALS = [
    ("/api/", "missioncontrol.api.authentication.answer_stranger"),
    ("/log/", "missioncontrol.api.log_files.answer_stranger"),
    ("/", "missioncontrol.console.views.signin.answer_stranger"),
]

# --- signing in: allauth does it, axes counts what goes wrong -------------------------------
ACCOUNT_ADAPTER = "missioncontrol.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/signin/"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# When a fresh proof is needed is decided in one place: missioncontrol.console.access.confirmed.
MFA_REAUTHENTICATION_REQUIRED = False
ACCOUNT_SESSION_REMEMBER = False
# By address only: a limit by name would let a stranger keep an operator out of a pass.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "30/m/ip"}
SOCIALACCOUNT_ADAPTER = "missioncontrol.accounts.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
MFA_ADAPTER = "missioncontrol.accounts.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "missioncontrol.accounts.code_forms.AuthenticateForm",
    "reauthenticate": "missioncontrol.accounts.code_forms.ReauthenticateForm",
    "add_webauthn": "missioncontrol.accounts.passkey_forms.AddPasskeyForm",
    "authenticate_webauthn": "missioncontrol.accounts.passkey_forms.SecondFactorPasskeyForm",
    "login_webauthn": "missioncontrol.accounts.passkey_forms.SignInByPasskeyForm",
    "reauthenticate_webauthn": "missioncontrol.accounts.passkey_forms.ConfirmByPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["recovery_codes", "totp", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Orbital Mission Control"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Everybody who signs in with a password must have a second factor.
SECOND_FACTOR_REQUIRED = env.flag("SECOND_FACTOR_REQUIRED", default=False)
# How many proxies stand in front and add to X-Forwarded-For.
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, low=0, high=9)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
# By name and address together, for the same reason.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "console/locked.html"
AXES_USERNAME_CALLABLE = "missioncontrol.accounts.attempts.attempted_name"
AXES_CLIENT_IP_CALLABLE = "missioncontrol.accounts.attempts.client_address"
AXES_DISABLE_ACCESS_LOG = True  # the consortium log has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

CACHES = {
    "default": {
        "BACKEND": "missioncontrol.kernel.cache.BrokerCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    },
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    },
}

# --- Celery: late acknowledgement and a fast sweep, so that a killed worker loses nothing --
CELERY_BROKER_URL = _CELERY_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_throttle": 1,
    # A person's request waits no longer than this for a broker that is away.
    "connect_retries_timeout": 1,
}
CELERY_TASK_DEFAULT_QUEUE = "general"
CELERY_TASK_ROUTES = {"missioncontrol.contacts.tasks.*": {"queue": "orbits"}}
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "keep-contact-window-horizon": {
        "task": "missioncontrol.contacts.tasks.keep_horizon",
        "schedule": 20.0,
        "options": {"expires": 60},
    },
    "book-contacts": {
        "task": "missioncontrol.scheduling.tasks.book_contacts",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "keep-reservations": {
        "task": "missioncontrol.reservations.tasks.keep_reservations",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "compare-reservations": {
        "task": "missioncontrol.reservations.tasks.compare_reservations",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "compact-archives": {
        "task": "telemetry.tasks.compact_archives",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "keep-archives-within-policy": {
        "task": "telemetry.tasks.keep_archives_within_policy",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "sweep-verifications": {
        "task": "uplink.commanding.tasks.sweep_verifications",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "forget-api-answers": {
        "task": "missioncontrol.api.tasks.forget_answers",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "sweep-operations": {
        "task": "missioncontrol.operations.tasks.sweep_operations",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "sweep-jobs": {
        "task": "uplink.jobs.tasks.sweep_jobs",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
}

# --- time and language: UTC everywhere -----------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en"

# --- webhooks --------------------------------------------------------------------------------
# Hosts that may be addresses of this network or machine; all others must be public ones.
WEBHOOK_ALLOWED_HOSTS = env.names("WEBHOOK_ALLOWED_HOSTS", "")

# --- the browser ---------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.folder("STATIC_ROOT", VAR_DIR / "static")
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
SERVED_OVER_TLS = env.flag("SERVED_OVER_TLS", default=False)
if SERVED_OVER_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^api/"]  # refused instead: api/plain_http.py
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = SERVED_OVER_TLS
CSRF_COOKIE_SECURE = SERVED_OVER_TLS
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SERVED_OVER_TLS  # http://localhost
# The __Host- prefix is only accepted by browsers on a secure origin.
SESSION_COOKIE_NAME = "__Host-session" if SERVED_OVER_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SERVED_OVER_TLS else "csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Who signs in and who fails to stands in the consortium log and in the database.
    # Where webhooks lead is their members' business, so no line for each request.
    "loggers": {"axes": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}
