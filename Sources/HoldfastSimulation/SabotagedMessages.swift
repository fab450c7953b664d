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
}
