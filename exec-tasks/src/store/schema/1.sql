-- Servers that have had tasks. One that runs, and has something to do, says each 5 seconds that it is alive.
CREATE TABLE servers (
    incarnation TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE lanes (
    name TEXT PRIMARY KEY,
    max_parallel INTEGER NOT NULL
) STRICT;

CREATE TABLE tasks (
    -- In the order of their submissions, and never used twice.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    grp TEXT,
    parent TEXT,
    lane TEXT NOT NULL,
    state TEXT NOT NULL,
    -- Everything that was submitted, as JSON.
    spec TEXT NOT NULL,
    submit_key TEXT UNIQUE,
    submitted_at_ms INTEGER NOT NULL,
    not_before_ms INTEGER,
    ended_at_ms INTEGER,
    end_reason TEXT,
    ended_by TEXT,
    -- Whether its end makes no notice.
    is_silent INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- The server that has it, or had it when it ended.
    incarnation TEXT NOT NULL
) STRICT;

CREATE INDEX tasks_by_group ON tasks (grp, number);
CREATE INDEX tasks_by_parent ON tasks (parent, number);
CREATE INDEX tasks_by_state ON tasks (state, number);

CREATE TABLE attempts (
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    -- Everything that is told of it, as JSON.
    record TEXT NOT NULL,
    -- Lines of its output.
    lines INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (task, attempt)
) STRICT;

CREATE INDEX running_attempts ON attempts (task) WHERE state = 'running';

-- Ends that nobody has acknowledged. They outlive the records of their tasks.
CREATE TABLE notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL,
    grp TEXT,
    parent TEXT,
    -- What is told, as JSON.
    notice TEXT NOT NULL
) STRICT;

-- Nothing; what was in it is room for when the disk is full.
CREATE TABLE spare (bytes BLOB NOT NULL) STRICT;
