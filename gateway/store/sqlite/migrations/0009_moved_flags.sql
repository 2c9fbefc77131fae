-- The flags of the copy that a device took along, as a JSON list; NULL when they are not known.
ALTER TABLE move ADD COLUMN flags TEXT;
