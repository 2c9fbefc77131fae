-- `alike` is the oldest revision of an item that its present one differs from by answers to invitations alone.
-- NULL: there is none. Who changed the item from that on is in conflict with nobody.
ALTER TABLE item ADD COLUMN alike INTEGER;
DROP INDEX item_by_revision;
CREATE INDEX item_by_revision ON item (folder, revision, gone, starts, ends, alike);
DROP INDEX item_by_end;
CREATE INDEX item_by_end ON item (folder, ends, starts, revision, gone, alike) WHERE gone = 0;
