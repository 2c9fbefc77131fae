"""Header fields: subjects, senders, recipients, dates and file names, rightly and wrongly encoded."""

from __future__ import annotations

from tests.mail.corpus.parts import ANN, FROM_ANN, TEXT, Sample, file, mail, multi, sender, subject

_SUBJECTS = (
    ("plain", "s t", "s t"),
    ("folded", "one\n two\n\tthree", "one two\tthree".replace("\t", " ")),
    ("q", "=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=", "Grüße aus Köln"),
    ("b", "=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
    ("adjacent", "=?utf-8?Q?Gr=C3=BC?=\n =?utf-8?Q?=C3=9Fe?= here", "Grüße here"),
    ("split character", "=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=", "Grüße"),
    ("no padding", "=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
    ("language", "=?iso-8859-1*de?Q?Gr=FC=DFe?=", "Grüße"),
    ("two charsets", "=?iso-8859-1?Q?Gr=FC=DFe?= =?koi8-r?B?8NLJ18XU?=", "GrüßeПривет"),
    ("japanese", "=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
    ("unknown charset", "=?x-nobody?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("unfinished", "=?utf-8?Q?Gr=C3=BC", "=?utf-8?Q?Gr=C3=BC"),
    ("raw utf-8", "Grüße", "Grüße"),
    ("raw latin-1", "Grüße".encode("latin-1"), "Grüße"),
    ("space in q", "=?utf-8?Q?Gr=C3=BC=C3=9Fe an alle?=", "Grüße an alle"),
    ("controls", b"a\x00b\x1fc", "abc"),
    ("empty", "", ""),
    ("only white", "   \t ", ""),
    ("empty word", "=?utf-8?Q??=", ""),
    ("lower case b", "=?utf-8?b?R3LDvMOfZQ==?=", "Grüße"),
    ("lower case q", "=?utf-8?q?Gr=c3=bc=c3=9fe?=", "Grüße"),
    ("no space between words", "=?utf-8?Q?Gr=C3=BC?==?utf-8?Q?=C3=9Fe?=", "Grüße"),
    ("word within a word", "pre=?utf-8?Q?=C3=BC?=post", "preüpost"),
    ("unknown encoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
    ("bad hex", "=?utf-8?Q?a=ZZb?=", "a=ZZb"),
    ("not base64", "=?utf-8?B?****?=", ""),
    ("base64 with spaces", "=?utf-8?B?R3LD vMOfZQ==?=", "Grüße"),
    ("koi8 without a label", "Привет".encode("koi8-r"), "ðÒÉ×ÅÔ"),
    ("utf-7", "=?utf-7?Q?Gr+APwA3w-e?=", "Grüße"),
    ("gb18030", "=?gb18030?B?xOO6ww==?=", "你好"),
    ("line breaks encoded", "=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),
    ("1,000 words", "\n ".join(["=?utf-8?Q?=C3=BC?="] * 1000), "ü" * 1000),
    ("tabs", "a\tb", "a b"),
    ("prefixes", "Re: AW: Fwd: s", "Re: AW: Fwd: s"),
    ("markup", "<b>&amp;</b>", "<b>&amp;</b>"),
)

_SENDERS = (
    ("name", "Ann <ann@example.org>", ANN),
    ("bare", "ann@example.org", "ann@example.org"),
    ("comment", "ann@example.org (Ann)", ANN),
    ("quoted comma", '"Archer, Ann" <ann@example.org>', '"Archer, Ann" <ann@example.org>'),
    ("encoded comma", "=?utf-8?Q?Archer=2C_Ann?= <ann@example.org>", '"Archer, Ann" <ann@example.org>'),
    ("raw comma in q", "=?utf-8?Q?Archer,_Ann?= <ann@example.org>", '"Archer, Ann" <ann@example.org>'),
    ("encoded in quotes", '"=?utf-8?Q?=C3=84nn?=" <ann@example.org>', '"Änn" <ann@example.org>'),
    ("quotes in name", r'"Ann \"A\" Archer" <ann@example.org>', r'"Ann \"A\" Archer" <ann@example.org>'),
    ("raw name", "Änn <ann@example.org>", '"Änn" <ann@example.org>'),
    ("unclosed angle", "Ann <ann@example.org", ANN),
    ("nested comments", "Ann (a (b (c))) <ann@example.org>", ANN),
    ("no address", "Mail System", '"Mail System"'),
    ("empty angle", "Ann <>", '"Ann"'),
    ("two angles", "Ann <<ann@example.org>>", ANN),
    ("utf-8 domain", "Ann <ann@exämple.org>", '"Ann" <ann@exämple.org>'),
    ("quoted local part", '"a b"@example.org', '"a b"@example.org'),
    ("name after", "<ann@example.org> Ann", ANN),
    ("route", "Ann <@a,@b:ann@example.org>", ANN),
    ("two authors", "Ann <ann@example.org>, Bob <bob@example.org>", ANN),
    ("a group", "Team: Ann <ann@example.org>;", ANN),
    ("apostrophes", "'Ann' <ann@example.org>", "\"'Ann'\" <ann@example.org>"),
    ("address as name", '"ann@example.org" <ann@example.org>', None),
    ("at in name", '"Ann @ Work" <ann@example.org>', '"Ann @ Work" <ann@example.org>'),
    ("a display name of 9,000 letters", "A" * 9000 + " <ann@example.org>", None),
)

_FILE_NAMES = (
    ("plain", '; filename="a.pdf"', "a.pdf"),
    ("rfc 2231", "; filename*=utf-8''%C3%9Cbersicht.pdf", "Übersicht.pdf"),
    ("rfc 2231 latin-1", "; filename*=iso-8859-1'de'%DCbersicht.pdf", "Übersicht.pdf"),
    ("continued", '; filename*0="long "; filename*1="name.pdf"', "long name.pdf"),
    (
        "continued and encoded",
        "; filename*0*=utf-8''%C3%9Cber; filename*1*=%C3%A4ll; filename*2=\".pdf\"",
        "Überäll.pdf",
    ),
    ("rfc 2047", '; filename="=?utf-8?B?w5xiZXJzaWNodC5wZGY=?="', "Übersicht.pdf"),
    ("raw utf-8", '; filename="Übersicht.pdf"', "Übersicht.pdf"),
    ("path", '; filename="C:\\\\temp\\\\a.pdf"', "a.pdf"),
    ("climbing", '; filename="../../etc/passwd"', "passwd"),
    ("nameless", "", "attachment.pdf"),
    ("empty", '; filename=""', "attachment.pdf"),
    ("dots", '; filename="..."', "attachment.pdf"),
    ("slashes", '; filename="///"', "attachment.pdf"),
    ("controls", '; filename="a\x01b.pdf"', "ab.pdf"),
    ("no quotes, with blanks", "; filename=my file.pdf", None),
    ("a quote missing", '; filename="a.pdf', None),
    ("in a continuation of 100 pieces", "".join(f"; filename*{n}=a" for n in range(100)), "a" * 100),
    ("pieces out of order", '; filename*1=".pdf"; filename*0="a"', "a.pdf"),
    ("a piece missing", '; filename*0="a"; filename*2="c.pdf"', None),
    ("both forms", "; filename=\"old.pdf\"; filename*=utf-8''n%C3%A4w.pdf", "näw.pdf"),
    ("bad percent", "; filename*=utf-8''a%ZZ.pdf", None),
    ("no charset", "; filename*=''a.pdf", "a.pdf"),
    ("no quotes of rfc 2231", "; filename*=a.pdf", None),
    ("3,000 letters", '; filename="' + "a" * 3000 + '.pdf"', None),
    ("rfc 2047 in pieces", '; filename="=?utf-8?Q?=C3=9Cber?= =?utf-8?Q?sicht.pdf?="', "Übersicht.pdf"),
    ("rfc 2047 without quotes", "; filename==?utf-8?Q?=C3=9Cber.pdf?=", None),
)

_DATES = (
    "Thu, 32 Foo 2026 99:99:99 +9999",
    "Mon, 01 Jan 0001 00:00:00 +0000",
    "Fri, 31 Dec 9999 23:59:59 -1200",
    "Thu, 01 Jan 1970 00:00:00",
    "1 Jan 26 00:00 PST",
    "99999999999999999999",
    "",
)

_MESSAGE_IDS = ("<>", "no angles", "<a b@c>", "<" + "x" * 3000 + "@y>", "<a@b> <c@d>", "<ä@ö>")

_BLOCKS = {
    "a field without a name": ": value\n",
    "a line that is no field": "this is no field\n",
    "mbox From line": "From ann@example.org Thu Jan  1 00:00:00 2026\n",
    "quoted mbox From line": ">From ann@example.org Thu Jan  1 00:00:00 2026\n",
    "blanks before the colon": "X-A  : value\n",
    "every field twice": "To: a@example.org\nTo: b@example.org\nCc: c@example.org\nCc: d@example.org\n",
    "2,000 fields": "".join(f"X-Field-{n}: {n}\n" for n in range(2000)),
    "a field of 100 kB in one line": f"X-Long: {'x' * 100_000}\n",
    "references of 500 messages": "References: " + "\n ".join(f"<{n}@x>" for n in range(500)) + "\n",
    "8-bit field names": "X-Ä: value\n",
    "a thread index that is none": "Thread-Index: !!!!\nThread-Topic: =?utf-8?Q?t?=\n",
    "a thread index of 9,000 octets": f"Thread-Index: {'A' * 12_000}\n",
    "importance that is none": "Importance: very\nX-Priority: 77777777777777777777777\nPriority:\n",
    "a content type of nonsense": "Content-Type: ///;;==\n",
    "reply-to of nonsense": "Reply-To: <<<>>>,,,;;;\nSender: @\n",
    "lists of commas": f"To: {',' * 5000}\n",
    "nested comments": f"To: {'(' * 500}a{')' * 500} <a@example.org>\n",
    "an endless quote": 'To: "' + "a" * 20_000 + "\n",
    "groups": "To: undisclosed-recipients:;\nCc: A: a@example.org, b@example.org;, B:;\n",
    "flags of old servers": "Status: RO\nX-Status: A\nX-Keywords: a b\nX-UID: 5\n",
}

SAMPLES: tuple[Sample, ...] = (
    *(
        Sample(f"subject {name}", mail(TEXT, subject(raw)), subject=shown, plain="Hello Ann")
        for name, raw, shown in _SUBJECTS
    ),
    *(
        Sample(f"sender {name}", mail(TEXT, sender(raw)), sender=shown, plain="Hello Ann")
        for name, raw, shown in _SENDERS
    ),
    *(
        Sample(
            f"file name {name}",
            mail(multi("mixed", TEXT, file(fields))),
            plain="Hello Ann",
            attachments=(shown,) if shown else None,
        )
        for name, fields, shown in _FILE_NAMES
    ),
    *(
        Sample(f"date {text[:20]!r}", mail(TEXT, f"{FROM_ANN}Date: {text}\n"), plain="Hello Ann")
        for text in _DATES
    ),
    *(
        Sample(
            f"message id {text[:20]!r}",
            mail(TEXT, f"{FROM_ANN}Message-ID: {text}\nReferences: {text}\nIn-Reply-To: {text}\n"),
            plain="Hello Ann",
        )
        for text in _MESSAGE_IDS
    ),
    *(
        Sample(f"header: {name}", mail(TEXT, lines + FROM_ANN), plain="Hello Ann")
        for name, lines in _BLOCKS.items()
    ),
    Sample(
        "header of 300 kB",
        mail(TEXT, "X-Big: " + "\n ".join(["x" * 900] * 330) + "\nFrom: Ann <ann@example.org>\nSubject: s\n"),
        plain="Hello Ann",
    ),
    Sample(
        "5,000 recipients",
        mail(
            TEXT,
            "From: Ann <ann@example.org>\nSubject: s\nTo: "
            + ",\n ".join(f"User {n} <u{n}@example.org>" for n in range(5000))
            + "\n",
        ),
        plain="Hello Ann",
    ),
)
