"""make chaos: kill the portal's processes in the middle of their work and look for what broke.

Runs inside `python -m portal.servers with`, on a PostgreSQL that really writes to disk. Everything happens
in a database of its own, made anew each time. Ends with status 1 when anything is violated.

    make chaos                                     # every part, 50 rounds each
    make chaos ARGS="--only web --rounds 10"
    make chaos ARGS="--control"                    # a fault is put in; the checks must find it
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from tools.chaos_ledger import Ledger
    from tools.chaos_web import Findings

#: What is killed; `main` names the function of each, which answers with the number of violations.
PARTS = ("web",)


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if not os.environ.get("DATABASE_URL"):
        print("请用 make chaos 运行。/ Run it by `make chaos`: it needs the servers.", file=sys.stderr)
        return 2
    from tools.chaos_world import fresh_database

    os.environ["DATABASE_URL"] = fresh_database(os.environ["DATABASE_URL"])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    parts = {"web": _web}
    found = [parts[name](options) for name in PARTS if not options.only or name in options.only]
    if options.control:
        print("the fault was noticed" if any(found) else "THE FAULT WAS NOT NOTICED")
        return 0 if all(found) else 1
    return 1 if any(found) else 0


def _web(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from tools.chaos_web import kill_web
    from tools.chaos_world import build

    today = timezone.localdate()
    world = build(today)
    log = Path(os.environ["DATA_DIR"]) / "chaos-web.log"
    ledger, findings = kill_web(
        world, today, rounds=options.rounds, hits=options.hits, broken=options.control, log=log
    )
    print(_table(ledger, findings))
    for name, sentences in findings.violations.items():
        for sentence in sorted(sentences)[:10]:
            print(f"VIOLATED {name}: {sentence}")
    return sum(map(len, findings.violations.values()))


def _table(ledger: Ledger, findings: Findings) -> str:
    """What was struck and what came of it, as docs/reliability.md keeps it."""
    from tools.chaos_ledger import Kind

    outcomes = {kind: Counter(e.outcome for e in ledger.sent if e.kind is kind) for kind in Kind}
    fates = {kind: Counter(e.done_at_rest for e in ledger.sent if e.kind is kind) for kind in Kind}
    lines = [
        f"{findings.rounds} kills in {findings.seconds:.0f} s, {len(ledger.sent):,} requests that change something",
        "",
        "| request | answered | refused | struck | struck, and done | struck, and not done |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in Kind:
        n, fate = outcomes[kind], fates[kind]
        lines.append(
            f"| {kind} | {n['answered']:,} | {n['refused']:,} | {n['broken']} | {fate[True]} | {fate[False]} |"
        )
    lines += ["", "| what must hold | violations |", "| --- | ---: |"]
    lines += [f"| {name.replace('_', ' ')} | {len(found)} |" for name, found in findings.violations.items()]
    lines += [
        "",
        f"{findings.evidence:,} pieces of evidence in {findings.files:,} files; files without an owner: "
        f"{findings.orphans[0]} before the cleaner, {findings.orphans[1]} after; uploads left half received: "
        f"{findings.incoming[0]} before, {findings.incoming[1]} after",
    ]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="*", choices=PARTS, help="not all parts")
    parser.add_argument("--rounds", type=int, default=50, help="kills")
    parser.add_argument("--hits", type=int, default=5, help="kills go on until each kind was struck so often")
    parser.add_argument("--control", action="store_true", help="put a fault in, which must be noticed")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
