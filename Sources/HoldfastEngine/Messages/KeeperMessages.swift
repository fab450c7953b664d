package import HoldfastCore
internal import HoldfastJSON

/// What is told to people, and whether it reached them.
extension Keeper {
    /// Messages are about what happens from now on, or since the last service of this journal stopped.
    package func beginRouting(now: Timestamp) throws(JournalError) {
        guard try journal.routing() == nil else { return }
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.messages.routing = (Routing.State().json, try journal.newestNews())
        try commit(step, lease: nil)
    }

    /// Looks at what happened since the last look, and writes down what goes out.
    ///
    /// - Returns: whether there is more to look at.
    package func route(now: Timestamp) throws(JournalError) -> Bool {
        var routing: Routing
        var read: NewsPosition
        if let known = memory.routing {
            (routing, read) = known
        } else {
            guard let stored = try journal.routing() else { return false }
            guard let state = Routing.State(json: stored.state) else {
                throw JournalError(.corrupt, "what was gathered for messages is damaged in the journal")
            }
            routing = Routing(policy.messages, state: state)
            read = stored.read
        }
        routing.settings = policy.messages
        let news = try journal.news(after: read, limit: Keeper.newsAtOnce)
        let planted = Set(try journal.openDrills().map(\.finding))
        let before = routing.state
        let messages = routing.next(
            news.findings.compactMap(opening).filter { !$0.isAbout(planted) }
                + news.notices.map { Keeper.news($0.notice) }, now: now)
        read.finding = news.findings.last?.sequence ?? read.finding
        read.notice = news.notices.last?.sequence ?? read.notice
        memory.routing = (routing, read)
        guard !news.findings.isEmpty || !news.notices.isEmpty || routing.state != before else { return false }
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.messages.routing = (routing.state.json, read)
        step.transaction.messages.outgoing = messages.map { OutgoingMessage(message: $0, due: now) }
        do {
            try commit(step, lease: nil)
        } catch {
            // What was not written was not decided.
            memory.routing = nil
            throw error
        }
        return max(news.findings.count, news.notices.count) == Keeper.newsAtOnce
    }

    /// Changes that are looked at in one transaction.
    static let newsAtOnce = 2000
    /// A message that nobody took for so long is given up.
    static let messageLife = Span(seconds: 86_400)

    private func opening(_ row: (sequence: Int64, change: String, body: JSON)) -> News? {
        let isOpening = [FindingChange.opened, .reopened].contains { $0.rawValue == row.change }
        guard isOpening, let finding = Finding(json: row.body) else { return nil }
        return .finding(
            finding, title: policy.baseline.rule(finding.rule)?.title ?? finding.rule,
            owner: policy.classification.owner(of: finding.context))
    }

    private static func news(_ notice: Notice) -> News {
        .notice(
            code: notice.code, subject: notice.subject, text: notice.text,
            isOwnEyes: NoticeCode(rawValue: notice.code)?.isOwnEyes ?? false)
    }

    /// What goes out next by a channel, if it is due: one that nobody took holds up those behind it.
    package func nextMessage(by channel: String, now: Timestamp) throws(JournalError) -> OutgoingMessage? {
        try journal.outgoing(by: channel, limit: 1).first { $0.due <= now }
    }

    /// A channel took a message.
    package func told(_ message: Message, now: Timestamp) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.messages.done = [message.id]
        step.transaction.closedNotices = [
            NoticeClosing(code: NoticeCode.messageFailed.rawValue, subject: message.channel, at: now)
        ]
        step.transaction.audit = [audit("told", message, "", now)]
        try settle(message, as: .told, in: &step)
        try commit(step, lease: nil)
    }

    /// A channel did not take a message: tried again after a while that doubles, up to five minutes, for a day.
    package func untold(_ sent: OutgoingMessage, _ why: String, now: Timestamp) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        let message = sent.message
        step.transaction.notices = [
            Notice(
                code: NoticeCode.messageFailed.rawValue, subject: message.channel,
                text: "it does not take messages, the first since \(message.at): \(why)", raised: now)
        ]
        if now.since(message.at).nanoseconds > Keeper.messageLife.nanoseconds {
            step.transaction.messages.done = [message.id]
            step.transaction.audit = [audit("message-given-up", message, why, now)]
            try settle(message, as: .failed, in: &step)
        } else {
            var again = sent
            again.attempts += 1
            again.due = now + Span(seconds: min(1 << min(again.attempts, 10), 300))
            step.transaction.messages.outgoing = [again]
        }
        try commit(step, lease: nil)
    }

    private func audit(_ kind: String, _ message: Message, _ why: String, _ now: Timestamp) -> AuditEntry {
        AuditEntry(
            kind: kind, at: now,
            body: [
                "message": .string(message.id), "channel": .string(message.channel),
                "title": .string(message.title), "count": .number(JSONNumber(message.count)), "reason": .string(why),
                "person": .string(message.to?.person ?? ""),
            ])
    }
}

extension News {
    /// Whether it is about one of these findings.
    fileprivate func isAbout(_ findings: Set<String>) -> Bool {
        if case .finding(let finding, _, _) = self { findings.contains(finding.id) } else { false }
    }
}
