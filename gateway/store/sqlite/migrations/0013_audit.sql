-- What people decided, of whom, and who did: '' where it was of no user, or of no device.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_user ON audit (user, number);
CREATE INDEX audit_by_who ON audit (who, number);
CREATE INDEX audit_by_time ON audit (at);
