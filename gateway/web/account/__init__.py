"""The account page: what users see of their own phones and folders, and do about them."""

from gateway.web.account.site import account_routes

__all__ = ["account_routes"]
