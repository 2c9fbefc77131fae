-- What the gateway stores itself: calendars and the like, in folders of items.

-- AUTOINCREMENT: folder 7 is "i7" on every phone, and so may no other folder ever be called.
CREATE TABLE item_folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    standard INTEGER NOT NULL CHECK (standard IN (0, 1)), -- the one of its kind that every phone expects
    parent TEXT NOT NULL,
    revision INTEGER NOT NULL -- of the newest change of an item
) STRICT;
CREATE INDEX item_folder_by_owner ON item_folder (owner, kind);
CREATE UNIQUE INDEX item_folder_standard ON item_folder (owner, kind) WHERE standard = 1;

CREATE TABLE item_share (
    user TEXT NOT NULL,
    folder INTEGER NOT NULL REFERENCES item_folder (id) ON DELETE CASCADE,
    access TEXT NOT NULL,
    PRIMARY KEY (user, folder)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_share_by_folder ON item_share (folder);

-- The last number given to an item.
CREATE TABLE item_number (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    newest INTEGER NOT NULL
) STRICT;
INSERT INTO item_number (id, newest) VALUES (1, 0);

-- The items there are, and of those that are gone what devices must be told some time. Each change gets the next
-- revision of its folder and takes the place of the item's change before, so the index by revision is the log of
-- what changed. `starts` and `ends` have the lowest and the highest number there is for "always was" and "for
-- ever". The indexes hold all that is asked of many items at once: their text is long.
CREATE TABLE item (
    number INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES item_folder (id) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    gone INTEGER NOT NULL CHECK (gone IN (0, 1)),
    moved INTEGER, -- of one that is gone: its number in the folder it was moved to
    uid TEXT NOT NULL,
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX item_by_revision ON item (folder, revision, gone, starts, ends);
CREATE INDEX item_by_end ON item (folder, ends, starts, revision, gone) WHERE gone = 0;
CREATE UNIQUE INDEX item_by_uid ON item (folder, uid) WHERE gone = 0;

-- Files of items. `item` is NULL as long as none refers to it, or when none does any more: since `since`.
CREATE TABLE item_file (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    item INTEGER REFERENCES item (number),
    since INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE INDEX item_file_by_item ON item_file (item, since);

CREATE TABLE item_file_chunk (
    file INTEGER NOT NULL REFERENCES item_file (number) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (file, start)
) STRICT;

-- Scheduling messages to be mailed. Of one that was mailed (`dropped`) the key stays for a while.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    key TEXT NOT NULL,
    recipients TEXT NOT NULL, -- JSON array
    message BLOB NOT NULL,
    dropped INTEGER,
    UNIQUE (user, key)
) STRICT;
CREATE INDEX notice_pending ON notice (user) WHERE dropped IS NULL;
CREATE INDEX notice_dropped ON notice (dropped) WHERE dropped IS NOT NULL;
