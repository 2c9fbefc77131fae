-- When it last synchronised with success, and from where it asked: noted now and then, apart from what a device says
-- of itself. What it answered (a Status) to a policy when it was refused for that, 0 when it was not.
ALTER TABLE device ADD COLUMN synced INTEGER;
ALTER TABLE device ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;

-- Which devices are traced and until when, '' for all of a user's; and what they asked and were answered.
CREATE TABLE trace (
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (user, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE trace_entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    line TEXT NOT NULL
) STRICT;
CREATE INDEX trace_entry_by_device ON trace_entry (user, device, number);
CREATE INDEX trace_entry_by_time ON trace_entry (at);
