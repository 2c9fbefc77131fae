-- What the gateway remembers of devices, folders, sync keys and mail being sent.
-- All times are milliseconds since 1970-01-01 UTC. Every table is keyed by user first.

CREATE TABLE device (
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    policy_key INTEGER NOT NULL,
    version TEXT NOT NULL,
    agent TEXT NOT NULL,
    information TEXT NOT NULL, -- JSON object of strings
    first_seen INTEGER,
    last_seen INTEGER,
    PRIMARY KEY (user, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE folder_list (
    user TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    next_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE folder (
    user TEXT NOT NULL REFERENCES folder_list (user) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    mailbox TEXT,
    role TEXT,
    uidvalidity INTEGER,
    mailbox_id TEXT,
    gone INTEGER NOT NULL CHECK (gone IN (0, 1)),
    PRIMARY KEY (user, position),
    UNIQUE (user, id)
) STRICT, WITHOUT ROWID;

-- A cursor may be larger than a page, so these rows live outside their index.
CREATE TABLE sync_state (
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    collection TEXT NOT NULL,
    epoch TEXT NOT NULL,
    number INTEGER NOT NULL,
    cursor BLOB NOT NULL,
    previous BLOB,
    results BLOB NOT NULL,
    options BLOB NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    fresh TEXT NOT NULL,
    fresh_options BLOB NOT NULL,
    PRIMARY KEY (user, device, collection)
) STRICT;

CREATE TABLE memo (
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (user, device, name)
) STRICT;

CREATE TABLE intent (
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    collection TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (user, device, collection, name)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id handed out once never names another message, not even after pruning.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    client_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    save INTEGER NOT NULL CHECK (save IN (0, 1)),
    stage TEXT NOT NULL CHECK (stage IN ('accepted', 'submitted', 'done', 'failed')),
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_client_id ON outbox (user, device, client_id) WHERE client_id <> '';
CREATE INDEX outbox_by_message_id ON outbox (user, message_id, digest) WHERE message_id <> '';
CREATE INDEX outbox_by_age ON outbox (created);

-- Copies that could not be stored in Sent yet; a row goes when its message is done.
CREATE TABLE outbox_copy (
    entry INTEGER PRIMARY KEY REFERENCES outbox (id),
    user TEXT NOT NULL,
    message_id TEXT NOT NULL,
    message BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_copy_by_user ON outbox_copy (user);

CREATE TABLE poison (
    user TEXT NOT NULL,
    collection TEXT NOT NULL,
    item TEXT NOT NULL,
    release TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (user, collection, item, release)
) STRICT, WITHOUT ROWID;

-- One row, rewritten to find out whether the store can be written.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
