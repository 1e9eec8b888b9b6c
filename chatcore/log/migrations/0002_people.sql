-- Who people are. A person is a user, a bot or a guest; events and messages hold his id, and his name is joined when
-- they are encoded. Nobody is ever removed: a deleted person keeps his row without name, email and password.
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'bot', 'guest')),
  name TEXT NOT NULL,
  -- The form in which names are compared; null once deleted, so that the name is free again.
  folded TEXT,
  display_name TEXT NOT NULL,
  email TEXT,
  email_folded TEXT UNIQUE,
  -- Argon2 in PHC form; null for bots, guests and invited users.
  password TEXT,
  -- Instance roles, separated by spaces.
  roles TEXT NOT NULL DEFAULT '',
  -- The user who made a bot.
  maker TEXT,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER
) WITHOUT ROWID;
-- Users and bots share one set of names; guests only give way to them.
CREATE UNIQUE INDEX person_name ON person (folded) WHERE kind <> 'guest' AND folded IS NOT NULL;
CREATE INDEX person_guest_name ON person (folded) WHERE kind = 'guest';
CREATE INDEX person_maker ON person (maker) WHERE maker IS NOT NULL;

-- What lets somebody in. Secrets are kept as SHA-256 (hex) only.
CREATE TABLE sign_in (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  person TEXT NOT NULL REFERENCES person (id),
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  agent TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX sign_in_person ON sign_in (person);

CREATE TABLE api_token (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('bot', 'overlay', 'personal')),
  name TEXT NOT NULL,
  -- As whom the token acts: its maker, or a bot of his.
  person TEXT NOT NULL REFERENCES person (id),
  maker TEXT NOT NULL REFERENCES person (id),
  -- JSON lists; channels null = all.
  scopes TEXT NOT NULL,
  channels TEXT,
  created_at INTEGER NOT NULL,
  used_at INTEGER,
  expires_at INTEGER
) WITHOUT ROWID;
CREATE INDEX api_token_maker ON api_token (maker);
CREATE INDEX api_token_person ON api_token (person);

-- A guest's one credential, and what he asked to be called (his granted name may carry digits).
CREATE TABLE guest (
  id TEXT PRIMARY KEY REFERENCES person (id),
  hash TEXT NOT NULL UNIQUE,
  asked TEXT NOT NULL,
  used_at INTEGER NOT NULL,
  renamed_at INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- A code by which a person made by an administrator sets his password, once.
CREATE TABLE invite (
  hash TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
