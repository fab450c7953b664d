package import HoldfastJSON

/// What one person is to hear of one drift: that they made it, or that it is on what they answer for, and what will
/// happen unless they say why it should stay.
package struct Telling: Sendable, Hashable {
    /// What will happen.
    package enum Fate: Sendable, Hashable {
        /// It is fixed so long after they were told.
        case grace(Span)
        /// It is fixed when people have approved it.
        case approval
        /// It is fixed at once.
        case now
    }

    package enum State: String, Sendable, Hashable, CaseIterable {
        case waiting
        /// In a message that is on its way.
        case sent
        case told
        /// No channel took it, or there is none any more.
        case failed
    }

    package var finding: String
    /// `first.last`.
    package var person: String
    /// They made the change.
    package var isActor: Bool
    /// They answer for the resource.
    package var isOwner: Bool
    /// When it drifted, as the journal has it: each drift is told once.
    package var occasion: Timestamp
    package var resource: String
    /// Account and environment.
    package var place: String
    /// By the cloud's log.
    package var actor: String
    package var action: String
    package var happened: Timestamp
    /// What the fix does, as its playbook's title says it.
    package var fix: String
    package var severity: Severity
    package var fate: Fate
    package var queued: Timestamp

    package init(
        _ finding: Finding, to person: String, isActor: Bool, isOwner: Bool, occasion: Timestamp, fix: String,
        fate: Fate, queued: Timestamp
    ) {
        self.finding = finding.id
        self.person = person
        self.isActor = isActor
        self.isOwner = isOwner
        self.occasion = occasion
        resource = finding.resource.id
        place = "\(finding.context.account), \(finding.environment)"
        actor = finding.cause.chain.last ?? finding.cause.actor
        action = finding.cause.isBaseline ? "" : finding.cause.action
        happened = finding.cause.time
        self.fix = fix
        severity = finding.severity
        self.fate = fate
        self.queued = queued
    }
}

extension Telling {
    /// What is said in one sentence: of one drift, or of many that one person made by one call.
    ///
    /// - Parameters:
    ///   - count: how many drifts of that kind there are, this one among them.
    ///   - now: when it is said.
    package func sentence(count: Int, now: Timestamp) -> String {
        let others = count == 1 ? "" : " and \(count - 1) more"
        let what = "\(resource)\(others) (\(place))"
        let when = "at \(Telling.whole(happened)), \(ago(now)) ago"
        let fix = self.fix.prefix(1).lowercased() + self.fix.dropFirst()
        let whose = isActor ? "" : ", which you answer for"
        let did =
            action.isEmpty
            ? "\(what)\(whose) has drifted" : "\(isActor ? "You" : actor) did \(action) on \(what)\(whose), \(when)"
        switch fate {
        case .grace(let span):
            let end = Telling.whole(now + span)
            return "\(did); at \(end) it is mended (\(fix)) unless you say why it should stay."
        case .approval: return "\(did); it is mended (\(fix)) once that is approved, unless you say why it should stay."
        case .now: return "\(did); it is mended now (\(fix)). If it has to be so, say why, and it is undone."
        }
    }

    /// How to say why.
    package var way: String {
        fate == .now
            ? "To have it undone: holdfast undo, by an operator, with the run that `holdfast why \(finding)` names."
            : "To say why: holdfast object \(finding) --reason \"…\""
    }

    /// In whole seconds: people need no more.
    private static func whole(_ time: Timestamp) -> Timestamp {
        Timestamp(seconds: time.nanoseconds / 1_000_000_000)
    }

    private func ago(_ now: Timestamp) -> String {
        let seconds = max(0, now.since(happened).nanoseconds / 1_000_000_000)
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        default: return "\(seconds / 3600) h"
        }
    }

    /// What is told together.
    package var kind: [String] { [actor, action, fix, "\(isActor)", "\(isOwner)", "\(fate)"] }

    package var json: JSON {
        var object = JSONObject([
            ("finding", .string(finding)), ("person", .string(person)), ("actor", .bool(isActor)),
            ("owner", .bool(isOwner)), ("occasion", .string(occasion.description)), ("resource", .string(resource)),
            ("place", .string(place)), ("by", .string(actor)), ("action", .string(action)),
            ("happened", .string(happened.description)), ("fix", .string(fix)),
            ("severity", .string(severity.rawValue)), ("queued", .string(queued.description)),
        ])
        switch fate {
        case .grace(let span): object["grace"] = .string(span.phrase)
        case .approval: object["fate"] = "approval"
        case .now: object["fate"] = "now"
        }
        return .object(object)
    }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        guard let isActor = json["actor"]?.bool, let isOwner = json["owner"]?.bool,
            let occasion = Timestamp(text("occasion")), let happened = Timestamp(text("happened")),
            let queued = Timestamp(text("queued")), let severity = Severity(rawValue: text("severity"))
        else { return nil }
        if let span = json["grace"]?.string.flatMap({ Span($0) }) {
            fate = .grace(span)
        } else {
            fate = text("fate") == "approval" ? .approval : .now
        }
        finding = text("finding")
        person = text("person")
        self.isActor = isActor
        self.isOwner = isOwner
        self.occasion = occasion
        resource = text("resource")
        place = text("place")
        actor = text("by")
        action = text("action")
        self.happened = happened
        fix = text("fix")
        self.severity = severity
        self.queued = queued
    }
}

/// Makes one message of what one person is to hear.
package enum TellingMessage {
    /// Sentences of one message, each of one kind.
    private static let sentences = 10
    private static let named = 5

    /// - Parameter tellings: at least one, all of one person, in the order in which they came.
    package static func make(id: String, of tellings: [Telling], by reach: Reach, now: Timestamp) -> Message? {
        guard let first = tellings.first else { return nil }
        var kinds: [[String]] = []
        for telling in tellings where !kinds.contains(telling.kind) { kinds.append(telling.kind) }
        let groups = kinds.map { kind in tellings.filter { $0.kind == kind } }
        let said = groups.prefix(sentences).compactMap { group in
            group.first.map { (sentence: $0.sentence(count: group.count, now: now), way: $0.way) }
        }
        guard let title = said.first else { return nil }
        var lines = [title.way]
        for more in said.dropFirst() { lines += [more.sentence, more.way] }
        if groups.count > sentences { lines.append("And \(groups.count - sentences) things more.") }
        var message = Message(
            id: id, channel: reach.channel, kind: .personal, severity: tellings.map(\.severity).max() ?? first.severity,
            title: title.sentence, lines: lines, findings: Array(tellings.map(\.finding).prefix(named)),
            count: tellings.count, at: now)
        message.to = .init(person: first.person, address: reach.address)
        return message
    }
}
