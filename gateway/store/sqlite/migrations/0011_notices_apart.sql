-- The mail of a notice stands apart from what is needed to choose the next one, and those into which one was split,
-- because it was not taken for all of its recipients together, have it in common. Files of events that go out with
-- it are kept for it.
CREATE TABLE notice_mail (
    id INTEGER PRIMARY KEY,
    message BLOB NOT NULL
) STRICT;
CREATE TABLE notice_file (
    mail INTEGER NOT NULL REFERENCES notice_mail (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    file INTEGER NOT NULL REFERENCES item_file (number),
    content_id TEXT NOT NULL,
    inline INTEGER NOT NULL CHECK (inline IN (0, 1)),
    PRIMARY KEY (mail, position)
) STRICT;
CREATE INDEX notice_file_by_file ON notice_file (file);

-- `event` is the UID of the event it is about, '' when it need not wait for others, '?' when it is not known. What
-- goes to the same recipient about the same event goes in the order of `place`, which those of a split one share.
-- `turn` grows with each attempt: who was not tried for the longest time is next. `bare`: without its files.
ALTER TABLE notice ADD COLUMN mail INTEGER REFERENCES notice_mail (id);
ALTER TABLE notice ADD COLUMN event TEXT NOT NULL DEFAULT '?';
ALTER TABLE notice ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN bare INTEGER NOT NULL DEFAULT 0;
INSERT INTO notice_mail (id, message) SELECT id, message FROM notice WHERE dropped IS NULL;
UPDATE notice SET mail = id, place = id WHERE dropped IS NULL;
ALTER TABLE notice DROP COLUMN message;
CREATE INDEX notice_by_mail ON notice (mail) WHERE mail IS NOT NULL;
DROP INDEX notice_pending;
CREATE INDEX notice_pending ON notice (user, turn, place, id) WHERE dropped IS NULL;
CREATE INDEX notice_by_event ON notice (user, event) WHERE dropped IS NULL;
