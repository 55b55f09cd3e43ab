"""Several management commands in one interpreter.

    python -m portal.servers.steps "migrate --noinput" load_demo

Loading Django takes longer than finding out that there is nothing to migrate, so `make run` pays
for it once. Only this module of the package needs Django.
"""

from __future__ import annotations

import os
import shlex
import sys


def main(steps: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    for step in steps:
        execute_from_command_line(["manage.py", *shlex.split(step)])


if __name__ == "__main__":
    main(sys.argv[1:])
