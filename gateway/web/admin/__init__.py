"""The admin page: devices, rules, health, who decided what."""

from gateway.web.admin.samples import Samples
from gateway.web.admin.site import admin_routes

__all__ = ["Samples", "admin_routes"]
