package import HoldfastJSON

/// What goes out by one channel at one time: one finding, many that one thing caused, a notice, or a digest.
package struct Message: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Findings that one cause made by one rule.
        case findings
        case notice
        /// What did not have to be told at once, or would have been too much.
        case digest
        /// What one person made, or answers for, and what becomes of it.
        case personal
    }

    /// Whom alone it is for.
    package struct Recipient: Sendable, Hashable {
        /// `first.last`.
        package var person: String
        /// As the channel has it: an address, a member id; the person's name where the channel has no other.
        package var address: String
        package init(person: String, address: String) {
            self.person = person
            self.address = address
        }
    }
    /// `CHANNEL-N`: the same however often it is sent, so that who takes it twice can tell.
    package var id: String
    package var channel: String
    package var kind: Kind
    package var severity: Severity
    /// One line.
    package var title: String
    /// What else there is to say, a sentence each.
    package var lines: [String]
    /// Ids of findings, the first few.
    package var findings: [String]
    /// Findings that it is about, or notices.
    package var count: Int
    package var at: Timestamp
    /// `nil`: whoever the channel reaches.
    package var to: Recipient?

    package init(
        id: String, channel: String, kind: Kind, severity: Severity, title: String, lines: [String],
        findings: [String], count: Int, at: Timestamp
    ) {
        self.id = id
        self.channel = channel
        self.kind = kind
        self.severity = severity
        self.title = title
        self.lines = lines
        self.findings = findings
        self.count = count
        self.at = at
    }

    package var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("channel", .string(channel)), ("kind", .string(kind.rawValue)),
            ("severity", .string(severity.rawValue)), ("title", .string(title)),
            ("lines", .array(lines.map(JSON.string))), ("findings", .array(findings.map(JSON.string))),
            ("count", .number(JSONNumber(count))), ("at", .string(at.description)),
        ])
        if let to { object["to"] = ["person": .string(to.person), "address": .string(to.address)] }
        return .object(object)
    }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        guard let id = json["id"]?.string, let channel = json["channel"]?.string,
            let kind = json["kind"]?.string.flatMap(Kind.init),
            let severity = json["severity"]?.string.flatMap(Severity.init), let title = json["title"]?.string,
            let count = json["count"]?.int, let at = json["at"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        func texts(_ name: String) -> [String] { json[name]?.array?.compactMap(\.string) ?? [] }
        self.init(
            id: id, channel: channel, kind: kind, severity: severity, title: title, lines: texts("lines"),
            findings: texts("findings"), count: count, at: at)
        if let person = json["to"]?["person"]?.string, let address = json["to"]?["address"]?.string {
            to = Recipient(person: person, address: address)
        }
    }
}
