-- Messages are looked for by a value: what arrives may be what is gone elsewhere.
CREATE INDEX annotation_by_value ON annotation (user, name, value) WHERE value IS NOT NULL;
