-- The users of this gateway by their addresses, as far as they came lately. `key` is the address in lower case,
-- `sorting` the name to put them in order by, `words` all by which one is found, each behind a space.
CREATE TABLE person (
    key TEXT NOT NULL,
    user TEXT NOT NULL,
    domain TEXT NOT NULL,
    address TEXT NOT NULL, -- as spelled last
    name TEXT NOT NULL,
    sorting TEXT NOT NULL,
    words TEXT NOT NULL,
    rules TEXT NOT NULL, -- by which the address was made of the login
    seen INTEGER NOT NULL,
    PRIMARY KEY (key, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_by_user ON person (user);
CREATE INDEX person_by_domain ON person (domain, sorting);
CREATE INDEX person_by_name ON person (sorting);
