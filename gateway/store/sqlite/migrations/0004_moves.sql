-- Messages that devices moved: a repeated request finds here where they went.

CREATE TABLE move (
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    source TEXT NOT NULL,
    uidvalidity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    target TEXT NOT NULL,
    likeness TEXT NOT NULL, -- what the message is known by where it arrives
    target_uidvalidity INTEGER NOT NULL,
    target_uidnext INTEGER NOT NULL, -- before the move
    target_uid INTEGER, -- NULL: under way; 0: moved, nobody knows where to
    began INTEGER NOT NULL,
    PRIMARY KEY (user, device, source, uidvalidity, uid, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX move_by_age ON move (began);

-- What a device knows that has begun anew: messages it moved there before its first Sync.
ALTER TABLE sync_state ADD COLUMN fresh_cursor BLOB NOT NULL DEFAULT x'';

-- The name that a rename under way gives the mailbox.
ALTER TABLE folder ADD COLUMN renaming TEXT;
