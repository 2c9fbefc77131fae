-- Which groups of the directories a user is in (held) or is not, as they said when they were asked last.
CREATE TABLE membership (
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    held INTEGER NOT NULL CHECK (held IN (0, 1)),
    asked INTEGER NOT NULL,
    PRIMARY KEY (user, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_by_time ON membership (asked);

-- The key that opens what the browser of a session keeps. Sessions without one are over.
ALTER TABLE web_session ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
