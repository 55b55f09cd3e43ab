"""The worker with one fault put in: taking in a ledger commits in the middle. The negative control.

`make chaos ARGS="--only ledger --control"` runs the worker on this instead of `portal`. If the checks find
nothing here, they find nothing.
"""

from __future__ import annotations

import time
from typing import Any

import django
from django.db import connection

from portal.celery import app as app

django.setup()

from projects.importing import writing  # noqa: E402

_insert = writing.insert_steps


def _insert_and_commit(*arguments: Any) -> None:
    # Behind Django's back, as a service without `atomic` would. The rows that are still to be read go with the
    # transaction, so what follows fails as well, if nobody is killed before.
    _insert(*arguments)
    connection.connection.commit()
    time.sleep(2)


writing.insert_steps = _insert_and_commit
