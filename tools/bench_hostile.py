"""Hostile ledgers, each read by a process of its own: how long it takes, and how much memory on top of a small one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.bench_databases import Databases
    from tools.bench_report import Figure

SECONDS, MEMORY = 5.0, 200
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_ROW = (
    '<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>供水{n}</t></is></c>'
    '<c r="B{n}" t="inlineStr"><is><t>水务集团</t></is></c></row>'
)
_HEAD = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>项目名称</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>责任单位</t></is></c></row>'
)


def measure_hostile(databases: Databases, *, name: str) -> list[Figure]:
    """`preview_ledger` over each file, against the bars."""
    from projects.models import Programme
    from projects.scale.seed import STAFF
    from tools.bench_report import Figure

    with databases.copy_of(name) as copy, tempfile.TemporaryDirectory() as folder:
        url = databases.url_of(copy)
        programme = Programme.objects.order_by("pk").values_list("code", flat=True)[0]
        plain = Path(folder) / "plain.xlsx"
        plain.write_bytes(_workbook(_sheet(_ROW.format(n=2))))
        _read(plain, programme, STAFF, url)  # the first one finds a cold disk
        took, memory = _read(plain, programme, STAFF, url)
        figures = []
        # By a process of its own: what this one ever held would count as held by all of its children.
        subprocess.run([sys.executable, "-m", "tools.bench_hostile", folder], check=True)
        for path in sorted(Path(folder).glob("*_*.xlsx")):
            what = path.stem.split("_", 1)[1]
            seconds, resident = _read(path, programme, STAFF, url)
            more = resident - memory
            said = f"{seconds - took:+.2f} s, {more:+.0f} MB"
            ok = seconds - took < SECONDS and more < MEMORY
            figures.append(
                Figure(what, said, "a small ledger", None, f"< {SECONDS:.0f} s, < {MEMORY} MB", ok)
            )
    return figures


#: A small process between this one and the reader: a child's peak includes what its parent held when it was forked.
_BETWEEN = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, status]))
"""


def _read(path: Path, programme: str, account: str, url: str) -> tuple[float, float]:
    """Seconds and peak resident megabytes of a process that reads one file."""
    command = [sys.executable, "manage.py", "preview_ledger", str(path)]
    command += ["--programme", programme, "--as", account]
    done = subprocess.run(
        [sys.executable, "-c", _BETWEEN, *command],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes, status = json.loads(done.stdout)
    if status not in (0, 1):
        raise RuntimeError(f"{path.name}: ended with {status}")
    return seconds, kilobytes / 1024


def _files() -> Iterator[tuple[str, bytes]]:
    zeros = b"0" * 400_000_000
    yield "zip bomb: a sheet of 400 MB of one digit", _workbook(zeros)
    yield "zip bomb beside a good sheet", _workbook(_sheet(), {"xl/media/image1.png": zeros})
    del zeros
    yield "ten thousand members", _workbook(_sheet(), {f"xl/x{n}.xml": b"<x/>" for n in range(10_000)})
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    entities = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lol}]>'
    yield "entities in entities", _workbook((entities + _sheet().decode()).encode())
    yield (
        "an outside entity",
        _workbook(('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + _sheet().decode()).encode()),
    )
    yield "2^20 empty rows", _workbook(_sheet("".join(f'<row r="{n}"/>' for n in range(2, 2**20 + 1))))
    yield (
        "2^20 formatted rows",
        _workbook(_sheet("".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(2, 2**20 + 1)))),
    )
    yield "a cell at XFD1048576", _workbook(_sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))
    far = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(2, 300_002))
    yield "300,000 far cells", _workbook(_sheet(far))
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(20):
            archive.writestr(f"{n}.xlsx", _workbook(_sheet()))
    yield "an archive of workbooks", inner.getvalue()
    long = "水" * 30_000
    cells = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{long}</t></is></c></row>' for n in range(2, 1_000)
    )
    yield "a thousand cells of 30,000 characters", _workbook(_sheet(cells))
    whole = _workbook(_sheet("".join(_ROW.format(n=n) for n in range(2, 5_000))))
    for part in range(1, 21):
        yield f"cut off at {part * 100 // 21} %", whole[: len(whole) * part // 21]


def _sheet(rows: str = _ROW.format(n=2)) -> bytes:
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{_HEAD}{rows}</sheetData></worksheet>'.encode()


def _workbook(sheet: bytes, more: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    members = {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        b'<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'.encode(),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        '<sheet name="台账" sheetId="1" r:id="rId1"/></sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'.encode(),
        "xl/worksheets/sheet1.xml": sheet,
        **(more or {}),
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def main(folder: str) -> None:
    """Write the files into a folder, numbered in their order."""
    for number, (what, content) in enumerate(_files()):
        Path(folder, f"{number:02}_{what}.xlsx").write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
