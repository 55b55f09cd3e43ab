import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from portal import heartbeat  # noqa: E402,F401  (connects the worker's heartbeat to its signals)


@worker_ready.connect
def _catch_up(**_kwargs: Any) -> None:
    """After any time away the first thing is a patrol: beat's first tick may be a minute off."""
    app.send_task("projects.patrol", expires=55)
