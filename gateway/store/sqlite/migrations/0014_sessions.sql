-- Who is signed in at the web pages. The key is a digest of what the browser shows.
CREATE TABLE web_session (
    key BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    email TEXT NOT NULL,
    began INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT;
CREATE INDEX web_session_by_user ON web_session (user, began);
