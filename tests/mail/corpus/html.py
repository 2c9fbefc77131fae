"""HTML, as mail programs of all kinds write it."""

from __future__ import annotations

from tests.mail.corpus.parts import HTML, Sample, mail, part

_PAGES: tuple[tuple[str, str | bytes, str], ...] = (
    (
        "Outlook for Windows",
        (
            '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:offi'
            'ce">\n'
            '<head><meta http-equiv=Content-Type content="text/html; charset=us-ascii">'
            '<meta name=Generator content="Word 15">\n'
            "<!--[if !mso]><style>v\\:* {behavior:url(#default#VML);}</style>"
            "<![endif]--><style><!-- p.MsoNormal {margin:0cm} --></style>"
            "\n"
            '<!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit" spidmax="1026" />'
            "</xml><![endif]--></head>\n"
            '<body lang=DE link="#0563C1"><div class=WordSection1><p class=MsoNormal>'
            "Hello Ann<o:p></o:p></p>\n"
            "<p class=MsoNormal><o:p>&nbsp;</o:p></p><div style='border:none;border-top:solid #E1E1E1 "
            "1.0pt'><b>From:</b> Bob</div></div></body></html>"
        ),
        "Hello Ann",
    ),
    (
        "Outlook on the web",
        (
            '<div style="font-family:Calibri" class="elementToProof">Hello Ann</div>'
            '<div id="appendonsend"></div><hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
            "<b>Von:</b> Bob</div>"
        ),
        "Hello Ann",
    ),
    (
        "Gmail",
        (
            '<div dir="ltr">Hello Ann<br clear="all"></div><br><div class="gmail_quote">'
            '<div dir="ltr" class="gmail_attr">On Mon Bob wrote:<br></div>'
            '<blockquote class="gmail_quote" style="margin:0"><div>Old</div>'
            "</blockquote></div>"
        ),
        "> Old",
    ),
    (
        "Apple Mail",
        (
            '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8">'
            '</head><body style="word-wrap: break-word; -webkit-nbsp-mode: space;">'
            'Hello Ann<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite">'
            "<div>Old</div></blockquote></div><br></body></html>"
        ),
        "Hello Ann",
    ),
    (
        "iPhone",
        '<html><body dir="auto">Hello Ann<div><br></div><div>Sent from my iPhone</div></body></html>',
        "Sent from my iPhone",
    ),
    (
        "Thunderbird",
        (
            '<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8'
            '"></head><body><p>Hello Ann</p><div class="moz-cite-prefix">'
            'Am 1.1. schrieb Bob:<br></div><blockquote type="cite" cite="mid:1@x">'
            '<p>Old</p></blockquote><pre class="moz-signature" cols="72">'
            "-- \nAnn</pre></body></html>"
        ),
        "> Old",
    ),
    (
        "K-9",
        (
            '<!DOCTYPE html><html><body>Hello Ann<br><br><div class="gmail_quote">'
            'Am 1. schrieb Bob:<blockquote class="gmail_quote"><pre dir="auto" class="k9mail">'
            "Old</pre></blockquote></div></body></html>"
        ),
        "> Old",
    ),
    (
        "Samsung",
        (
            '<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8">'
            '</head><body dir="auto"><div dir="auto">Hello Ann</div><div id="composer_signature" '
            'dir="auto"><div style="font-size:85%">Von meinem Galaxy gesendet</div>'
            "</div></body></html>"
        ),
        "Hello Ann",
    ),
    (
        "Yahoo",
        (
            '<html><head></head><body><div class="ydp1yahoo-style-wrap" style="font-size:13px">'
            '<div>Hello Ann</div></div><div id="yahoo_quoted_1" class="yahoo_quoted">'
            "Old</div></body></html>"
        ),
        "Hello Ann",
    ),
    (
        "Lotus Notes",
        (
            '<font size=2 face="sans-serif">Hello Ann</font><br><br><tt><font size=2>'
            "Bob wrote:<br>&gt; Old</font></tt>"
        ),
        "> Old",
    ),
    (
        "Evolution",
        "<html><head></head><body><div><span>Hello Ann</span></div><pre>&gt; Old</pre></body></html>",
        "Hello Ann",
    ),
    (
        "Roundcube",
        (
            '<html><body style="font-size: 10pt"><p>Hello Ann</p><p id="reply-intro">'
            'On Bob wrote:</p><blockquote type="cite">Old</blockquote></body>'
            "</html>"
        ),
        "> Old",
    ),
    (
        "Proton",
        '<div style="font-family: Arial">Hello Ann</div><div class="protonmail_quote">Old</div>',
        "Hello Ann",
    ),
    (
        "Zimbra",
        (
            '<html><body><div id="zimbraEditorContainer" style="font-size: 12pt">'
            '<div>Hello Ann</div><hr id="zwchr" data-marker="__DIVIDER__">'
            "</div></body></html>"
        ),
        "Hello Ann",
    ),
    (
        "Exchange made of plain text",
        (
            '<HTML><HEAD><META NAME="Generator" CONTENT="MS Exchange Server version 16">'
            "<TITLE>s</TITLE></HEAD><BODY><P><FONT SIZE=2>Hello Ann<BR>two</FONT>"
            "</P></BODY></HTML>"
        ),
        "Hello Ann",
    ),
    (
        "a newsletter",
        (
            "<!doctype html><html><head><title>News</title><style>@media only screen{.a{width:100%!import"
            'ant}}</style></head><body><div style="display:none;max-height:0">'
            'Preheader &zwnj;&nbsp;</div><table role="presentation" width="100%">'
            '<tr><td align="center"><table><tr><td>Hello Ann</td><td><img src="https://x/t.gif" width="1"'
            ' height="1" alt=""></td></tr></table></td></tr></table></body>'
            "</html>"
        ),
        "Hello Ann",
    ),
    (
        "conditional comments",
        (
            "<!--[if mso]><table><tr><td><![endif]--><div>Hello Ann</div>"
            "<!--[if mso]></td></tr></table><![endif]--><!--[if !mso]><!-->"
            "Seen<!--<![endif]-->"
        ),
        "Seen",
    ),
    (
        "data of schema.org",
        '<script type="application/ld+json">{"@type":"EmailMessage"}</script><p>Hello Ann',
        "Hello Ann",
    ),
    (
        "XHTML",
        (
            '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//E'
            'N" "x"><html xmlns="http://www.w3.org/1999/xhtml"><head/><body>'
            "<p>Hello Ann</p></body></html>"
        ),
        "Hello Ann",
    ),
    (
        "HTML of 1995",
        "<HTML><BODY BGCOLOR=#FFFFFF><CENTER><BLINK>Hello Ann</BLINK><P>two<P>three<UL><LI>four",
        "Hello Ann",
    ),
    (
        "frames",
        '<html><frameset cols="50%,50%"><frame src="a"><noframes>Hello Ann</noframes></frameset></html>',
        "Hello Ann",
    ),
    (
        "a form",
        (
            '<form action="https://x"><input name="a" value="v"><label>Hello Ann</label>'
            "<button>Go</button></form>"
        ),
        "Hello Ann",
    ),
    ("nothing that is closed", "<div><p><b><i><span>Hello Ann", "Hello Ann"),
    ("closed in the wrong order", "<b><i>Hello</b> Ann</i></div></p></table>", "Hello Ann"),
    ("ends within a tag", '<p>Hello Ann</p><a href="http', "Hello Ann"),
    ("ends within a comment", "<p>Hello Ann</p><!-- never", "Hello Ann"),
    ("NULs in tags", b"<p\x00>Hello Ann</p\x00>", "Hello Ann"),
    ("references to what XML forbids", "<p>Hello&#0;&#1;&#xFFFF;&#xD800; Ann", "Ann"),
    ("unknown references", "<p>&nosuch; &amp &lt;Hello Ann", "Hello Ann"),
    (
        "a picture in the text",
        '<p>Hello Ann<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        "Hello Ann",
    ),
    ("only a picture", '<img src="https://example.org/a.png">', ""),
    ("only styles", "<style>p{}</style>", ""),
    ("MathML and SVG", "<svg><text>not shown</text></svg><math><mi>x</mi></math>Hello Ann", "Hello Ann"),
    ("custom elements", "<x-card><slot name=a></slot>Hello Ann</x-card>", "Hello Ann"),
    ("500 attributes", "<p " + " ".join(f"a{n}=1" for n in range(500)) + ">Hello Ann", "Hello Ann"),
    ("10,000 cells", "<table><tr>" + "<td>x" * 10_000 + "</table>Hello Ann", "Hello Ann"),
    ("3,000 quotations in each other", "<blockquote>" * 3000 + "Hello Ann", "Hello Ann"),
    ("2,000 lists in each other", "<ul><li>" * 2000 + "Hello Ann", "Hello Ann"),
    ("a BOM", "\ufeff<p>Hello Ann", "Hello Ann"),
    ("no markup at all", "Hello Ann\nand so on", "Hello Ann"),
    ("half a megabyte of styles", "<style>" + "a{b:c}" * 90_000 + "</style><p>Hello Ann", "Hello Ann"),
)

SAMPLES: tuple[Sample, ...] = (
    Sample("html", mail(HTML), plain="Hello Ann", html="<b>Ann</b>", native=2),
    Sample(
        "html charset from meta",
        mail(part("text/html", '<meta charset="koi8-r"><p>Привет'.encode("koi8-r"))),
        plain="Привет",
        html="utf-8",
        native=2,
    ),
    Sample(
        "html charset of MIME wins",
        mail(part("text/html; charset=utf-8", '<meta charset="koi8-r"><p>Привет')),
        plain="Привет",
        html="Привет",
        native=2,
    ),
    Sample(
        "html with script",
        mail(part("text/html", "<script>evil()</script><style>x</style>Hello Ann")),
        plain="Hello Ann",
        native=2,
    ),
    Sample(
        "html deeply nested",
        mail(part("text/html", "<div>" * 5000 + "Hello Ann")),
        plain="Hello Ann",
        native=2,
    ),
    *(
        Sample(f"html: {name}", mail(part("text/html; charset=utf-8", page)), plain=shown, native=2)
        for name, page, shown in _PAGES
    ),
)
