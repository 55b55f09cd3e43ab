import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from portal import heartbeat  # noqa: E402  (its signals and the worker's sign of life)

app.steps["consumer"].add(heartbeat.SignOfLife)
