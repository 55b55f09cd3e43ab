"""Data folders for the launcher's tests: short, passable for `nobody`, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A place for a data folder. Not tmp_path: as root `nobody` could not enter that."""
    parent = Path(tempfile.mkdtemp(prefix="portal-test-"))
    parent.chmod(0o755)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def bare_environ() -> dict[str, str]:
    """An environment that names no server, although the tests themselves run with some."""
    ours = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "DEMO_PASSWORD", "PORT", "DEMO", "SECRET_KEY")
    return {key: value for key, value in os.environ.items() if key not in ours}
