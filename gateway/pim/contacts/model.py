"""What is known of a contact: values without a text and without a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from gateway.pim.tree import BadText

__all__ = ["LISTS", "BadContact", "Contact", "Field", "Value", "listed", "text"]


class BadContact(BadText):
    """It is no vCard, or would become one that cannot be stored."""


class Field(StrEnum):
    """What a contact may have; the values are the names of MS-ASCNTC 2.2.2.

    Of an address, a name and a phone number there is one text each; BIRTHDAY and ANNIVERSARY are dates
    (`1996-04-15`, in the year 1604 those of no known year), PICTURE is base64.
    """

    FILE_AS = "FileAs"
    FIRST_NAME = "FirstName"
    MIDDLE_NAME = "MiddleName"
    LAST_NAME = "LastName"
    TITLE = "Title"
    SUFFIX = "Suffix"
    NICK_NAME = "NickName"
    YOMI_FIRST_NAME = "YomiFirstName"
    YOMI_LAST_NAME = "YomiLastName"
    YOMI_COMPANY_NAME = "YomiCompanyName"

    COMPANY_NAME = "CompanyName"
    DEPARTMENT = "Department"
    JOB_TITLE = "JobTitle"
    OFFICE_LOCATION = "OfficeLocation"
    ASSISTANT_NAME = "AssistantName"
    MANAGER_NAME = "ManagerName"
    ACCOUNT_NAME = "AccountName"
    CUSTOMER_ID = "CustomerId"
    GOVERNMENT_ID = "GovernmentId"

    EMAIL1 = "Email1Address"
    EMAIL2 = "Email2Address"
    EMAIL3 = "Email3Address"
    IM1 = "IMAddress"
    IM2 = "IMAddress2"
    IM3 = "IMAddress3"
    WEB_PAGE = "WebPage"

    MOBILE_PHONE = "MobilePhoneNumber"
    HOME_PHONE = "HomePhoneNumber"
    HOME_PHONE2 = "Home2PhoneNumber"
    HOME_FAX = "HomeFaxNumber"
    BUSINESS_PHONE = "BusinessPhoneNumber"
    BUSINESS_PHONE2 = "Business2PhoneNumber"
    BUSINESS_FAX = "BusinessFaxNumber"
    COMPANY_PHONE = "CompanyMainPhone"
    ASSISTANT_PHONE = "AssistantPhoneNumber"
    CAR_PHONE = "CarPhoneNumber"
    RADIO_PHONE = "RadioPhoneNumber"
    PAGER = "PagerNumber"
    MMS = "MMS"

    HOME_STREET = "HomeAddressStreet"
    HOME_CITY = "HomeAddressCity"
    HOME_STATE = "HomeAddressState"
    HOME_POSTAL_CODE = "HomeAddressPostalCode"
    HOME_COUNTRY = "HomeAddressCountry"
    BUSINESS_STREET = "BusinessAddressStreet"
    BUSINESS_CITY = "BusinessAddressCity"
    BUSINESS_STATE = "BusinessAddressState"
    BUSINESS_POSTAL_CODE = "BusinessAddressPostalCode"
    BUSINESS_COUNTRY = "BusinessAddressCountry"
    OTHER_STREET = "OtherAddressStreet"
    OTHER_CITY = "OtherAddressCity"
    OTHER_STATE = "OtherAddressState"
    OTHER_POSTAL_CODE = "OtherAddressPostalCode"
    OTHER_COUNTRY = "OtherAddressCountry"

    BIRTHDAY = "Birthday"
    ANNIVERSARY = "Anniversary"
    SPOUSE = "Spouse"
    CHILDREN = "Children"
    CATEGORIES = "Categories"
    PICTURE = "Picture"
    NOTE = "Body"


LISTS = frozenset({Field.CHILDREN, Field.CATEGORIES})
"""Fields whose values are tuples of texts; all others are texts."""

Value: TypeAlias = str | tuple[str, ...]
Contact: TypeAlias = Mapping[Field, Value]
"""The fields that there are, none of them empty. In a patch: those to change, empty ones to be removed."""


def text(contact: Contact, field: Field) -> str:
    """The text in a field; "" when there is none."""
    value = contact.get(field, "")
    return value if isinstance(value, str) else ", ".join(value)


def listed(contact: Contact, field: Field) -> tuple[str, ...]:
    """The texts of a field that is a list."""
    value = contact.get(field, ())
    return (value,) if isinstance(value, str) else value
