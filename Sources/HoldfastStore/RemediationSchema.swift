extension Schema {
    /// Decisions, runs and what people said.
    static let remediation = """
        CREATE TABLE candidates (finding TEXT PRIMARY KEY, due INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX candidates_by_due ON candidates (due, finding);
        -- The last of each finding; the audit log has all that differed.
        CREATE TABLE decisions (finding TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE INDEX decisions_by_time ON decisions (at);

        CREATE TABLE runs (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, finding TEXT NOT NULL, playbook TEXT NOT NULL,
            phase TEXT NOT NULL, opened INTEGER NOT NULL, ended INTEGER, body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX runs_by_finding ON runs (finding);
        CREATE INDEX runs_by_playbook ON runs (playbook, ended);
        CREATE INDEX runs_open ON runs (id) WHERE ended IS NULL;
        CREATE TABLE captures (
            run TEXT NOT NULL, step INTEGER NOT NULL, expires INTEGER NOT NULL, sealed BLOB NOT NULL,
            PRIMARY KEY (run, step)
        ) STRICT;
        CREATE TABLE budget_uses (
            key INTEGER PRIMARY KEY, budget TEXT NOT NULL, at INTEGER NOT NULL, run TEXT NOT NULL
        ) STRICT;
        CREATE INDEX budget_uses_by_time ON budget_uses (budget, at);
        CREATE TABLE own_events (event TEXT PRIMARY KEY, run TEXT NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE asks (
            digest TEXT PRIMARY KEY, finding TEXT NOT NULL, opened INTEGER NOT NULL, level INTEGER NOT NULL,
            next INTEGER NOT NULL, must_prompt INTEGER NOT NULL, prompt TEXT NOT NULL
        ) STRICT;
        CREATE TABLE approvals (
            key INTEGER PRIMARY KEY, digest TEXT NOT NULL, word TEXT NOT NULL, person TEXT NOT NULL,
            roles TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, expires INTEGER NOT NULL, via TEXT NOT NULL
        ) STRICT;
        CREATE INDEX approvals_by_digest ON approvals (digest);
        CREATE TABLE halts (
            part TEXT PRIMARY KEY, person TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE holds (
            finding TEXT PRIMARY KEY, person TEXT NOT NULL, reason TEXT NOT NULL, until INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE openings (
            key INTEGER PRIMARY KEY, playbook TEXT NOT NULL, digest TEXT NOT NULL, environment TEXT NOT NULL,
            person TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE modes (scope TEXT PRIMARY KEY, mode TEXT NOT NULL, since INTEGER NOT NULL) STRICT;
        CREATE TABLE campaigns (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, playbook TEXT NOT NULL, digest TEXT NOT NULL,
            scope TEXT NOT NULL, state TEXT NOT NULL, wave INTEGER NOT NULL, person TEXT NOT NULL,
            proposed INTEGER NOT NULL, reason TEXT NOT NULL, items TEXT NOT NULL
        ) STRICT;
        """

    /// What a decision asks of earlier runs: never all of them, and never their bodies.
    static let runStandings = """
        ALTER TABLE runs ADD COLUMN playbook_digest TEXT
            GENERATED ALWAYS AS (json_extract(body, '$."playbook-digest"')) VIRTUAL;
        ALTER TABLE runs ADD COLUMN environment TEXT GENERATED ALWAYS AS (json_extract(body, '$.environment')) VIRTUAL;
        CREATE INDEX runs_by_standing ON runs (playbook_digest, phase, environment, ended);
        CREATE INDEX runs_ended_by_finding ON runs (finding, ended);
        """
}
