"""make chaos: kill the portal's processes in the middle of their work and look for what broke.

Runs inside `python -m portal.servers with`, on a PostgreSQL that really writes to disk. Everything happens
in a database of its own, made anew each time. Ends with status 1 when anything is violated.

    make chaos                                     # every part
    make chaos ARGS="--only web --rounds 10"
    make chaos ARGS="--only worker --rounds 20"
    make chaos ARGS="--only ledger --rounds 5 --pairs 5"
    make chaos ARGS="--only worker --control"      # a fault is put in; the checks must find it
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys

import django

#: What is tried → how many rounds unless told.
PARTS = {"web": 50, "worker": 20, "clock": 1, "ledger": 25}
#: Those of them into which a fault can be put.
CONTROLLED = ("web", "worker", "ledger")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    # So that what was started is stopped by those who started it.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    if not os.environ.get("DATABASE_URL"):
        print("请用 make chaos 运行。/ Run it by `make chaos`: it needs the servers.", file=sys.stderr)
        return 2
    wanted = [part for part in PARTS if part in (options.only or PARTS)]
    if options.control:
        wanted = [part for part in wanted if part in CONTROLLED]
    if len(wanted) > 1:
        # A process each: one Django knows one database.
        rest = [argument for argument in arguments if argument not in ("--only", *PARTS)]
        alone = [sys.executable, "-m", "tools.chaos", *rest, "--only"]
        return max(subprocess.run([*alone, part], check=False).returncode for part in wanted)
    part = wanted[0]
    options.rounds = options.rounds or PARTS[part]
    found = {"web": _web, "worker": _worker, "clock": _clock, "ledger": _ledger}[part](options)
    if options.control:
        print("the fault was noticed" if found else "THE FAULT WAS NOT NOTICED")
        return 0 if found else 1
    return 1 if found else 0


def _set_up() -> None:
    """A database of our own on the server that DATABASE_URL leads to, and Django on it."""
    from tools.chaos_world import fresh_database

    os.environ["DATABASE_URL"] = fresh_database(os.environ["DATABASE_URL"])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()


def _web(options: argparse.Namespace) -> int:
    _set_up()
    from tools.chaos_report import web

    return web(rounds=options.rounds, hits=options.hits, broken=options.control)


def _worker(options: argparse.Namespace) -> int:
    from tools.chaos_servers import own_servers

    with own_servers("worker") as servers:
        _set_up()
        from tools.chaos_report import worker

        return worker(servers, rounds=options.rounds, broken=options.control)


def _clock(options: argparse.Namespace) -> int:
    from tools.chaos_servers import own_servers

    with own_servers("clock") as servers:
        _set_up()
        from tools.chaos_report import clock

        return clock(servers)


def _ledger(options: argparse.Namespace) -> int:
    from tools.chaos_servers import own_servers

    with own_servers("ledger") as servers:
        _set_up()
        from tools.chaos_report import ledger

        return ledger(servers, rounds=options.rounds, pairs=options.pairs, broken=options.control)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="*", choices=PARTS, help="not all parts")
    parser.add_argument(
        "--rounds", type=int, help="kills; " + ", ".join(f"{k} {n}" for k, n in PARTS.items())
    )
    parser.add_argument(
        "--hits", type=int, default=5, help="kills of web go on until each kind was struck so often"
    )
    parser.add_argument(
        "--pairs", type=int, default=50, help="after the kills of ledger: how often two imports run at once"
    )
    parser.add_argument("--control", action="store_true", help="put a fault in, which must be noticed")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
