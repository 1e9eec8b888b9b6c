-- The log and what is read beside it. Text and names are stored once; an event holds ids only.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row per stream: 'room' and 'mod' of a channel, 'me' of a user or guest. head = the last n handed out.
CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  owner TEXT NOT NULL,
  head INTEGER NOT NULL DEFAULT 0,
  last_ts INTEGER NOT NULL DEFAULT 0,
  UNIQUE (owner, kind)
);

CREATE TABLE event (
  stream INTEGER NOT NULL REFERENCES stream (id),
  n INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (stream, n)
) WITHOUT ROWID;

CREATE TABLE channel (
  id TEXT PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  title TEXT NOT NULL,
  category TEXT NOT NULL DEFAULT '',
  tags TEXT NOT NULL DEFAULT '[]',
  mature INTEGER NOT NULL DEFAULT 0,
  visibility TEXT NOT NULL DEFAULT 'public',
  policy TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  scheduled_at INTEGER
) WITHOUT ROWID;
CREATE INDEX channel_owner ON channel (owner);

-- The one place of a message's text. n is its place in the channel's room stream.
CREATE TABLE message (
  channel TEXT NOT NULL,
  n INTEGER NOT NULL,
  mid TEXT NOT NULL UNIQUE,
  user TEXT,
  ts INTEGER NOT NULL,
  text TEXT NOT NULL,
  frags TEXT NOT NULL,
  reply TEXT,
  root TEXT,
  flags TEXT NOT NULL,
  idem TEXT,
  gone TEXT,
  PRIMARY KEY (channel, n)
) WITHOUT ROWID;
CREATE INDEX message_author ON message (channel, user, n);

-- Present-tense facts of a channel, written in the transaction of the event that changed them.
CREATE TABLE role (
  channel TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, until INTEGER,
  PRIMARY KEY (channel, user)
) WITHOUT ROWID;
CREATE TABLE mode (
  channel TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, until INTEGER, by TEXT NOT NULL,
  PRIMARY KEY (channel, name)
) WITHOUT ROWID;
CREATE TABLE sanction (
  channel TEXT NOT NULL, user TEXT NOT NULL, kind TEXT NOT NULL, until INTEGER, reason TEXT, action TEXT NOT NULL,
  PRIMARY KEY (channel, user)
) WITHOUT ROWID;
CREATE TABLE stream_key (
  id TEXT PRIMARY KEY, channel TEXT NOT NULL, label TEXT NOT NULL DEFAULT '', hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER
) WITHOUT ROWID;
CREATE INDEX stream_key_channel ON stream_key (channel);
