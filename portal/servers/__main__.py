"""python -m portal.servers run | with | exec | check"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from portal.servers import commands, health
from portal.servers.console import Problem, accept_any_terminal
from portal.servers.layout import PROJECT_ROOT, Layout
from portal.servers.processes import die_with_parent
from portal.servers.supervisor import run_portal
from portal.servers.wrapper import run_with_servers


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    accept_any_terminal()
    try:
        return _carry_out(options)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1


def _carry_out(options: argparse.Namespace) -> int:
    if options.what == "check":
        return 0 if health.CHECKS[options.name]() else 1
    if options.what == "exec":
        argv = commands.BY_NAME[options.name](os.environ)
        os.chdir(PROJECT_ROOT)
        os.execv(argv[0], argv)
    if options.follow_parent:
        die_with_parent(signal.SIGTERM, os.getppid())
    layout = Layout(PROJECT_ROOT / options.data_dir) if options.data_dir else Layout.from_environ()
    if options.what == "run":
        return run_portal(layout)
    return run_with_servers(layout, options.command, durable=not options.careless)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m portal.servers", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)

    run = what.add_parser("run", help="start the whole portal and keep it running")
    around = what.add_parser("with", help="run a command with both servers around it")
    for sub in (run, around):
        sub.add_argument("--data-dir", type=Path, help="instead of DATA_DIR; relative to the project")
        sub.add_argument(
            "--follow-parent",
            action="store_true",
            help="stop when the starting process is gone, even by kill -9 (Linux)",
        )
    around.add_argument(
        "--careless",
        action="store_true",
        help="for tests: do not wait for the disk; a crash of the machine may ruin the data",
    )
    around.add_argument("command", nargs="+", metavar="-- COMMAND", help="what to run")

    execute = what.add_parser("exec", help="become one of the processes, in the foreground")
    execute.add_argument("name", choices=sorted(commands.BY_NAME))
    check = what.add_parser("check", help="exit 0 when this process is well (for containers)")
    check.add_argument("name", choices=sorted(health.CHECKS))
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
