"""Where the portal keeps its things, as a pure function of DATA_DIR.

A process started beside a running `make run` (`manage.py shell`, a cron job) must find the same
servers without being told more than DATA_DIR. So nothing here depends on TMPDIR or the current
folder, and importing this module touches no file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

PROJECT_ROOT = Path(__file__).resolve().parents[2]

DATABASE_NAME = "portal"
DATABASE_USER = "portal"
#: PostgreSQL names its socket after a port number even when it listens on none.
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"

#: sockaddr_un holds 108 bytes on Linux and 104 on macOS, both with a closing zero byte.
SOCKET_PATH_LIMIT = 103
#: Fixed, not tempfile.gettempdir(): TMPDIR differs between a login shell, cron and sudo, and two
#: processes that disagree about it would not find each other.
SHORT_SOCKETS_ROOT = Path("/tmp")
ROOT_SERVERS_ROOT = Path("/var/lib/livelihood-portal")

# Without 0/o, 1/l/i: the demo password is read from a terminal and typed by hand.
_PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_PASSWORD_DIGITS = "23456789"


@dataclass(frozen=True)
class Layout:
    """The folders, sockets and addresses that belong to one data folder."""

    data_dir: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "data_dir", Path(os.path.realpath(self.data_dir.expanduser())))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Layout:
        """The layout of DATA_DIR; relative paths count from the project, not from the caller."""
        value = (os.environ if environ is None else environ).get("DATA_DIR") or ".data"
        return cls(PROJECT_ROOT / Path(value).expanduser())

    # -- folders -----------------------------------------------------------------------------

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def static_root(self) -> Path:
        """Where collectstatic gathers files; made anew from the sources at any time."""
        return self.data_dir / "static"

    @property
    def journal_archive(self) -> Path:
        """Entries that have left the journal's tables. As much to be backed up as the database."""
        return self.data_dir / "journal-archive"

    @property
    def media_root(self) -> Path:
        """Uploads. Never served by URL, only through a view that asks who may see them."""
        return self.data_dir / "media"

    def incoming(self) -> Path:
        """Where uploads are received, made at the first call: Django refuses to start without it.

        On a disk that cannot be written it is only named; the servers' own checks tell of the disk.
        """
        folder = self.data_dir / "incoming"
        with contextlib.suppress(OSError):
            self.data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def lock_file(self) -> Path:
        return self.data_dir / "lock"

    @property
    def children_file(self) -> Path:
        return self.data_dir / "children.json"

    @property
    def servers_dir(self) -> Path:
        """Where the files of the embedded servers are: DATA_DIR, or where `servers` in it points.

        PostgreSQL refuses to run as root, and `nobody` cannot enter every folder that root can
        (/root itself); `accounts` then puts the servers' files elsewhere and leaves that link.
        """
        try:
            return Path(os.readlink(self.servers_link))
        except OSError:
            return self.data_dir

    @property
    def postgres_data(self) -> Path:
        """The database. Its major version is in the name: 19 cannot read what 18 wrote."""
        return self.servers_dir / "postgres-18"

    @property
    def servers_link(self) -> Path:
        return self.data_dir / "servers"

    @property
    def servers_dir_for_root(self) -> Path:
        """Where root keeps the servers' files when DATA_DIR is closed to `nobody`."""
        return ROOT_SERVERS_ROOT / self._digest

    @property
    def sockets_dir(self) -> Path:
        """A private folder (0700) for both sockets, short enough for the kernel."""
        here = self.servers_dir / "sockets"
        longest = os.fsencode(here / POSTGRES_SOCKET)
        # libpq reads a comma in a host as a list of hosts.
        if len(longest) <= SOCKET_PATH_LIMIT and b"," not in longest:
            return here
        return SHORT_SOCKETS_ROOT / f"livelihood-{os.geteuid()}-{self._digest}" / "sockets"

    @property
    def _digest(self) -> str:
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]

    # -- addresses ---------------------------------------------------------------------------

    @property
    def database_url(self) -> str:
        """The embedded PostgreSQL for libpq and for django-environ alike.

        The socket folder is a query argument: in the place of the host, urlsplit would make it
        lower case and django-environ would not decode it.
        """
        host = quote(str(self.sockets_dir), safe="")
        return f"postgresql://{DATABASE_USER}@/{DATABASE_NAME}?host={host}"

    def database_settings(self) -> dict[str, Any]:
        """The embedded PostgreSQL as Django's DATABASES entry, with a HOST for dbshell too."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE_NAME,
            "USER": DATABASE_USER,
            "HOST": str(self.sockets_dir),
        }

    @property
    def valkey_socket(self) -> Path:
        return self.sockets_dir / VALKEY_SOCKET

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.valkey_socket))}?db=0"

    @property
    def celery_broker_url(self) -> str:
        return broker_url(self.redis_url)

    # -- secrets -----------------------------------------------------------------------------

    def secret_key(self) -> str:
        """Django's SECRET_KEY for this data folder, made at the first call.

        Raises:
            OSError: the data folder cannot be written, or belongs to another account.
        """
        return _kept_secret(self.data_dir / "secret-key", secrets.token_urlsafe(48))

    def demo_password(self) -> str:
        """The password of the demo logins: DEMO_PASSWORD, else one made at the first call.

        Raises:
            OSError: as for `secret_key`.
        """
        given = os.environ.get("DEMO_PASSWORD", "")
        return given or _kept_secret(self.data_dir / "demo-password", _readable_password())


def broker_url(redis_url: str) -> str:
    """REDIS_URL as kombu spells it: a unix socket has a scheme of its own there."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = next((v for k, _, v in _query_pairs(parts.query) if k == "db"), "0")
    return f"redis+socket://{parts.path}?virtual_host={database}"


def with_socket_host(settings: dict[str, Any]) -> dict[str, Any]:
    """Move `?host=` of a parsed DATABASE_URL from OPTIONS to HOST, where Django's dbshell looks."""
    options = dict(settings.get("OPTIONS") or {})
    host = options.pop("host", None)
    return settings if host is None else {**settings, "HOST": str(host), "OPTIONS": options}


def _query_pairs(query: str) -> list[tuple[str, str, str]]:
    return [pair.partition("=") for pair in query.split("&")]


def _kept_secret(path: Path, fresh: str) -> str:
    """The text in `path`; when there is none, `fresh` is put there for good.

    Two processes may come here at once (gunicorn's workers import settings together). A hard link
    to a complete file is the one operation where exactly one wins and nobody reads half a secret.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # made with 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(fresh + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
    return path.read_text().strip()


def _readable_password() -> str:
    """Three groups like `Kd4m-7qxr-hw3p`, about 55 bits, with a capital and digits for any rule."""
    letters = _PASSWORD_LETTERS + _PASSWORD_DIGITS
    text = "".join(secrets.choice(letters) for _ in range(10))
    start = secrets.choice(_PASSWORD_LETTERS).upper() + secrets.choice(_PASSWORD_DIGITS)
    return f"{start}{text[:2]}-{text[2:6]}-{text[6:]}"
