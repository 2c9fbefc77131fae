"""vCards as programs write them, what a phone sees of each, and what it does not see and must not lose."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.pim.contacts.intake import take_in

__all__ = ["SAMPLES", "Sample", "taken"]

JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"a small photo").decode()


@dataclass(frozen=True, slots=True)
class Sample:
    """`seen` is what a phone sees; `hidden` are ends of lines that survive whatever it does."""

    text: str | bytes
    seen: Mapping[str, str | tuple[str, ...]]
    hidden: tuple[str, ...] = ()


def taken(text: str | bytes) -> str:
    """A vCard as it is stored."""
    octets = text.encode() if isinstance(text, str) else text
    lines = octets.strip().replace(b"\r\n", b"\n").split(b"\n")[1:-1]
    return take_in(list(enumerate(lines, 2))).stored.text


SAMPLES: Mapping[str, Sample] = {
    "google": Sample(
        f"""\
BEGIN:VCARD
VERSION:3.0
FN:Dr. Ann B. Lee Jr.
N:Lee;Ann;B.;Dr.;Jr.
NICKNAME:Annie
X-PHONETIC-FIRST-NAME:an
X-PHONETIC-LAST-NAME:li
EMAIL;TYPE=INTERNET;TYPE=HOME:ann@home.example
EMAIL;TYPE=INTERNET;TYPE=WORK:ann@work.example
item1.EMAIL;TYPE=INTERNET:ann@school.example
item1.X-ABLabel:School
EMAIL;TYPE=INTERNET:fourth@example.test
TEL;TYPE=CELL:+1 555 0100
TEL;TYPE=HOME:+1 555 0101
TEL;TYPE=WORK:+1 555 0102
TEL;TYPE=HOMEFAX:+1 555 0103
item2.TEL:+1 555 0104
item2.X-ABLabel:Google Voice
ADR;TYPE=HOME:;;1 Main St\\nUnit 2;Springfield;IL;62701;USA;
ORG:Example Corp
TITLE:Engineer
item3.URL:https\\://ann.example
item3.X-ABLabel:_$!<HomePage>!$_
BDAY:1980-02-29
item4.X-ABDATE:2005-06-30
item4.X-ABLabel:_$!<Anniversary>!$_
item5.X-ABDATE:1999-09-09
item5.X-ABLabel:Graduation
item6.X-ABRELATEDNAMES:Bob Lee
item6.X-ABLabel:_$!<Spouse>!$_
item7.X-ABRELATEDNAMES:Cid Lee
item7.X-ABLabel:_$!<Child>!$_
item8.X-ABRELATEDNAMES:Eve
item8.X-ABLabel:_$!<Friend>!$_
NOTE:Met in Paris.\\nLikes tea\\, no milk.
CATEGORIES:Friends,myContacts
PHOTO;ENCODING=b;TYPE=JPEG:{JPEG}
PHOTO:https://lh3.example/photo.jpg
X-CUSTOM;TYPE=a:kept
END:VCARD
""",
        {
            "FileAs": "Dr. Ann B. Lee Jr.",
            "FirstName": "Ann",
            "MiddleName": "B.",
            "LastName": "Lee",
            "Title": "Dr.",
            "Suffix": "Jr.",
            "NickName": "Annie",
            "YomiFirstName": "an",
            "YomiLastName": "li",
            "Email1Address": "ann@home.example",
            "Email2Address": "ann@work.example",
            "Email3Address": "ann@school.example",
            "MobilePhoneNumber": "+1 555 0100",
            "HomePhoneNumber": "+1 555 0101",
            "BusinessPhoneNumber": "+1 555 0102",
            "HomeFaxNumber": "+1 555 0103",
            "Home2PhoneNumber": "+1 555 0104",
            "HomeAddressStreet": "1 Main St\nUnit 2",
            "HomeAddressCity": "Springfield",
            "HomeAddressState": "IL",
            "HomeAddressPostalCode": "62701",
            "HomeAddressCountry": "USA",
            "CompanyName": "Example Corp",
            "JobTitle": "Engineer",
            "WebPage": "https://ann.example",
            "Birthday": "1980-02-29T00:00:00.000Z",
            "Anniversary": "2005-06-30T00:00:00.000Z",
            "Spouse": "Bob Lee",
            "Children": ("Cid Lee",),
            "Body": "Met in Paris.\nLikes tea, no milk.",
            "Categories": ("Friends", "myContacts"),
            "Picture": JPEG,
        },
        (
            ":fourth@example.test",
            "item5.X-ABDATE:1999-09-09",
            "item5.X-ABLabel:Graduation",
            "item8.X-ABRELATEDNAMES:Eve",
            "X-CUSTOM;TYPE=a:kept",
        ),
    ),
    "apple": Sample(
        """\
BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iOS 17.0//EN
N:Lee;Ann;;;
FN:Ann Lee
ORG:Example Corp;Research;Optics
EMAIL;type=INTERNET;type=WORK:second@example.test
EMAIL;type=INTERNET;type=HOME;type=pref:first@example.test
TEL;type=CELL;type=VOICE:2
TEL;type=IPHONE;type=CELL;type=VOICE;type=pref:1
TEL;type=MAIN:3
TEL;type=WORK;type=FAX:4
TEL;type=PAGER:5
item1.TEL:6
item1.X-ABLabel:Car
item2.ADR;type=WORK;type=pref:Box 7;Floor 2;Lab Street 3;Town;;T1;United Kingdom
item2.X-ABADR:gb
BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15
IMPP;X-SERVICE-TYPE=Jabber;type=HOME;type=pref:xmpp:ann@jabber.example
X-JABBER;type=HOME;type=pref:ann@jabber.example
IMPP;X-SERVICE-TYPE=Skype;type=HOME:skype:ann.lee
X-SOCIALPROFILE;type=twitter:http://twitter.com/ann
X-ABUID:5AD380FD-B2DE-4261-BA99-DE1D1DB52FBE\\:ABPerson
UID:apple-1
END:VCARD
""",
        {
            "FileAs": "Ann Lee",
            "FirstName": "Ann",
            "LastName": "Lee",
            "CompanyName": "Example Corp",
            "Department": "Research",
            "Email1Address": "first@example.test",
            "Email2Address": "second@example.test",
            "MobilePhoneNumber": "1",
            "HomePhoneNumber": "2",
            "CompanyMainPhone": "3",
            "BusinessFaxNumber": "4",
            "PagerNumber": "5",
            "CarPhoneNumber": "6",
            "BusinessAddressStreet": "Box 7\nFloor 2\nLab Street 3",
            "BusinessAddressCity": "Town",
            "BusinessAddressPostalCode": "T1",
            "BusinessAddressCountry": "United Kingdom",
            "Birthday": "1604-04-15T00:00:00.000Z",
            "IMAddress": "xmpp:ann@jabber.example",
            "IMAddress2": "skype:ann.lee",
        },
        ("X-SOCIALPROFILE;TYPE=twitter:http://twitter.com/ann", "\\:ABPerson", "UID:apple-1", ";Optics"),
    ),
    "outlook": Sample(
        b"""\
BEGIN:VCARD\r
VERSION:2.1\r
X-MS-SIGNATURE:YES\r
N;LANGUAGE=de;CHARSET=Windows-1252:M\xfcller;J\xf6rg;K.;Prof.\r
FN;CHARSET=Windows-1252:Prof. J\xf6rg K. M\xfcller\r
ORG;CHARSET=Windows-1252:M\xfcller & S\xf6hne;Vertrieb\r
TITLE:Leiter\r
TEL;WORK;VOICE:+49 30 1\r
TEL;HOME;VOICE:+49 30 2\r
TEL;CELL;VOICE:+49 170 3\r
TEL;WORK;FAX:+49 30 4\r
X-MS-TEL;VOICE;ASSISTANT:+49 30 5\r
X-MS-TEL;VOICE;RADIO:+49 30 6\r
ADR;WORK;PREF;CHARSET=Windows-1252:;;Stra\xdfe 1;K\xf6ln;NRW;50667;Deutschland\r
LABEL;WORK;PREF;ENCODING=QUOTED-PRINTABLE:Stra=DFe 1=0D=0A=\r
50667 K=F6ln\r
X-MS-OL-DEFAULT-POSTAL-ADDRESS:2\r
URL;WORK:http://www.example.test\r
EMAIL;PREF;INTERNET:j.mueller@example.test\r
X-MS-IMADDRESS:sip:jm@example.test\r
X-MS-MANAGER;CHARSET=Windows-1252:Frau Gr\xfcn\r
X-MS-ASSISTANT:Herr Rot\r
X-MS-SPOUSE;N:Inge\r
X-MS-CHILD:Max\r
X-MS-ANNIVERSARY;VALUE=DATE:20010203\r
BDAY;VALUE=DATE:19650807\r
NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Zeile 1;=20=\r
ja=0D=0AZeile 2 =C3=BC\r
PHOTO;TYPE=JPEG;ENCODING=BASE64:\r
 """
        + JPEG[:20].encode()
        + b"\r\n "
        + JPEG[20:].encode()
        + b"""\r
\r
X-MS-CARDPICTURE;TYPE=JPEG;ENCODING=BASE64:\r
 AAAA\r
\r
REV:20260101T000000Z\r
END:VCARD\r
""",
        {
            "FileAs": "Prof. Jörg K. Müller",
            "FirstName": "Jörg",
            "MiddleName": "K.",
            "LastName": "Müller",
            "Title": "Prof.",
            "CompanyName": "Müller & Söhne",
            "Department": "Vertrieb",
            "JobTitle": "Leiter",
            "BusinessPhoneNumber": "+49 30 1",
            "HomePhoneNumber": "+49 30 2",
            "MobilePhoneNumber": "+49 170 3",
            "BusinessFaxNumber": "+49 30 4",
            "AssistantPhoneNumber": "+49 30 5",
            "RadioPhoneNumber": "+49 30 6",
            "BusinessAddressStreet": "Straße 1",
            "BusinessAddressCity": "Köln",
            "BusinessAddressState": "NRW",
            "BusinessAddressPostalCode": "50667",
            "BusinessAddressCountry": "Deutschland",
            "WebPage": "http://www.example.test",
            "Email1Address": "j.mueller@example.test",
            "IMAddress": "sip:jm@example.test",
            "ManagerName": "Frau Grün",
            "AssistantName": "Herr Rot",
            "Spouse": "Inge",
            "Children": ("Max",),
            "Anniversary": "2001-02-03T00:00:00.000Z",
            "Birthday": "1965-08-07T00:00:00.000Z",
            "Body": "Zeile 1; ja\nZeile 2 ü",
            "Picture": JPEG,
        },
        (":Straße 1\\n50667 Köln", "X-MS-CARDPICTURE;TYPE=JPEG;ENCODING=b:AAAA", "X-MS-SIGNATURE:YES"),
    ),
    "thunderbird": Sample(
        """\
BEGIN:VCARD
VERSION:4.0
N:Lee;Ann;Philip,Paul;;M.D.,Ph.D.
FN:Ann Lee
NICKNAME:Annie,Lee
EMAIL;PREF=1:ann@example.test
EMAIL;TYPE=work:work@example.test
TEL;TYPE=work;VALUE=TEXT:1
TEL;TYPE="cell,home";VALUE=uri:tel:+1-555-0100
ADR;TYPE=home:;;Street;City;;;
BDAY;VALUE=DATE:--0415
ANNIVERSARY;VALUE=DATE:20100601
ORG:Example;Unit
RELATED;TYPE=spouse;VALUE=text:Bob
RELATED;TYPE=child;VALUE=text:Cid
RELATED;TYPE=child;VALUE=text:Dan
RELATED;TYPE=friend:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6
IMPP:matrix:u/ann
PHOTO:data:image/jpeg;base64,"""
        + JPEG
        + """
GENDER:F
LANG:fr
X-CUSTOM1;VALUE=TEXT:one
UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1
END:VCARD
""",
        {
            "FileAs": "Ann Lee",
            "FirstName": "Ann",
            "MiddleName": "Philip Paul",
            "LastName": "Lee",
            "Suffix": "M.D. Ph.D.",
            "NickName": "Annie,Lee",
            "Email1Address": "ann@example.test",
            "Email2Address": "work@example.test",
            "BusinessPhoneNumber": "1",
            "MobilePhoneNumber": "+1-555-0100",
            "HomeAddressStreet": "Street",
            "HomeAddressCity": "City",
            "Birthday": "1604-04-15T00:00:00.000Z",
            "Anniversary": "2010-06-01T00:00:00.000Z",
            "CompanyName": "Example",
            "Department": "Unit",
            "Spouse": "Bob",
            "Children": ("Cid", "Dan"),
            "IMAddress": "matrix:u/ann",
            "Picture": JPEG,
        },
        ("VERSION:4.0", ":urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "GENDER:F", "LANG:fr", ":one"),
    ),
    "nextcloud": Sample(
        """\
BEGIN:VCARD
VERSION:4.0
UID:ea7b7d7d
PRODID:-//Sabre//Sabre VObject 4.5//EN
FN:Example Support
EMAIL;TYPE=WORK:support@example.test
TEL;TYPE="WORK,VOICE":0800
ADR;TYPE=HOME:;;;;;;
BDAY;VALUE=TEXT:circa 1800
CLOUD;TYPE=WORK:support@cloud.example
X-SOCIALPROFILE;TYPE=mastodon:@a@b
CATEGORIES:Work\\, far,Clients
END:VCARD
""",
        {
            "FileAs": "Example Support",
            "FirstName": "Example",
            "LastName": "Support",
            "Email1Address": "support@example.test",
            "BusinessPhoneNumber": "0800",
            "Categories": ("Work, far", "Clients"),
        },
        ("CLOUD;TYPE=WORK:support@cloud.example", "X-SOCIALPROFILE;TYPE=mastodon:@a@b"),
    ),
    "android": Sample(
        """\
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=B1=B1=E7=94=B0;=E8=8A=B1=E5=AD=90;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E8=8A=B1=E5=AD=90=20=
=E5=B1=B1=E7=94=B0
SOUND;X-IRMC-N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E3=82=84;=E3=81=AF;;;
TEL;CELL:090-1
TEL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=E8=88=B9):090-2
EMAIL;HOME:hana@example.jp
ADR;HOME;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;;=E9=8A=80=E5=BA=A7=31;=E6=9D=B1=E4=BA=AC;;104;=
=E6=97=A5=E6=9C=AC
X-ANDROID-CUSTOM:vnd.android.cursor.item/nickname;Hana;1;;;;;;;;;;;;;
X-SKYPE-USERNAME:hana
END:VCARD
""",
        {
            "FileAs": "花子 山田",
            "FirstName": "花子",
            "LastName": "山田",
            "MobilePhoneNumber": "090-1",
            "HomePhoneNumber": "090-2",
            "Email1Address": "hana@example.jp",
            "HomeAddressStreet": "銀座1",
            "HomeAddressCity": "東京",
            "HomeAddressPostalCode": "104",
            "HomeAddressCountry": "日本",
            "IMAddress": "hana",
        },
        ("vnd.android.cursor.item/nickname", "SOUND;TYPE=X-IRMC-N:"),
    ),
    "nokia": Sample(
        """\
BEGIN:VCARD
VERSION:2.1
N:Lee;Ann
TEL;PREF;CELL;VOICE:1
TEL;HOME:2
TEL;HOME:3
TEL;HOME:4
EMAIL:ann@example.test
ADR;HOME:;;Street\\; 1;City
NOTE;ENCODING=QUOTED-PRINTABLE:a=3Db\\
X-NICKNAME:An
BDAY:19800102T000000Z
this is no property
PHOTO;BASE64;GIF:R0lGODlhAQABAAAAACw=

X-WAB-GENDER:1
END:VCARD
""",
        {
            "FileAs": "Ann Lee",
            "FirstName": "Ann",
            "LastName": "Lee",
            "MobilePhoneNumber": "1",
            "HomePhoneNumber": "2",
            "Home2PhoneNumber": "3",
            "Email1Address": "ann@example.test",
            "HomeAddressStreet": "Street; 1",
            "HomeAddressCity": "City",
            "Body": "a=b\\",
            "Birthday": "1980-01-02T00:00:00.000Z",
            "Picture": "R0lGODlhAQABAAAAACw=",
        },
        (":4", "X-NICKNAME:An", "X-WAB-GENDER:1"),
    ),
    "evolution": Sample(
        """\
BEGIN:VCARD
VERSION:3.0
FN:Lee
N:Lee;;;;
X-EVOLUTION-FILE-AS:Lee\\, Ann
X-EVOLUTION-SPOUSE:Bob
X-EVOLUTION-MANAGER:Max
X-EVOLUTION-ASSISTANT:Eve
X-EVOLUTION-ANNIVERSARY:2001-01-01
X-EVOLUTION-BLOG-URL:http://blog.example
TEL;TYPE="X-EVOLUTION-RADIO":1
TEL;TYPE="WORK,VOICE";X-EVOLUTION-UI-SLOT=1:2
TEL;TYPE=ISDN:3
X-AIM;TYPE=HOME:annaim
END:VCARD
""",
        {
            "FileAs": "Lee, Ann",
            "LastName": "Lee",
            "Spouse": "Bob",
            "ManagerName": "Max",
            "AssistantName": "Eve",
            "Anniversary": "2001-01-01T00:00:00.000Z",
            "RadioPhoneNumber": "1",
            "BusinessPhoneNumber": "2",
            "IMAddress": "annaim",
        },
        ("X-EVOLUTION-BLOG-URL:http://blog.example", "TEL;TYPE=ISDN:3"),
    ),
    "company": Sample(
        """\
BEGIN:VCARD
VERSION:3.0
N:;;;;
FN:Example Corp
ORG:Example Corp;
X-ABShowAs:COMPANY
URL:https://a.example
URL:https://b.example
NOTE:one
NOTE:two
END:VCARD
""",
        {
            "FileAs": "Example Corp",
            "CompanyName": "Example Corp",
            "WebPage": "https://a.example",
            "Body": "one\n\ntwo",
        },
        ("X-ABShowAs:COMPANY", ":https://b.example"),
    ),
}
