internal import GRDB
package import HoldfastCore
package import HoldfastEngine
package import HoldfastJSON

extension Schema {
    /// What is gathered for messages, and messages that were not delivered yet.
    static let messages = """
        CREATE TABLE routing (
            one INTEGER PRIMARY KEY CHECK (one = 1), finding INTEGER NOT NULL, notice INTEGER NOT NULL,
            state TEXT NOT NULL
        ) STRICT;
        CREATE TABLE outgoing (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, due INTEGER NOT NULL,
            attempts INTEGER NOT NULL, body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX outgoing_by_channel ON outgoing (channel, key);
        -- message: the chat's own name of it.
        CREATE TABLE chat_posts (
            channel TEXT NOT NULL, conversation TEXT NOT NULL, message TEXT NOT NULL, digest TEXT NOT NULL,
            posted INTEGER NOT NULL, about TEXT NOT NULL, standing TEXT NOT NULL,
            PRIMARY KEY (channel, conversation, message)
        ) STRICT;
        """
}

extension Commit {
    func write(messages writes: MessageWrites) throws {
        if let routing = writes.routing {
            try beforeStep("routing")
            try db.prepared("INSERT OR REPLACE INTO routing (one, finding, notice, state) VALUES (1, ?, ?, ?)").run([
                .int(routing.read.finding), .int(routing.read.notice), .json(routing.state),
            ])
        }
        let upsert = try db.prepared(
            """
            INSERT INTO outgoing (id, channel, due, attempts, body) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET due = excluded.due, attempts = excluded.attempts
            """)
        for sent in writes.outgoing {
            try beforeStep("outgoing")
            try upsert.run([
                .text(sent.message.id), .text(sent.message.channel), .time(sent.due), .int(sent.attempts),
                .json(sent.message.json),
            ])
        }
        let remove = try db.prepared("DELETE FROM outgoing WHERE id = ?")
        for id in writes.done {
            try beforeStep("delivered")
            try remove.run([.text(id)])
        }
        let keep = try db.prepared(
            """
            INSERT OR REPLACE INTO chat_posts (channel, conversation, message, digest, posted, about, standing)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        for post in writes.posts {
            try beforeStep("post")
            try keep.run([
                .text(post.channel), .text(post.conversation), .text(post.message), .text(post.digest),
                .time(post.posted), .text(post.about), .text(post.standing),
            ])
        }
        try write(tellings: writes.tellings)
    }
}

extension SQLiteJournal {
    package func routing() throws(JournalError) -> (state: JSON, read: NewsPosition)? {
        try read { db in
            try db.prepared("SELECT finding, notice, state FROM routing").first([]) { row in
                (state: try row.json(2), read: NewsPosition(finding: try row.int(0), notice: try row.int(1)))
            }
        }
    }

    package func newestNews() throws(JournalError) -> NewsPosition {
        try readOneMoment { db in
            NewsPosition(
                finding: try db.prepared("SELECT max(sequence) FROM finding_changes").integer([]) ?? 0,
                notice: try db.prepared("SELECT max(key) FROM notices").integer([]) ?? 0)
        }
    }

    package func news(after read: NewsPosition, limit: Int) throws(JournalError) -> StoredNews {
        try readOneMoment { db in
            StoredNews(
                findings: try db.prepared(
                    "SELECT sequence, change, body FROM finding_changes WHERE sequence > ? ORDER BY sequence LIMIT ?"
                ).rows([.int(read.finding), .int(limit)]) { (try $0.int(0), try $0.text(1), try $0.json(2)) },
                notices: try db.prepared(
                    "SELECT key, code, subject, text, raised FROM notices WHERE key > ? ORDER BY key LIMIT ?"
                ).rows([.int(read.notice), .int(limit)]) { row in
                    let notice = Notice(
                        code: try row.text(1), subject: try row.text(2), text: try row.text(3),
                        raised: try row.time(4))
                    return (try row.int(0), notice)
                })
        }
    }

    package func outgoing(by channel: String, limit: Int) throws(JournalError) -> [OutgoingMessage] {
        try read { db in
            try db.prepared("SELECT body, due, attempts FROM outgoing WHERE channel = ? ORDER BY key LIMIT ?").rows([
                .text(channel), .int(limit),
            ]) { row in
                guard let message = Message(json: try row.json(0)) else {
                    throw JournalError(.corrupt, "a message in the journal is damaged")
                }
                return OutgoingMessage(message: message, due: try row.time(1), attempts: Int(try row.int(2)))
            }
        }
    }

    package func posts(by channel: String, since: Timestamp) throws(JournalError) -> [ChatPost] {
        try read { db in
            try db.prepared(
                """
                SELECT digest, conversation, message, posted, about, standing FROM chat_posts
                WHERE channel = ? AND posted >= ? ORDER BY posted, message
                """
            ).rows([.text(channel), .time(since)]) { row in
                ChatPost(
                    digest: try row.text(0), channel: channel, conversation: try row.text(1),
                    message: try row.text(2), posted: try row.time(3), about: try row.text(4),
                    standing: try row.text(5))
            }
        }
    }
}
