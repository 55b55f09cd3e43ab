"""The portal with one fault put in: handing in a report commits in the middle. The negative control.

`make chaos ARGS="--control"` serves this instead of `portal.wsgi`; if the checks find nothing here, they
find nothing anywhere.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import connection

from portal.wsgi import application as application
from projects.models import ProgressReport

_save = ProgressReport.save


def _save_and_commit(self: ProgressReport, *args: Any, **kwargs: Any) -> None:
    _save(self, *args, **kwargs)
    if self.state == "submitted":
        connection.connection.commit()  # behind Django's back, as a service without `atomic` would
        time.sleep(0.05)


ProgressReport.save = _save_and_commit  # type: ignore[method-assign]
