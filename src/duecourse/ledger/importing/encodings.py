"""Which encoding a text export is in: marks, UTF-8 by proof, else the likeliest code page."""

from __future__ import annotations

import codecs
import re

from duecourse.ledger.importing.outcome import Guess

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_CODE_PAGES = ("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "shift_jis", "gb18030", "big5",
               "euc_kr")  # fmt: skip
_HIGH = re.compile(rb"[\x80-\xff]")
_SAMPLE = 64 * 1024
# Between letters these are no Western letters: the file is Central European (Polish l with stroke is 0xb3 there).
_CENTRAL = re.compile(r"[A-Za-z][\xb3\xb9\xbf\u0153\u0178\xa3\xa5\xaf\xbe\xbc][a-z]")


def decode(data: bytes, encoding: str | None = None) -> tuple[str, Guess | None]:
    """The text of ``data`` and, where the encoding had to be guessed, the guess. Raises UnicodeError or LookupError."""
    if encoding:
        return data.decode(encoding), None
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name), None
    wide = _utf16_without_mark(data)
    if wide:
        text = data.decode(wide)
        return text, Guess("encoding", wide.upper(), "every other byte is zero", "--encoding NAME")
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        return _by_code_page(data)


def _utf16_without_mark(data: bytes) -> str | None:
    head = data[:4096]
    if len(head) < 4:
        return None
    even, odd = head[0::2].count(0) / (len(head) / 2), head[1::2].count(0) / (len(head) / 2)
    if odd > 0.7 and even < 0.1:
        return "utf-16-le"
    if even > 0.7 and odd < 0.1:
        return "utf-16-be"
    return None


def _by_code_page(data: bytes) -> tuple[str, Guess]:
    sample = b"\n".join(line for line in data[: 20 * _SAMPLE].splitlines() if _HIGH.search(line))[:_SAMPLE]
    sample = sample or data[:_SAMPLE]
    page = "cp1252"
    runs = len(re.findall(rb"[\x80-\xff]{2,}", sample)) / max(len(re.findall(rb"[\x80-\xff]+", sample)), 1)
    if runs > 0.5 or not _decodes(data, "cp1252"):
        # Letters that stand together above ASCII are another script; single ones are accents of Western names.
        from charset_normalizer import from_bytes

        best = from_bytes(sample, cp_isolation=list(_CODE_PAGES)).best()
        page = best.encoding if best else "cp1252"
    elif _CENTRAL.search(sample.decode("cp1252", "replace")):
        page = "cp1250"
    if not _decodes(data, page):
        page = "latin-1"
    text = data.decode(page)
    shown = next((word for word in re.findall(r"\w+", sample.decode(page, "replace")) if not word.isascii()), "")
    why = f"it is not UTF-8; in {page} it reads {shown!r}" if shown else "it is not UTF-8"
    return text, Guess("encoding", page, why, "--encoding NAME")


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
