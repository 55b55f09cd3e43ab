"""Shared set-up. PostgreSQL is real (embedded, started by `make test`); so are its triggers."""

from __future__ import annotations

import datetime
import gc
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.browsing import chromium, visit  # noqa: F401  (fixtures of every browser test)

TODAY = datetime.date(2026, 6, 10)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the collector of garbage need not walk through it each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_configure() -> None:
    # Hashed file names need collectstatic; pages are the same without it.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # One round of hashing: a thousand log-ins would otherwise be most of the run.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def evidence_folder(settings: Any, tmp_path: Path) -> Path:
    """Uploaded files go into a folder of this test."""
    folder = tmp_path / "evidence"
    settings.STORAGES = {
        **settings.STORAGES,
        "evidence": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder},
        },
    }
    return folder


@pytest.fixture
def today() -> datetime.date:
    """The day of tests that name their day; what reads the clock gets the real one."""
    return TODAY
