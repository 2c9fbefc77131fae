"""The composition root: the one room that knows which concrete parts the gateway is made of."""

from __future__ import annotations

from gateway.app.application import App, create_app
from gateway.app.examining import check_files, examinations
from gateway.app.logins import login_examinations
from gateway.app.parts import admission_of, identity_of
from gateway.app.release import RELEASE, SystemClock
from gateway.app.stores import (
    back_up_store,
    copy_store,
    is_shared,
    look_over_backup,
    open_store,
    put_back_store,
    store_file,
    store_name,
)

__all__ = [
    "RELEASE",
    "App",
    "SystemClock",
    "admission_of",
    "back_up_store",
    "check_files",
    "copy_store",
    "create_app",
    "examinations",
    "identity_of",
    "is_shared",
    "login_examinations",
    "look_over_backup",
    "open_store",
    "put_back_store",
    "store_file",
    "store_name",
]
