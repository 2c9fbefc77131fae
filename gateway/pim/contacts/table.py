"""Where each field of a contact is in a vCard: the one mapping, from which its documentation is made.

Where several places are named, the first is written and all are read. What vCards have no property for is in
those that Evolution, Apple's and KDE's address books use, else in our own (`X-ACTIVESYNC-`).
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.pim.contacts.allotting import Slot, by_type, in_order
from gateway.pim.contacts.forms import ChatForm, MailForm, PlainForm, PostalForm
from gateway.pim.contacts.model import Field
from gateway.pim.contacts.naming import FiledAs, Names
from gateway.pim.contacts.places import Categories, Notes, Part, Parts, Photo, Place, Text
from gateway.pim.contacts.relations import Birthday, LabelledDay, Relation
from gateway.pim.contacts.slots import Slots
from gateway.pim.names import OWN

__all__ = ["TABLE", "documented"]

_EMAILS = tuple(Slot((one,)) for one in (Field.EMAIL1, Field.EMAIL2, Field.EMAIL3))
_CHATS = tuple(Slot((one,)) for one in (Field.IM1, Field.IM2, Field.IM3))
_PAGE = (Slot((Field.WEB_PAGE,)),)

_MOBILE = Slot((Field.MOBILE_PHONE,), ("CELL",))
_HOME, _HOME2 = (Slot((one,), ("HOME",)) for one in (Field.HOME_PHONE, Field.HOME_PHONE2))
_WORK, _WORK2 = (Slot((one,), ("WORK",)) for one in (Field.BUSINESS_PHONE, Field.BUSINESS_PHONE2))
_HOME_FAX = Slot((Field.HOME_FAX,), ("HOME", "FAX"))
_WORK_FAX = Slot((Field.BUSINESS_FAX,), ("WORK", "FAX"))
_PAGER = Slot((Field.PAGER,), ("PAGER",))
_CAR = Slot((Field.CAR_PHONE,), ("CAR",))
_RADIO = Slot((Field.RADIO_PHONE,), ("X-RADIO",))
_ASSISTANT = Slot((Field.ASSISTANT_PHONE,), ("X-ASSISTANT",))
_COMPANY = Slot((Field.COMPANY_PHONE,), ("MAIN",))
_PHONES = (
    *(_MOBILE, _HOME, _HOME2, _WORK, _WORK2, _HOME_FAX, _WORK_FAX),
    *(_PAGER, _CAR, _RADIO, _ASSISTANT, _COMPANY),
)
_PHONE_RULES = tuple(
    (frozenset(types), slots)
    for types, slots in (
        (("FAX", "HOME"), (_HOME_FAX, _WORK_FAX)),
        (("FAX",), (_WORK_FAX, _HOME_FAX)),
        (("PAGER",), (_PAGER,)),
        (("CAR",), (_CAR,)),
        (("RADIO",), (_RADIO,)),
        (("ASSISTANT",), (_ASSISTANT,)),
        (("MAIN",), (_COMPANY,)),
        (("MAIN-NUMBER",), (_COMPANY,)),
        (("COMPANY",), (_COMPANY,)),
        *(
            ((one,), ())
            for one in ("TELEX", "TLX", "TTYTTD", "TEXTPHONE", "MODEM", "BBS", "ISDN", "CALLBACK")
        ),
        (("CELL", "WORK"), (_MOBILE, _WORK, _WORK2, _HOME, _HOME2)),
        (("CELL",), (_MOBILE, _HOME, _HOME2, _WORK, _WORK2)),
        (("WORK",), (_WORK, _WORK2)),
        (("HOME",), (_HOME, _HOME2)),
        ((), (_MOBILE, _HOME, _WORK, _HOME2, _WORK2)),
    )
)

_AT_HOME, _AT_WORK, _ELSEWHERE = (
    Slot(
        tuple(
            Field(f"{place}Address{part}") for part in ("Street", "City", "State", "PostalCode", "Country")
        ),
        (kind,),
    )
    for place, kind in (("Home", "HOME"), ("Business", "WORK"), ("Other", "OTHER"))
)
_ADDRESS_RULES = (
    (frozenset({"HOME"}), (_AT_HOME, _ELSEWHERE)),
    (frozenset({"WORK"}), (_AT_WORK, _ELSEWHERE)),
    (frozenset[str](), (_ELSEWHERE, _AT_HOME, _AT_WORK)),
)
_CHAT_NAMES = (
    *("IMPP", "X-JABBER", "X-AIM", "X-ICQ", "X-MSN", "X-YAHOO", "X-SKYPE", "X-SKYPE-USERNAME"),
    *("X-GOOGLE-TALK", "X-GADUGADU", "X-GROUPWISE", "X-SIP", "X-MS-IMADDRESS"),
)

TABLE: tuple[Place, ...] = (
    Names(
        "N",
        (
            Part(Field.LAST_NAME, 0, "family name"),
            Part(Field.FIRST_NAME, 1, "given name"),
            Part(Field.MIDDLE_NAME, 2, "additional names"),
            Part(Field.TITLE, 3, "prefixes"),
            Part(Field.SUFFIX, 4, "suffixes"),
        ),
    ),
    FiledAs(Field.FILE_AS),
    Text(Field.NICK_NAME, "NICKNAME"),
    Text(Field.YOMI_FIRST_NAME, "X-PHONETIC-FIRST-NAME"),
    Text(Field.YOMI_LAST_NAME, "X-PHONETIC-LAST-NAME"),
    Text(Field.YOMI_COMPANY_NAME, "X-PHONETIC-ORG"),
    Parts("ORG", (Part(Field.COMPANY_NAME, 0, "name"), Part(Field.DEPARTMENT, 1, "first unit"))),
    Text(Field.JOB_TITLE, "TITLE"),
    Text(Field.OFFICE_LOCATION, f"{OWN}OFFICE", ("X-KADDRESSBOOK-X-OFFICE",)),
    Relation(
        Field.ASSISTANT_NAME,
        "Assistant",
        frozenset({"ASSISTANT", "AGENT"}),
        ("X-ASSISTANT", "X-EVOLUTION-ASSISTANT", "X-MS-ASSISTANT", "X-KADDRESSBOOK-X-ASSISTANTSNAME"),
    ),
    Relation(
        Field.MANAGER_NAME,
        "Manager",
        frozenset({"MANAGER"}),
        ("X-MANAGER", "X-EVOLUTION-MANAGER", "X-MS-MANAGER", "X-KADDRESSBOOK-X-MANAGERSNAME"),
    ),
    Text(Field.ACCOUNT_NAME, f"{OWN}ACCOUNT-NAME"),
    Text(Field.CUSTOMER_ID, f"{OWN}CUSTOMER-ID"),
    Text(Field.GOVERNMENT_ID, f"{OWN}GOVERNMENT-ID"),
    Slots(("EMAIL",), _EMAILS, MailForm(), in_order(_EMAILS, but=frozenset({"X400"}))),
    Slots(_CHAT_NAMES, _CHATS, ChatForm(), in_order(_CHATS)),
    Slots(("URL",), _PAGE, PlainForm("URL", is_uri=True), in_order(_PAGE)),
    Slots(("TEL", "X-MS-TEL"), _PHONES, PlainForm("TEL"), by_type(_PHONE_RULES)),
    Text(Field.MMS, f"{OWN}MMS"),
    Slots(("ADR",), (_AT_HOME, _AT_WORK, _ELSEWHERE), PostalForm(), by_type(_ADDRESS_RULES)),
    Birthday(Field.BIRTHDAY),
    LabelledDay(
        Field.ANNIVERSARY,
        "ANNIVERSARY",
        "Anniversary",
        ("X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-MS-ANNIVERSARY", "X-KADDRESSBOOK-X-ANNIVERSARY"),
    ),
    Relation(
        Field.SPOUSE,
        "Spouse",
        frozenset({"SPOUSE", "PARTNER", "WIFE", "HUSBAND"}),
        ("X-SPOUSE", "X-EVOLUTION-SPOUSE", "X-MS-SPOUSE", "X-KADDRESSBOOK-X-SPOUSESNAME"),
    ),
    Relation(
        Field.CHILDREN,
        "Child",
        frozenset({"CHILD", "SON", "DAUGHTER"}),
        ("X-CHILD", "X-MS-CHILD"),
    ),
    Categories(Field.CATEGORIES),
    Photo(Field.PICTURE),
    Notes(Field.NOTE),
)


def documented() -> Mapping[Field, str]:
    """Of every field, in words, where it is in a vCard."""
    return {field: words for place in TABLE for field, words in place.fields.items()}
