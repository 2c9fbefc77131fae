-- What is known of single messages beside what the mail server keeps: details of a flag, the last reply.

-- A value that was taken away stays as NULL, so that devices learn of that too. `gone` is when the message was
-- found to be gone, in milliseconds since 1970-01-01 UTC.
CREATE TABLE annotation (
    user TEXT NOT NULL,
    collection TEXT NOT NULL,
    uidvalidity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    name TEXT NOT NULL,
    value BLOB,
    revision INTEGER NOT NULL,
    gone INTEGER,
    PRIMARY KEY (user, collection, uidvalidity, uid, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX annotation_by_revision ON annotation (user, collection, revision);
CREATE INDEX annotation_by_gone ON annotation (gone) WHERE gone IS NOT NULL;

-- The newest revision of each collection; it never goes back, though annotations may.
CREATE TABLE annotation_revision (
    user TEXT NOT NULL,
    collection TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (user, collection)
) STRICT, WITHOUT ROWID;
