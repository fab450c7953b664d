internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// Messages go through as they are.
extension SabotagedJournal {
    func routing() throws(JournalError) -> (state: JSON, read: NewsPosition)? { try honest.routing() }
    func newestNews() throws(JournalError) -> NewsPosition { try honest.newestNews() }
    func news(after: NewsPosition, limit: Int) throws(JournalError) -> StoredNews {
        try honest.news(after: after, limit: limit)
    }
    func outgoing(by channel: String, limit: Int) throws(JournalError) -> [OutgoingMessage] {
        try honest.outgoing(by: channel, limit: limit)
    }
    func posts(by channel: String, since: Timestamp) throws(JournalError) -> [ChatPost] {
        try honest.posts(by: channel, since: since)
    }
    func tellings(of finding: String, since: Timestamp) throws(JournalError) -> [StoredTelling] {
        try honest.tellings(of: finding, since: since)
    }
    func tellings(in state: Telling.State, limit: Int) throws(JournalError) -> [StoredTelling] {
        try honest.tellings(in: state, limit: limit)
    }
    func tellings(inMessage id: String) throws(JournalError) -> [StoredTelling] {
        try honest.tellings(inMessage: id)
    }
    func messages(to person: String, since: Timestamp) throws(JournalError) -> Int {
        try honest.messages(to: person, since: since)
    }
}
