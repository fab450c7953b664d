internal import HoldfastJSON

/// Decides which messages go out: gathers what one thing caused, holds each channel to its pace, and puts the rest into
/// digests. Nothing that a route wants told is lost: what is too much for a message of its own is counted in a digest.
package struct Routing: Sendable {
    package var settings: RouteSettings
    package private(set) var state: State

    package init(_ settings: RouteSettings, state: State = State()) {
        self.settings = settings
        self.state = state
    }

    /// What has to be kept from one look to the next.
    package struct State: Sendable, Hashable {
        /// By channel.
        var channels: [String: ChannelState] = [:]
        package init() {}
    }

    struct ChannelState: Sendable, Hashable {
        /// In the order in which they began; at most ``Routing/groupLimit``.
        var groups: [Group] = []
        var digest: Digest?
        /// When messages that count were made, within the last hour.
        var made: [Timestamp] = []
        /// Of the last message.
        var number = 0
    }

    /// Findings by one rule and cause, or notices of one code, that will be one message.
    struct Group: Sendable, Hashable {
        struct Key: Sendable, Hashable {
            /// A rule's id or a notice's code.
            var what: String
            var environment: String
            /// Who did it, and by which call; empty where no event says so.
            var actor: String
            var action: String
        }
        var key: Key
        var kind: Message.Kind
        var severity: Severity
        var title: String
        var type: String
        var count = 0
        /// The first few.
        var names: [String] = []
        var findings: [String] = []
        var first: Timestamp
        var last: Timestamp
    }

    struct Digest: Sendable, Hashable {
        struct Row: Sendable, Hashable {
            var what: String
            var environment: String
            var title: String
            var severity: Severity
            var count: Int
        }
        var rows: [Row] = []
        /// What no row had room for.
        var others = 0
        var due: Timestamp
    }

    static let groupLimit = 200
    static let rowLimit = 100
    static let named = 5
    static let hour = Span(seconds: 3600)

    /// Takes in what happened, and says what goes out now.
    package mutating func next(_ news: [News], now: Timestamp) -> [Message] {
        // What a channel that is gone still had to say has nobody to say it to.
        state.channels = state.channels.filter { settings.channels[$0.key] != nil }
        var messages: [Message] = []
        for item in news { messages += take(item, now) }
        for (name, pace) in settings.channels.sorted(by: { $0.key < $1.key }) {
            guard var channel = state.channels[name] else { continue }
            messages += channel.due(name, pace, now)
            state.channels[name] = channel
        }
        return messages
    }

    /// - Returns: what is told before anything else.
    private mutating func take(_ news: News, _ now: Timestamp) -> [Message] {
        switch news {
        case .finding(let finding, let title, let owner):
            guard let route = settings.routes.first(where: { $0.fits(finding, owner: owner) }) else { return [] }
            // What was so before anybody looked is no alarm.
            let when = route.when == .now && finding.origin == .backlog ? .digest : route.when
            add(Group(finding, title, at: now), to: route.channels, when, now)
        case .notice(let code, let subject, let text, let isOwnEyes):
            guard let route = settings.routes.first(where: { $0.fits(notice: code, isOwnEyes: isOwnEyes) }) else {
                return []
            }
            let group = Group(notice: code, subject, text, isOwnEyes ? .critical : .high, at: now)
            guard isOwnEyes, route.when == .now else {
                add(group, to: route.channels, route.when, now)
                return []
            }
            return route.channels.filter { settings.channels[$0] != nil }.map { channel in
                state.channels[channel, default: ChannelState()].message(group, for: channel, now)
            }
        }
        return []
    }

    private mutating func add(_ group: Group, to channels: [String], _ when: Route.When, _ now: Timestamp) {
        guard when != .never else { return }
        for name in channels {
            guard let pace = settings.channels[name] else { continue }
            var channel = state.channels[name, default: ChannelState()]
            if when == .digest || !channel.gather(group) { channel.put(group, due: now + pace.digestEvery) }
            state.channels[name] = channel
        }
    }
}

extension Routing.Group {
    fileprivate init(_ finding: Finding, _ title: String, at now: Timestamp) {
        let cause = finding.cause
        key = Key(
            what: finding.rule, environment: finding.environment, actor: cause.chain.last ?? cause.actor,
            action: cause.action)
        kind = .findings
        severity = finding.severity
        self.title = title
        type = finding.resource.type
        count = 1
        names = [finding.resource.id]
        findings = [finding.id]
        first = now
        last = now
    }

    fileprivate init(notice code: String, _ subject: String, _ text: String, _ severity: Severity, at now: Timestamp) {
        key = Key(what: code, environment: "", actor: "", action: "")
        kind = .notice
        self.severity = severity
        title = code
        type = ""
        count = 1
        names = ["\(subject): \(text)"]
        first = now
        last = now
    }

    fileprivate mutating func join(_ other: Self) {
        count += other.count
        severity = max(severity, other.severity)
        names = Array((names + other.names).prefix(Routing.named))
        findings = Array((findings + other.findings).prefix(Routing.named))
        last = other.last
    }

    fileprivate var by: String { key.actor.isEmpty ? "" : " by \(key.actor) with \(key.action)" }

    fileprivate var summary: String {
        switch kind {
        case .findings where count == 1:
            "\(severity.rawValue) in \(key.environment): \(names.first ?? "") no longer meets \"\(title)\"\(by)"
        case .findings:
            "\(severity.rawValue) in \(key.environment): \(count) of \(type) no longer meet \"\(title)\", all\(by)"
        case .notice, .digest, .personal: count == 1 ? "\(title): \(names.first ?? "")" : "\(title): \(count) notices"
        }
    }
}

extension Routing.ChannelState {
    /// - Returns: `false` where there is no room for another group.
    fileprivate mutating func gather(_ group: Routing.Group) -> Bool {
        if let index = groups.firstIndex(where: { $0.key == group.key }) {
            groups[index].join(group)
            return true
        }
        guard groups.count < Routing.groupLimit else { return false }
        groups.append(group)
        return true
    }

    fileprivate mutating func put(_ group: Routing.Group, due: Timestamp) {
        var digest = digest ?? Routing.Digest(due: due)
        digest.due = min(digest.due, due)
        let isSame = { (row: Routing.Digest.Row) in
            row.what == group.key.what && row.environment == group.key.environment
        }
        if let index = digest.rows.firstIndex(where: isSame) {
            digest.rows[index].count += group.count
            digest.rows[index].severity = max(digest.rows[index].severity, group.severity)
        } else if digest.rows.count < Routing.rowLimit {
            digest.rows.append(
                .init(
                    what: group.key.what, environment: group.key.environment, title: group.title,
                    severity: group.severity, count: group.count))
        } else {
            digest.others += group.count
        }
        self.digest = digest
    }

    fileprivate mutating func message(_ group: Routing.Group, for channel: String, _ now: Timestamp) -> Message {
        number += 1
        var lines = group.count > 1 ? group.names : []
        if group.count > lines.count, !lines.isEmpty { lines.append("and \(group.count - lines.count) more") }
        return Message(
            id: "\(channel)-\(number)", channel: channel, kind: group.kind, severity: group.severity,
            title: group.summary, lines: lines, findings: group.findings, count: group.count, at: now)
    }

    private mutating func message(_ digest: Routing.Digest, for channel: String, _ now: Timestamp) -> Message {
        number += 1
        let rows = digest.rows.sorted { ($1.severity, $1.count, $0.what) < ($0.severity, $0.count, $1.what) }
        let count = rows.reduce(digest.others) { $0 + $1.count }
        var lines = rows.map { row in
            let place = row.environment.isEmpty ? "" : " in \(row.environment)"
            return "\(row.count) \(row.severity.rawValue)\(place): \(row.title) (\(row.what))"
        }
        if digest.others > 0 { lines.append("\(digest.others) others") }
        return Message(
            id: "\(channel)-\(number)", channel: channel, kind: .digest, severity: rows.first?.severity ?? .low,
            title: "Digest: \(count) \(count == 1 ? "finding or notice" : "findings and notices")", lines: lines,
            findings: [], count: count, at: now)
    }

    /// What is due goes out while there is room in the hour; groups for which there is none go into a digest, which is
    /// due as soon as there is room again.
    fileprivate mutating func due(_ name: String, _ pace: ChannelPace, _ now: Timestamp) -> [Message] {
        made.removeAll { $0 + Routing.hour <= now }
        var messages: [Message] = []
        if let ready = digest, ready.due <= now, made.count < pace.perHour {
            messages.append(message(ready, for: name, now))
            made.append(now)
            digest = nil
        }
        let longest = Span(nanoseconds: pace.gather.nanoseconds &* ChannelPace.longestGather)
        let ready = groups.filter { min($0.last + pace.gather, $0.first + longest) <= now }
        groups.removeAll { group in ready.contains { $0.key == group.key } }
        for group in ready.sorted(by: { ($1.severity, $0.first) < ($0.severity, $1.first) }) {
            if made.count < pace.perHour {
                messages.append(message(group, for: name, now))
                made.append(now)
            } else {
                put(group, due: (made.first ?? now) + Routing.hour)
            }
        }
        return messages
    }
}
