"""Runs one part of `make chaos` and prints what came of it as docs/reliability.md keeps it."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from pathlib import Path

from django.utils import timezone

from tools.chaos_clock import FIRST, faketime_is_here, watch_clocks
from tools.chaos_imports import STRIKES as IMPORT_STRIKES
from tools.chaos_imports import Findings as ImportFindings
from tools.chaos_imports import kill_imports, median_and_worst
from tools.chaos_ledger import Kind, Ledger
from tools.chaos_servers import Servers
from tools.chaos_web import Findings, kill_web
from tools.chaos_worker import STRIKES, kill_workers
from tools.chaos_worker import Findings as WorkerFindings
from tools.chaos_worker_ledger import Ledger as WorkerLedger
from tools.chaos_worker_people import HealthLog
from tools.chaos_world import build


def web(*, rounds: int, hits: int, broken: bool) -> int:
    """Kill the web process. Returns the number of violations, as the others do."""
    today = timezone.localdate()
    world = build(today)
    log = Path(os.environ["DATA_DIR"]) / "chaos-web.log"
    ledger, findings = kill_web(world, today, rounds=rounds, hits=hits, broken=broken, log=log)
    print(_web_table(ledger, findings))
    return _told(findings.violations)


def worker(servers: Servers, *, rounds: int, broken: bool) -> int:
    """Kill worker, beat, broker and database."""
    today = timezone.localdate()
    world, ledger = build(today), WorkerLedger(today)
    findings, health = kill_workers(
        servers, world, ledger, rounds=rounds, broken=broken, folder=servers.layout.logs
    )
    print(_worker_table(ledger, findings, health))
    return _told(findings.violations)


def _told(violations: dict[str, set[str]]) -> int:
    for name, sentences in violations.items():
        for sentence in sorted(sentences)[:10]:
            print(f"VIOLATED {name}: {sentence}")
    return sum(map(len, violations.values()))


def _violations(violations: dict[str, set[str]]) -> list[str]:
    rows = [f"| {name.replace('_', ' ')} | {len(found)} |" for name, found in violations.items()]
    return ["| what must hold | violations |", "| --- | ---: |", *rows]


def _web_table(ledger: Ledger, findings: Findings) -> str:
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
    lines += ["", *_violations(findings.violations)]
    lines += [
        "",
        f"{findings.evidence:,} pieces of evidence in {findings.files:,} files; files without an owner: "
        f"{findings.orphans[0]} before the cleaner, {findings.orphans[1]} after; uploads left half received: "
        f"{findings.incoming[0]} before, {findings.incoming[1]} after",
    ]
    return "\n".join(lines)


def _worker_table(ledger: WorkerLedger, findings: WorkerFindings, health: HealthLog) -> str:
    times = [took for _kinds, took in findings.recoveries]
    quick = [save.ended - save.began for save in ledger.saves if save.status in (200, 302)]
    lines = [
        f"{findings.rounds} rounds in {findings.seconds:.0f} s, {sum(findings.strikes.values())} strikes,"
        f" {len(ledger.breached)} breaches, {len(ledger.cured)} of them mended, {len(ledger.saves)} requests",
        "",
        "| struck | times | recorded after, median / worst s | /healthz red after | green again after |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind, name in STRIKES.items():
        own = [took for names, took in findings.recoveries if name in names.split(" + ")]
        green = [_seconds(took) for first, took in findings.greened if first == kind]
        red = [_seconds(took) for took in findings.reddened.get(kind, [])]
        if own:
            lines.append(
                f"| {name} | {findings.strikes[kind]} | {statistics.median(own):.1f} / {max(own):.1f} |"
                f" {', '.join(red)} | {', '.join(green)} |"
            )
    if times:
        lines.append(
            f"| any | {findings.rounds} rounds | {statistics.median(times):.1f} / {max(times):.1f} | | |"
        )
    lines += ["", *_violations(findings.violations), ""]
    failed = Counter(save.status for save in ledger.saves if save.status not in (200, 302))
    lines.append(
        f"saves: median {statistics.median(quick):.2f} s, worst {max(quick):.2f} s; {sum(failed.values())} failed while"
        f" PostgreSQL was away {dict(failed)}; slowest /healthz {health.slowest:.1f} s"
    )
    return "\n".join([*lines, findings.mail])


def _seconds(took: float | None) -> str:
    return "never" if took is None else f"{took:.0f}"


def clock(servers: Servers) -> int:
    """Move the clocks of worker and beat; skipped, with a word, where the tool for that is missing."""
    if not faketime_is_here():
        print("SKIPPED clock: needs faketime (Debian: apt install faketime) / 跳过：未安装 faketime")
        return 0
    findings = watch_clocks(build(FIRST), servers.layout.logs)
    lines = [
        "| zone of the machine | patrols in the last minute | recorded before midnight | all recorded after |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {seen.zone} | {seen.patrols_before} | {seen.recorded_before} | {_seconds(seen.all_recorded_after)} s |"
        for seen in findings.midnights
    ]
    lines += ["", f"three missed days: caught up {_seconds(findings.caught_up_after)} s after the start;"]
    lines += [f"{len(findings.mails)} people, {sum(findings.mails.values())} mails", ""]
    print("\n".join([*lines, *_violations(findings.violations)]))
    return _told(findings.violations)


def ledger(servers: Servers, *, rounds: int, pairs: int, broken: bool) -> int:
    """Kill the worker, and PostgreSQL, while ledgers are read and taken in; then import two at once."""
    findings = kill_imports(
        servers,
        build(timezone.localdate()),
        rounds=rounds,
        pairs=pairs,
        broken=broken,
        folder=servers.layout.logs,
    )
    print(_ledger_table(findings))
    return _told(findings.violations)


def _ledger_table(findings: ImportFindings) -> str:
    lines = [
        f"{findings.rounds} strikes in {findings.seconds:.0f} s, {findings.rows:,} rows of ledgers",
        "",
        "| struck | while | times | in the middle |",
        "| --- | --- | ---: | ---: |",
    ]
    for name in IMPORT_STRIKES:
        for at, words in (("reading", "it was read"), ("confirming", "it was taken in")):
            if n := findings.strikes[name, at]:
                lines.append(f"| {name} | {words} | {n} | {findings.in_the_middle[name, at]} |")
    read, taken = (findings.recoveries.get(at, []) for at in ("reading", "confirming"))
    lines += [
        "",
        f"Done by the next worker, median / worst s: taken in after {median_and_worst(taken)}, read after"
        f" {median_and_worst(read)} (from the end of all strikes)",
        f"{findings.pairs} pairs of imports at once in {findings.pair_seconds:.0f} s: {dict(findings.pair_receipts)}",
        "",
        *_violations(findings.violations),
    ]
    return "\n".join(lines)
