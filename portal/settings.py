"""Settings, read from the environment; docs/operations.md explains each, and a test compares them.

Any variable may also be given as NAME_FILE, the path of a file that holds the value (secrets).
"""

from __future__ import annotations

import os
import sys
from datetime import time
from pathlib import Path

import environ
import pghistory
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

from portal.evidence_storage import evidence_storage
from portal.servers.layout import Layout, broker_url, with_socket_host

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()
# An empty variable is one that is not set: docker-compose.yml hands on what nobody gave as an empty text.
env.ENVIRON = FileAwareMapping({name: value for name, value in os.environ.items() if value})
LAYOUT = Layout.from_environ()

# -- what kind of installation ------------------------------------------------------------------

DEBUG = False
PRODUCTION = env.bool("PRODUCTION", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if PRODUCTION:
    if len(SECRET_KEY) < 50 or not ALLOWED_HOSTS:
        raise ImproperlyConfigured(
            "PRODUCTION=1 needs SECRET_KEY (or SECRET_KEY_FILE) of 50 characters or more, and ALLOWED_HOSTS."
        )
else:
    SECRET_KEY = SECRET_KEY or LAYOUT.secret_key()
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]

# -- parts --------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "enterprises",
    "notices",
    "projects",
    "journal",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "pgtrigger",
    "pghistory",
    "axes",
    "import_export",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.PlainTextMiddleware",
    "portal.middleware.PrivatePagesMiddleware",
    "journal.context.JournalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.portal",
            ],
        },
    },
]

# -- where the truth is -------------------------------------------------------------------------

if env.str("DATABASE_URL", default=""):
    _database = with_socket_host(env.db_url("DATABASE_URL"))
else:
    _database = LAYOUT.database_settings()
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 60,
        # A server that was restarted must cost one retry, not an error page per worker.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # The triggers of django-pgtrigger ask for this setting at every row. Where it is missing
            # they catch an error instead, a rolled-back subtransaction each, and a transaction with
            # deferred foreign keys becomes quadratic (44,000 projects were not done in 8 minutes).
            "options": "-c pgtrigger.ignore={}",
            **_database.get("OPTIONS", {}),
        },
    }
}

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Whole cockpits (projects.admin.cockpit_kept), of each process: some hundred kilobytes each.
    "pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "OPTIONS": {"MAX_ENTRIES": 64},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="") or LAYOUT.redis_url

# -- who ----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "enterprises.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "enterprises.authentication.AccountBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name")},
    },
    {"NAME": "enterprises.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=8)
AXES_COOLOFF_TIME = env.float("LOGIN_COOLOFF_MINUTES", default=15.0) / 60
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "portal.views.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
AXES_IPWARE_PROXY_COUNT = PROXY_COUNT or None
# Without a proxy in front the header is the client's own word, and a new lie would be a new address.
AXES_IPWARE_META_PRECEDENCE_ORDER = (
    ["HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"] if PROXY_COUNT else ["REMOTE_ADDR"]
)
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=10) * 3600
SESSION_COOKIE_SAMESITE = "Lax"

# -- how it talks -------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["portal.formats"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(LAYOUT.static_root)))
MEDIA_ROOT = LAYOUT.media_root
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "evidence": evidence_storage(
        LAYOUT.media_root / "evidence",
        bucket=env.str("EVIDENCE_S3_BUCKET", default=""),
        endpoint=env.str("EVIDENCE_S3_ENDPOINT", default=""),
        region=env.str("EVIDENCE_S3_REGION", default=""),
        access_key=env.str("EVIDENCE_S3_ACCESS_KEY", default=""),
        secret_key=env.str("EVIDENCE_S3_SECRET_KEY", default=""),
    ),
}
EVIDENCE_KEEP_ORIGINALS = env.bool("EVIDENCE_KEEP_ORIGINALS", default=False)
#: Folders with a Chinese font for the PDF of the wall chart, besides those where the system keeps its fonts.
WALL_CHART_FONTS = env.list("WALL_CHART_FONTS", default=[])
WHITENOISE_MANIFEST_STRICT = False
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
# Above the thirty that a form takes, so that a person with a few too many is told their names in the form.
DATA_UPLOAD_MAX_NUMBER_FILES = 100
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.BoundedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Ten files of the largest size that is taken, and the form around them.
UPLOAD_MAX_TOTAL_SIZE = 201 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Beside the uploads, not in /tmp: in a container that is memory, elsewhere a small disk of others.
FILE_UPLOAD_TEMP_DIR = LAYOUT.incoming()

# -- what a page may do -------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
CSRF_FAILURE_VIEW = "portal.views.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from inside, without TLS
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# -- the journal --------------------------------------------------------------------------------

PGHISTORY_APPEND_ONLY = True
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(db_index=True)
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)
JOURNAL_RETENTION_DAYS = env.int("JOURNAL_RETENTION_DAYS", default=200)
if JOURNAL_RETENTION_DAYS < 184:  # no six months are longer
    raise ImproperlyConfigured(
        "JOURNAL_RETENTION_DAYS 不得少于 184 天：《网络安全法》第二十一条要求网络日志留存不少于六个月。 / "
        "JOURNAL_RETENTION_DAYS must be 184 or more: article 21 of the Cybersecurity Law has logs kept for "
        "no less than six months."
    )
JOURNAL_ARCHIVE_DIR = Path(env.str("JOURNAL_ARCHIVE_DIR", default=str(LAYOUT.journal_archive)))

# -- notices ------------------------------------------------------------------------------------

# Without a host e-mail is not set up: people have the inbox of the portal, and the pages say so.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_PORT = env.int("EMAIL_PORT", default=465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)
if EMAIL_USE_SSL and EMAIL_USE_TLS:
    raise ImproperlyConfigured(
        "EMAIL_USE_SSL and EMAIL_USE_TLS exclude each other; port 465 wants EMAIL_USE_SSL."
    )
if not 1 <= EMAIL_TIMEOUT <= 30:  # a message is leased for 45 s; an attempt that lasts longer is made twice
    raise ImproperlyConfigured("EMAIL_TIMEOUT must be 1 to 30 seconds.")
# The address at which people reach the portal, for links in what leaves it.
PORTAL_URL = env.str(
    "PORTAL_URL",
    default=f"https://{ALLOWED_HOSTS[0].lstrip('.')}"
    if PRODUCTION
    else f"http://127.0.0.1:{env.int('PORT', default=8000)}",
).rstrip("/")
if not PORTAL_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured("PORTAL_URL must begin with https:// or http://.")
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default=EMAIL_HOST_USER if "@" in EMAIL_HOST_USER else "portal@localhost"
)
try:
    DIGEST_AT = time.fromisoformat(env.str("DIGEST_AT", default="08:30"))
except ValueError:
    raise ImproperlyConfigured("DIGEST_AT must be a time of day such as 08:30.") from None
# Addresses that a robot may have. "host" is asked by https only; "host:port" is this machine's operator's own word.
NOTICES_ROBOT_HOSTS = env.list(
    "NOTICES_ROBOT_HOSTS",
    default=["qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn", "open.larksuite.com"],
)

# -- the worker ---------------------------------------------------------------------------------

CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 15 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For ever. After the default of 100 tries (three quarters of an hour) worker and beat would end.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A patrol that runs when the broker goes away is finished, not killed: the database needs no broker.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message is gone from the broker once a worker has it: whatever is lost with a worker is sent again by
    # beat. With receipts in the broker, a broker that went away while tasks ran ended every worker (the
    # receipt had no connection to be written to), and a killed worker's tasks came back half an hour late.
    "ack_emulation": False,
    "socket_connect_timeout": 2,
    # A broker that hangs, or whose machine is gone without a word, must not hold beat for ever.
    "socket_timeout": 5,
    "socket_keepalive": True,
    # The same for the connection on which a worker waits for tasks: given up after 1 + 2 × 10 s.
    "health_check_interval": 10,
    "global_keyprefix": "portal:",
}
# Whatever is killed, what became overdue is recorded within a minute: a message that was lost is sent again
# after this time.
PATROL_SECONDS = env.int("PATROL_SECONDS", default=30)
CELERY_BEAT_SCHEDULER = "portal.heartbeat:StampingScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(LAYOUT.data_dir / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    # Just after midnight everything due yesterday is overdue; the rest of the day, what changed.
    "patrol-at-midnight": {
        "task": "projects.patrol",
        "schedule": crontab(minute="0", hour="0"),
        "options": {"expires": 3600},
    },
    "patrol-again": {
        "task": "projects.patrol",
        "schedule": float(PATROL_SECONDS),
        "options": {"expires": PATROL_SECONDS},
    },
    "deliver-notices": {
        "task": "notices.deliver",
        "schedule": 10.0,
        "options": {"expires": 9},
    },
    "work-on-ledgers": {
        "task": "projects.ledgers",
        "schedule": 10.0,
        "options": {"expires": 9},
    },
    "sweep-the-ledgers": {
        "task": "projects.sweep_ledgers",
        "schedule": crontab(minute="45", hour="3"),
        "options": {"expires": 3600},
    },
    "archive-the-journal": {
        "task": "journal.archive",
        "schedule": crontab(minute="30", hour="2"),
        "options": {"expires": 3600},
    },
    "sweep-the-evidence": {
        "task": "projects.sweep_evidence",
        "schedule": crontab(minute="30", hour="3"),
        "options": {"expires": 3600},
    },
}

# -- what is written down -----------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"axes": {"level": "WARNING"}},
}

# -- development tools, where they are installed --------------------------------------------------

if (
    "makemigrations" in sys.argv
    or "PYTEST_VERSION" in os.environ
    or env.bool("LINEAR_MIGRATIONS", default=False)
):
    try:
        import django_linear_migrations  # noqa: F401
    except ImportError:
        pass
    else:
        INSTALLED_APPS += ["django_linear_migrations"]
