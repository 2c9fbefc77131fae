-- Passwords that users made for single devices. `device` used it last; with `bound` no other one may.
CREATE TABLE app_password (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    created INTEGER NOT NULL,
    bound INTEGER NOT NULL CHECK (bound IN (0, 1)),
    device TEXT NOT NULL,
    used INTEGER
) STRICT;
CREATE INDEX app_password_by_user ON app_password (user, number);
