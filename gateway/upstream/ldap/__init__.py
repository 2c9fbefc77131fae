"""People and groups in an LDAP server (RFC 4511): OpenLDAP, Active Directory, FreeIPA and their like."""

from gateway.upstream.ldap.directory import LdapDirectory
from gateway.upstream.ldap.schemas import PROPERTIES, SCHEMAS, Schema, adapted
from gateway.upstream.ldap.settings import LdapSettings, Url

__all__ = ["PROPERTIES", "SCHEMAS", "LdapDirectory", "LdapSettings", "Schema", "Url", "adapted"]
