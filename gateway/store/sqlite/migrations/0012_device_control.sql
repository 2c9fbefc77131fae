-- What a device acknowledged: the digest of the policy ('' is one that demands nothing), how far it complies (the
-- Status it sent), and when.
ALTER TABLE device ADD COLUMN policy TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN compliance INTEGER NOT NULL DEFAULT 1;
ALTER TABLE device ADD COLUMN provisioned INTEGER;

-- What is decided of a device by people, apart from what it says of itself: they are written by others.
CREATE TABLE device_control (
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    access TEXT CHECK (access IN ('allow', 'block', 'quarantine')),
    wipe TEXT CHECK (wipe IN ('device', 'account')),
    stage TEXT CHECK (stage IN ('asked', 'told', 'done', 'failed')),
    asked INTEGER,
    answered INTEGER,
    changed INTEGER NOT NULL, -- the number of the change, of all there were
    PRIMARY KEY (user, id),
    CHECK ((wipe IS NULL) = (stage IS NULL) AND (wipe IS NULL) = (asked IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX device_control_changed ON device_control (changed);
