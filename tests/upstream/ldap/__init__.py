"""People in LDAP: filters, attributes, groups, and servers that fail."""
