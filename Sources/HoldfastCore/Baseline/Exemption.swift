internal import HoldfastJSON

/// A breach that somebody has accepted for a time, with a name and a reason.
package struct Exemption: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case accepted, mitigated
        case falsePositive = "false-positive"
    }
    package var rule: String
    /// Ids, or patterns of ids with `*` and `?`.
    package var resources: [String]
    package var kind: Kind
    package var owner: String
    package var approver: String
    package var reason: String
    /// From this moment on it covers nothing.
    package var end: Timestamp
    package var place: SourcePlace

    /// The longest that an exemption may still have to run when it is loaded.
    package static let longest = Span(seconds: 366 * 86_400)

    /// A file of exemptions is one of these, or a list of them.
    package static let shape = Shape.oneOrMany(
        .record(
            .init("rule", .text, required: true, "The rule's id, or an id that it had."),
            .init("resources", .list(.text), required: true, "Ids of resources; * is any run of characters."),
            .init("kind", .word(Kind.allCases.map(\.rawValue)), required: true, "What is said of the breach."),
            .init("owner", .text, required: true, "Who answers for it."),
            .init("approver", .text, required: true, "Who agreed; another person than the owner."),
            .init("reason", .text, required: true, "Why it may stay."),
            .init("end", .text, required: true, "When it ends, at most a year from now: 2026-06-30.")))

    package func covers(_ resource: ResourceID) -> Bool {
        resources.contains { $0 == resource.id || TextPattern($0).matches(resource.id) }
    }

    /// Says nothing of whether it may be: for exemptions that were checked where they came from.
    package init(
        rule: String, resources: [String], kind: Kind, owner: String, approver: String, reason: String, end: Timestamp,
        place: SourcePlace = SourcePlace(file: "", line: 0, column: 0)
    ) {
        self.rule = rule
        self.resources = resources
        self.kind = kind
        self.owner = owner
        self.approver = approver
        self.reason = reason
        self.end = end
        self.place = place
    }

    /// Reads a checked node; `nil` with a problem where it says what may not be.
    init?(_ node: Node, now: Timestamp, _ problems: inout [Problem]) {
        let before = problems.count
        rule = node["rule"]?.text ?? ""
        resources = node["resources"]?.texts ?? []
        kind = node["kind"]?.text.flatMap(Kind.init) ?? .accepted
        owner = node["owner"]?.text ?? ""
        approver = node["approver"]?.text ?? ""
        reason = node["reason"]?.text ?? ""
        place = node.place
        end = .distantPast
        if owner.lowercased() == approver.lowercased() {
            problems.append(
                Problem(
                    "\"\(approver)\" owns this exemption and cannot approve it; another person must",
                    at: node["approver"]?.place ?? place))
        }
        if reason.allSatisfy(\.isWhitespace) {
            problems.append(Problem("an exemption needs a reason", at: node["reason"]?.place ?? place))
        }
        if resources.isEmpty {
            problems.append(Problem("an exemption names at least one resource", at: node["resources"]?.place ?? place))
        }
        let text = node["end"]?.text ?? ""
        if let moment = Timestamp(cloud: .string(text)) {
            end = moment
        } else {
            problems.append(
                Problem(
                    "\"\(text)\" is no time; write 2026-06-30 or 2026-06-30T12:00:00Z", at: node["end"]?.place ?? place)
            )
        }
        if end > now + Exemption.longest {
            let latest = (now + Exemption.longest).description.prefix(10)
            problems.append(
                Problem(
                    "it would end in more than a year; \(latest) is the latest now", at: node["end"]?.place ?? place))
        }
        if problems.count > before { return nil }
    }
}

extension Baseline {
    /// With exemptions that no data file has.
    package func exempting(_ exemptions: [Exemption]) -> Baseline {
        var baseline = self
        for exemption in exemptions {
            baseline.exemptions.append(exemption)
            baseline.exemptionsByRule[renamed[exemption.rule] ?? exemption.rule, default: []].append(exemption)
        }
        return baseline
    }
}
