-- The beginnings that a device has not proven yet, of which older releases kept one: JSON, each as its epoch, what the
-- device knows by it, its options (both as hexadecimal digits), and the request it is an answer to. Of the folder
-- hierarchy, whose row has no collection, there were several already, by their epochs.
ALTER TABLE sync_state ADD COLUMN beginnings TEXT NOT NULL DEFAULT '';
UPDATE sync_state SET beginnings = json_array(json_array(fresh, hex(fresh_cursor), hex(fresh_options), ''))
WHERE fresh <> '' AND collection <> '';
UPDATE sync_state SET beginnings = (
    SELECT json_group_array(json_array(key, hex(value), '', '')) FROM json_each(CAST(fresh_options AS TEXT))
)
WHERE fresh <> '' AND collection = '' AND json_valid(CAST(fresh_options AS TEXT));
ALTER TABLE sync_state DROP COLUMN fresh;
ALTER TABLE sync_state DROP COLUMN fresh_options;
ALTER TABLE sync_state DROP COLUMN fresh_cursor;
