-- When a message was refused for the first time, and which files of the event go with it (JSON array).
ALTER TABLE notice ADD COLUMN tried INTEGER;
ALTER TABLE notice ADD COLUMN files TEXT NOT NULL DEFAULT '[]';
