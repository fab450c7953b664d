package import HoldfastCore
package import HoldfastJSON

/// Up to where what happened was looked at for messages.
package struct NewsPosition: Sendable, Hashable {
    /// The last change of a finding.
    package var finding: Int64
    /// The last notice that was raised.
    package var notice: Int64
    package init(finding: Int64, notice: Int64) {
        self.finding = finding
        self.notice = notice
    }
}

/// What happened behind a position, in the order in which it was written.
package struct StoredNews: Sendable {
    /// What changes of findings left: the change's word and the finding as it was then.
    package var findings: [(sequence: Int64, change: String, body: JSON)]
    package var notices: [(sequence: Int64, notice: Notice)]
    package init(
        findings: [(sequence: Int64, change: String, body: JSON)], notices: [(sequence: Int64, notice: Notice)]
    ) {
        self.findings = findings
        self.notices = notices
    }
}

/// A message that waits to be delivered.
package struct OutgoingMessage: Sendable, Hashable {
    package var message: Message
    /// Not before.
    package var due: Timestamp
    package var attempts: Int
    package init(message: Message, due: Timestamp, attempts: Int = 0) {
        self.message = message
        self.due = due
        self.attempts = attempts
    }
}

/// What a transaction writes of messages.
package struct MessageWrites: Sendable {
    /// What is gathered, with the position up to which it was.
    package var routing: (state: JSON, read: NewsPosition)?
    /// New, or tried once more; by their ids.
    package var outgoing: [OutgoingMessage] = []
    /// Ids of those that were delivered or given up.
    package var done: [String] = []

    /// Prompts that stand in chats, new or with another standing.
    package var posts: [ChatPost] = []

    /// New, or with another state; a person is told once of each drift.
    package var tellings: [StoredTelling] = []

    package var isEmpty: Bool {
        routing == nil && outgoing.isEmpty && done.isEmpty && posts.isEmpty && tellings.isEmpty
    }
    package init() {}
}

/// What the journal knows of messages.
package protocol MessageJournal: AnyObject, Sendable {
    /// `nil` where nothing was ever routed.
    func routing() throws(JournalError) -> (state: JSON, read: NewsPosition)?
    /// Where the newest news are.
    func newestNews() throws(JournalError) -> NewsPosition
    /// At most `limit` changes and as many notices.
    func news(after: NewsPosition, limit: Int) throws(JournalError) -> StoredNews
    /// Those of a channel, the oldest first.
    func outgoing(by channel: String, limit: Int) throws(JournalError) -> [OutgoingMessage]
    /// Prompts that were posted by a channel since then, the oldest first.
    func posts(by channel: String, since: Timestamp) throws(JournalError) -> [ChatPost]
    /// Those of a finding that drifted then or later.
    func tellings(of finding: String, since: Timestamp) throws(JournalError) -> [StoredTelling]
    /// In the order in which they were queued.
    func tellings(in state: Telling.State, limit: Int) throws(JournalError) -> [StoredTelling]
    func tellings(inMessage id: String) throws(JournalError) -> [StoredTelling]
    /// How many messages were made for one person alone since then.
    func messages(to person: String, since: Timestamp) throws(JournalError) -> Int
}
