-- When a message was refused for the first time.
ALTER TABLE notice ADD COLUMN tried INTEGER;
