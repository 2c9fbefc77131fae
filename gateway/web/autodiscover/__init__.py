"""How mail programs find the servers of an address: Autodiscover, autoconfig, and a profile for Apple's."""

from gateway.web.autodiscover.endpoint import Autodiscover, is_autodiscover_path
from gateway.web.autodiscover.servers import MailServer, Servers, public, reached

__all__ = ["Autodiscover", "MailServer", "Servers", "is_autodiscover_path", "public", "reached"]
