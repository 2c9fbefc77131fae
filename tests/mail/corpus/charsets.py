"""Text of every charset, labelled rightly, wrongly or not at all, wherever text can be."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote

from tests.mail.corpus.parts import TEXT, Sample, base64_part, coded, file, mail, multi, part, subject

_CHARSETS = (
    ("us-ascii", "plain words", None),
    ("utf-8", "Grüße, Ελλάδα, 日本", None),
    ("UTF8", "Grüße", "utf-8"),
    ("iso-8859-1", "naïve café", None),
    ("ISO-8859-15", "10 € für Œuvre", None),
    ("windows-1252", "“quoted” — 10 €", None),
    ("iso-8859-2", "Žluťoučký kůň", None),
    ("windows-1250", "Příliš žluťoučký", None),
    ("windows-1251", "Привет, мир", None),
    ("win-1251", "Привет", "windows-1251"),
    ("koi8-r", "Привет, мир", None),
    ("koi8-u", "Привіт, світ", None),
    ("iso-8859-7", "Ελλάδα", None),
    ("iso-8859-8-i", "שלום", "iso-8859-8"),
    ("windows-1256", "مرحبا", None),
    ("iso-8859-9", "İstanbul ğüş", None),
    ("cp-850", "Größe", "cp850"),
    ("ibm852", "Łódź", "cp852"),
    ("tis-620", "สวัสดี", None),
    ("gb2312", "你好，世界", None),
    ("gb2312", "朱镕基", "gb18030"),
    ("gbk", "繁體與简体", None),
    ("gb18030", "你好𠀀", None),
    ("big5", "你好，世界", None),
    ("euc-kr", "안녕하세요", None),
    ("ks_c_5601-1987", "똠방각하", "cp949"),
    ("iso-2022-jp", "こんにちは世界", None),
    ("shift_jis", "こんにちは", None),
    ("windows-31j", "①髙橋", "cp932"),
    ("x-sjis", "日本語", "shift_jis"),
    ("euc-jp", "日本語テスト", None),
    ("utf-7", "Grüße", None),
    ("macintosh", "Grüße", "mac_roman"),
    ("unknown-8bit", "Grüße", "utf-8"),
    ("x-no-such-charset", "Grüße", "windows-1252"),
    ("ansi", "Grüße", "windows-1252"),
    ("us-ascii", "Grüße as UTF-8", "utf-8"),
    ("us-ascii", "Grüße as Latin-1", "iso-8859-1"),
    ("utf-8", "Grüße which are Latin-1", "iso-8859-1"),
    ("hex", "a codec that is no charset", "ascii"),
)

_SAFE_ELSEWHERE = frozenset({"us-ascii", "hex", "unknown-8bit", "x-no-such-charset", "ansi", "utf-7"})
"""Names of charsets that mean something else, or nothing, away from a body."""

_ODDITIES = (
    ("utf-8 BOM", "utf-8", b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "Grüße"),
    ("utf-8 BOM, no label", None, b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "Grüße"),
    ("utf-8, no label", None, "Grüße 日本".encode(), "Grüße 日本"),
    ("latin-1, no label", None, b"Gr\xfc\xdfe", "Grüße"),
    ("utf-16 with BOM", "utf-16", "Grüße".encode("utf-16"), "Grüße"),
    ("utf-16le", "utf-16le", "Grüße".encode("utf-16-le"), "Grüße"),
    ("utf-16be", "utf-16be", "Grüße".encode("utf-16-be"), "Grüße"),
    ("utf-32", "utf-32", "Grüße".encode("utf-32"), "Grüße"),
    ("half a shift of iso-2022-jp", "iso-2022-jp", b"\x1b$B$3$s$K$A$O\x1b(B ok \x1b$B$3", "こんにちは ok"),
    ("iso-2022-jp never shifted back", "iso-2022-jp", b"\x1b$B$3$s$K$A$O", "こんにちは"),
    ("iso-2022-jp with half-width kana", "iso-2022-jp", b"\x1b(I1\x1b(B ok", "ok"),
    ("iso-2022-jp called ascii", "us-ascii", b"plain \x1b$B$3\x1b(B", "plain"),
    ("iso-2022-kr", "iso-2022-kr", "안녕".encode("iso-2022-kr"), "안녕"),
    ("hz", "hz-gb-2312", "你好".encode("hz"), "你好"),
    ("gb18030 of four octets", "gb18030", "㐀𠀀".encode("gb18030"), "㐀𠀀"),
    ("gb18030 called gb2312", "gb2312", "镕€".encode("gb18030"), "镕€"),
    ("big5-hkscs", "big5-hkscs", "嘅喺".encode("big5-hkscs"), "嘅喺"),
    ("half a character at the end", "utf-8", b"Gr\xc3\xbc\xc3", "Gr"),
    ("overlong utf-8", "utf-8", b"a\xc0\xafb Ann", "Ann"),
    ("surrogates in utf-8", "utf-8", b"a\xed\xa0\x80b Ann", "Ann"),
    ("cesu-8", "utf-8", b"\xed\xa0\xbd\xed\xb8\x80 Ann", "Ann"),
    ("mixed utf-8 and latin-1", "utf-8", "Grüße ".encode() * 30 + b"Gr\xfc\xdfe Ann", "Ann"),
    ("doubly encoded utf-8", "utf-8", "GrÃ¼ÃŸe".encode(), "GrÃ¼ÃŸe"),
    ("c1 controls", "iso-8859-1", b"\x93quoted\x94 \x96 Ann", "“quoted” – Ann"),
    ("smart quotes called ascii", "us-ascii", b"\x93quoted\x94", "“quoted”"),
    ("koi8-r called latin-1", "iso-8859-1", "Привет".encode("koi8-r"), "ðÒÉ"),
    ("utf-7 not ended", "utf-7", b"Gr+APwA3w", "Gr"),
    ("utf-7 in raw 8-bit", "utf-7", b"Gr\xfc Ann", "Ann"),
    ("ebcdic", "cp037", "Hello".encode("cp037"), "Hello"),
    ("emoji of many code points", "utf-8", "👩‍👩‍👧‍👦 🏳️‍🌈".encode(), "👩‍👩‍👧‍👦 🏳️‍🌈"),
    ("right to left overrides", "utf-8", "a\u202eb\u202c Ann".encode(), "Ann"),
    ("a charset name of 5,000 letters", "x" * 5000, b"Hello", "Hello"),
    ("a charset in two pairs of quotes", '"\\"utf-8\\""', b"Hello", "Hello"),
    ("a charset with a comment", "utf-8 (Unicode)", b"Hello", "Hello"),
    ("an empty charset", '""', b"Hello", "Hello"),
    ("a codec of octets", "base64", b"SGVsbG8=", "SGVsbG8="),
    ("a codec of text", "rot13", b"Uryyb", "Uryyb"),
    ("a codec of escapes", "unicode_escape", b"\\u0041", "\\u0041"),
)


def _samples() -> Iterator[Sample]:
    for number, (name, text, codec) in enumerate(_CHARSETS):
        octets = text.encode(codec or name)
        yield Sample(
            f"charset {name} {number}", mail(coded(name, text, codec or name)), plain=text, html=text
        )
        content = base64_part(f"text/html; charset={name}", b"<p>" + octets + b"</p>")
        if name != "utf-7":
            yield Sample(f"charset of html {name} {number}", mail(content), plain=text, html=text, native=2)
        if name in _SAFE_ELSEWHERE:
            continue
        word = f"=?{name}?B?{base64.b64encode(octets).decode()}?="
        yield Sample(
            f"charset of subject {name} {number}", mail(TEXT, subject(word)), subject=text, plain="Hello Ann"
        )
        encoded = f"; filename*={name}'x'{quote(octets, safe='')}.pdf"
        yield Sample(
            f"charset of a file name {name} {number}",
            mail(multi("mixed", TEXT, file(encoded))),
            plain="Hello Ann",
            attachments=(f"{text}.pdf",),
        )
    for name, charset, octets, text in _ODDITIES:
        label = f"text/plain; charset={charset}" if charset else "text/plain"
        yield Sample(f"octets: {name}", mail(part(label, octets)), plain=text)
        yield Sample(f"octets in base64: {name}", mail(base64_part(label, octets)), plain=text)


SAMPLES: tuple[Sample, ...] = tuple(_samples())
