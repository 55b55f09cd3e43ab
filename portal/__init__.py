"""Composition root: settings, URLs, Celery, the admin site. Nothing else imports it."""
