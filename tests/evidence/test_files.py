"""A file is what its bytes say. Whoever is refused learns what to do instead."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import tracemalloc
import unicodedata
import zipfile

import pytest
from django.core.files.base import ContentFile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from projects.evidence.files import MAX_BYTES, Judged, Kind, Unreadable, clean_name, judge
from tests.evidence.made import archive, compound, encoded, exif, office, pdf, png_header, scene


def judged(data: bytes, name: str = "x") -> Judged:
    return judge(io.BytesIO(data), name)


def refusal(data: bytes, name: str = "x") -> str:
    with pytest.raises(Unreadable) as caught:
        judged(data, name)
    return str(caught.value)


# -- what is taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "extension", "content_type"),
    [("JPEG", ".jpg", "image/jpeg"), ("PNG", ".png", "image/png"), ("WEBP", ".webp", "image/webp")],
)
def test_a_photograph_is_judged_by_its_bytes(format: str, extension: str, content_type: str) -> None:
    data = encoded(scene(1), format)
    file = judged(data, "工地.exe")
    assert (file.kind, file.extension, file.content_type) == (Kind.PHOTO, extension, content_type)
    assert file.name == "工地" + extension
    assert (file.size, file.sha256, file.body) == (len(data), hashlib.sha256(data).hexdigest(), data)
    assert file.picture
    assert (file.picture.width, file.picture.height) == (800, 600)


def docx_by_python_docx() -> bytes:
    import docx

    out = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("验收报告")
    document.save(out)
    return out.getvalue()


def xlsx_by_xlsxwriter() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet().write(0, 0, "预算")
    return out.getvalue()


DOCUMENTS = [
    (pdf(), ".pdf"),
    (b"\xef\xbb\xbf\n" + pdf(), ".pdf"),
    (pdf("<< /JavaScript (app.alert(1)) >>"), ".pdf"),
    (docx_by_python_docx(), ".docx"),
    (xlsx_by_xlsxwriter(), ".xlsx"),
    (office("word/document.xml"), ".docx"),
    (office("word/document2.xml"), ".docx"),
    (office("xl/workbook.xml", "xl/externalLinks/externalLink1.xml"), ".xlsx"),
    (office("ppt/presentation.xml"), ".pptx"),
    (archive("OFD.xml", "Doc_0/Document.xml"), ".ofd"),
    (compound("WordDocument", "1Table"), ".doc"),
    (compound("Workbook"), ".xls"),
    (compound("Book"), ".xls"),
    (compound("PowerPoint Document", "Current User"), ".ppt"),
    (compound("Workbook", inside="WordDocument"), ".xls"),
]


@pytest.mark.parametrize(("data", "extension"), DOCUMENTS)
def test_a_document_is_judged_by_its_bytes_and_kept_as_it_came(data: bytes, extension: str) -> None:
    file = judged(data, "photo.jpg")
    assert (file.kind, file.extension, file.name) == (Kind.DOCUMENT, extension, "photo" + extension)
    assert file.picture is None
    assert file.body == data


@pytest.mark.parametrize(
    ("stream", "name", "extension"),
    [
        ("WordDocument", "报告.wps", ".wps"),
        ("Workbook", "台账.ET", ".et"),
        ("PowerPoint Document", "汇报.dps", ".dps"),
        ("Workbook", "台账.wps", ".xls"),
    ],
)
def test_wps_writes_the_same_streams_so_its_own_extension_is_believed(
    stream: str, name: str, extension: str
) -> None:
    assert judged(compound(stream), name).extension == extension


def test_an_archive_with_large_fields_is_read_too() -> None:
    data = office("word/document.xml")
    at = data.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<HII", data, at + 10)
    large = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, _NONE, _NONE, 0)
    assert judged(data[:at] + large + locator + end).extension == ".docx"


_NONE = 0xFFFFFFFF


# -- what is not ------------------------------------------------------------------------------------

HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<?xml version="1.0"?>\n<!-- a --><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def ftyp(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands[1:])
    return struct.pack(">I", len(body) + 4) + body + bytes(500)


#: Each says something of its own; the sentence must differ from that of "unknown".
TOLD = {
    "empty": b"",
    "svg": SVG,
    "gif": encoded(Image.new("P", (9, 9)), "GIF"),
    "tiff": encoded(Image.new("L", (9, 9)), "TIFF"),
    "bmp": encoded(Image.new("L", (9, 9)), "BMP"),
    "heic": ftyp(b"heic", b"mif1", b"heic"),
    "heic by its second brand": ftyp(b"mif1", b"MiHE", b"heix"),
    "avif": ftyp(b"avif", b"mif1"),
    "film": ftyp(b"isom", b"mp41"),
    "archive": archive("a.txt"),
    "program in an archive": archive("META-INF/MANIFEST.MF", "A.class"),
    "rar": b"Rar!\x1a\x07\x01\0" + bytes(99),
    "macros": office("word/document.xml", "word/vbaProject.bin"),
    "macros of old": office("xl/workbook.xml", "xl/macrosheets/sheet1.xml"),
    "macros in a compound file": compound("WordDocument", inside="_VBA_PROJECT"),
    "password": compound("EncryptionInfo", "EncryptedPackage"),
    "password of the archive": office("word/document.xml", encrypted=True),
}
UNTOLD = {
    "html": HTML,
    "text": "会议纪要".encode(),
    "program": b"MZ\x90\0" + bytes(200),
    "zeros": bytes(1000),
    "installer": compound("DigitalSignature"),
    "mail": compound("__properties_version1.0"),
    "html before a pdf": HTML + pdf(),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_refusal_says_what_the_file_is(name: str) -> None:
    assert len(refusal(TOLD[name], "photo.jpg")) > 10
    assert refusal(TOLD[name]) != refusal(bytes(1000))


@pytest.mark.parametrize("name", UNTOLD)
def test_anything_else_is_refused_whatever_its_name(name: str) -> None:
    for end in (".jpg", ".pdf", ".docx"):
        assert refusal(UNTOLD[name], "photo" + end) == refusal(bytes(1000))


def test_heic_film_and_avif_are_told_apart() -> None:
    assert len({refusal(TOLD[name]) for name in ("heic", "avif", "film")}) == 3
    assert refusal(TOLD["heic"]) == refusal(TOLD["heic by its second brand"])
    assert "HEIC" in refusal(TOLD["heic"])
    assert "GIF" in refusal(TOLD["gif"])


WHOLE = {
    "jpeg": encoded(scene(3)),
    "progressive jpeg": encoded(scene(3), progressive=True),
    "png": encoded(scene(3), "PNG"),
    "webp": encoded(scene(3), "WEBP"),
    "pdf": pdf("a" * 4000),
    "docx": office("word/document.xml"),
    "ofd": archive("OFD.xml", "Doc_0/Document.xml"),
    "doc": compound("WordDocument"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_did_not_arrive_whole_is_refused(name: str) -> None:
    data = WHOLE[name]
    judged(data)
    for kept in (0.5, 0.9):
        assert refusal(data[: int(len(data) * kept)]) != refusal(bytes(1000))


def test_a_document_that_would_unfold_to_terabytes_is_refused_unopened() -> None:
    data = bytearray(office("word/document.xml"))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 0xF0000000)
    assert refusal(bytes(data))
    shared = bytearray(office("word/document.xml"))
    at = shared.index(b"PK\x01\x02")
    shared[at + 20 : at + 24] = struct.pack("<I", len(shared))
    assert refusal(bytes(shared))


def test_an_archive_of_very_many_members_is_refused_by_their_number() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for number in range(10_100):
            file.writestr(f"{number}", b"")
        file.writestr("[Content_Types].xml", b"")
        file.writestr("word/document.xml", b"")
    assert refusal(out.getvalue())


def test_a_compound_file_whose_chains_run_in_circles_ends() -> None:
    data = bytearray(compound("WordDocument"))
    struct.pack_into("<I", data, 512 + 4, 1)  # the directory's sector follows itself
    assert judged(bytes(data)).extension == ".doc"


class Counting(io.BytesIO):
    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.read_bytes += len(data)
        return data


def test_a_file_above_the_limit_is_refused_before_it_is_read() -> None:
    file = Counting(b"\xff\xd8\xff" + bytes(21 * 1024 * 1024))
    with pytest.raises(Unreadable) as caught:
        judge(file, "x.jpg")
    assert file.read_bytes == 0
    assert "21.1" in str(caught.value)
    assert "20" in str(caught.value)
    upload = ContentFile(b"x" * (MAX_BYTES + 1), name="x.jpg")
    with pytest.raises(Unreadable, match=r"20\.1"):
        judge(upload, "x.jpg")


def test_a_file_of_exactly_the_limit_is_read() -> None:
    data = pdf("x" * (MAX_BYTES - len(pdf())))
    data = pdf("x" * (MAX_BYTES - len(pdf()) - (len(data) - MAX_BYTES)))
    assert len(data) == MAX_BYTES
    assert judged(data).size == MAX_BYTES


def test_judging_an_archive_needs_no_more_memory_than_its_directory() -> None:
    data = office("word/document.xml")
    tracemalloc.start()
    judged(data)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


SEEDS = [
    *WHOLE.values(),
    *TOLD.values(),
    *UNTOLD.values(),
    png_header(9, 9),
    encoded(scene(4, (40, 30)), exif=b"Exif\0\0" + exif()),
]


@settings(max_examples=300, deadline=None)
@given(seed=st.sampled_from(SEEDS), name=st.text(max_size=40), data=st.data())
def test_whatever_the_bytes_nothing_but_a_refusal_is_raised(
    seed: bytes, name: str, data: st.DataObject
) -> None:
    mangled = bytearray(seed)
    for _ in range(data.draw(st.integers(0, 6))):
        if mangled:
            at = data.draw(st.integers(0, min(len(mangled) - 1, 1500)))
            mangled[at] = data.draw(st.integers(0, 255))
    try:
        file = judged(bytes(mangled), name)
    except Unreadable as refused:
        assert str(refused).strip()
    else:
        assert file.name.endswith(file.extension)


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF\x30\0\0\0WEBPVP8 ",
            b"%PDF-",
            b"PK\x03\x04",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"\0\0\0\x18ftyp",
        ]
    ),
    rest=st.binary(max_size=600),
    name=st.text(max_size=40),
)
def test_noise_behind_a_true_beginning_is_refused(start: bytes, rest: bytes, name: str) -> None:
    try:
        judged(start + rest, name)
    except Unreadable as refused:
        assert str(refused).strip()


# -- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "extension", "shown"),
    [
        ("../../etc/passwd", ".pdf", "passwd.pdf"),
        ("C:\\Users\\王\\桌面\\竣工 照片.JPEG", ".jpg", "竣工 照片.jpg"),
        ("gpj.exe\u202egnp.jpg", ".png", "gpj.exegnp.png"),
        ("a\u200bb\u2066c\x00\x1b[31m.pdf", ".pdf", "abc[31m.pdf"),
        ("  验收\t\n  报告 .docx", ".docx", "验收 报告.docx"),
        ("报告.docx.exe", ".docx", "报告.docx.docx"),
        ("2026.11.3会议", ".pdf", "2026.11.3会议.pdf"),
        ('a<b>:"c|?*.pdf', ".pdf", "a_b___c___.pdf"),
        ("/x/y.pdf", "", "y.pdf"),
    ],
)
def test_a_name_is_cleaned(given: str, extension: str, shown: str) -> None:
    assert clean_name(given, extension) == shown


@pytest.mark.parametrize("empty", ["", "   ", "...", "..", "/", "\u202e", ".jpg"])
def test_a_name_of_nothing_gets_one(empty: str) -> None:
    assert re.fullmatch(r"\w+\.jpg", clean_name(empty, ".jpg"))


def test_a_long_name_keeps_its_extension() -> None:
    shown = clean_name("关于" * 200 + ".pdf", ".pdf")
    assert len(shown) == 120
    assert shown.endswith(("关于.pdf", "关.pdf"))


@given(name=st.text(), extension=st.sampled_from(["", ".jpg", ".docx"]))
def test_no_name_holds_a_folder_or_anything_unseen(name: str, extension: str) -> None:
    shown = clean_name(name, extension)
    assert 0 < len(shown) <= 120
    assert shown.endswith(extension)
    assert not set(shown) & set('/\\<>:"|?*')
    assert shown == shown.strip()
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    shown.encode("utf-8")
