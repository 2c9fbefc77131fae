-- Messages that devices edit. IMAP cannot change a message, so it is stored again under a new UID; devices go on
-- calling it by its first one.

CREATE TABLE rewrite (
    user TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    uidvalidity INTEGER NOT NULL,
    item INTEGER NOT NULL, -- the first UID
    uid INTEGER NOT NULL, -- the present one
    labels TEXT NOT NULL, -- JSON object: what devices call an attachment, and its section now ("": gone)
    stale TEXT NOT NULL, -- JSON array: UIDs of earlier versions that may still be there
    PRIMARY KEY (user, mailbox, uidvalidity, item)
) STRICT, WITHOUT ROWID;

-- Messages about to be stored. A row goes when it is known what became of it.
CREATE TABLE writing (
    user TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    marker TEXT NOT NULL, -- in the header of the message
    uidvalidity INTEGER NOT NULL,
    newest INTEGER NOT NULL, -- the highest UID before
    item INTEGER NOT NULL, -- what it replaces, 0: nothing
    labels TEXT NOT NULL,
    stale TEXT NOT NULL,
    device TEXT NOT NULL,
    collection TEXT NOT NULL,
    name TEXT NOT NULL, -- of the intent that gets `value` once the message is stored
    value BLOB NOT NULL,
    PRIMARY KEY (user, mailbox, marker)
) STRICT, WITHOUT ROWID;
