internal import HoldfastCrypto
package import HoldfastJSON

/// What people are told of a plan that waits for them.
package struct Prompt: Sendable, Hashable {
    package var digest: String
    package var finding: String
    package var resource: ResourceID
    package var environment: String
    package var severity: Severity
    package var risk: PlaybookRisk
    /// Who did what, when, through what; what is exposed; what the fix does.
    package var sentence: String
    /// What may break, each a sentence.
    package var mayBreak: [String]
    package var calls: [String]
    /// `path`, before, after.
    package var changes: [Change]
    package var undo: String
    package var evidence: String
    package var needed: Int
    /// Roles that may decide.
    package var roles: [String]

    package struct Change: Sendable, Hashable {
        package var path: String
        package var before: String
        package var after: String
        package init(path: String, before: String, after: String) {
            self.path = path
            self.before = before
            self.after = after
        }
    }

    package var json: JSON {
        [
            "digest": .string(digest), "finding": .string(finding), "resource": .string(resource.id),
            "type": .string(resource.type), "environment": .string(environment),
            "severity": .string(severity.rawValue), "risk": .string(risk.rawValue), "sentence": .string(sentence),
            "may-break": .array(mayBreak.map(JSON.string)), "calls": .array(calls.map(JSON.string)),
            "changes": .array(
                changes.map {
                    ["path": .string($0.path), "before": .string($0.before), "after": .string($0.after)]
                }),
            "undo": .string(undo), "evidence": .string(evidence), "needed": .number(JSONNumber(needed)),
            "roles": .array(roles.map(JSON.string)),
        ]
    }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        guard let digest = json["digest"]?.string, let finding = json["finding"]?.string,
            let resource = json["resource"]?.string, let type = json["type"]?.string,
            let environment = json["environment"]?.string,
            let severity = json["severity"]?.string.flatMap(Severity.init),
            let risk = json["risk"]?.string.flatMap(PlaybookRisk.init), let sentence = json["sentence"]?.string,
            let undo = json["undo"]?.string, let evidence = json["evidence"]?.string
        else { return nil }
        func texts(_ name: String) -> [String] { json[name]?.array?.compactMap(\.string) ?? [] }
        self.digest = digest
        self.finding = finding
        self.resource = ResourceID(type: type, id: resource)
        self.environment = environment
        self.severity = severity
        self.risk = risk
        self.sentence = sentence
        self.undo = undo
        self.evidence = evidence
        mayBreak = texts("may-break")
        calls = texts("calls")
        roles = texts("roles")
        needed = json["needed"]?.int ?? 1
        changes = (json["changes"]?.array ?? []).map {
            Change(
                path: $0["path"]?.string ?? "", before: $0["before"]?.string ?? "", after: $0["after"]?.string ?? "")
        }
    }

    /// - Parameters:
    ///   - rule: the rule's title.
    ///   - dependants: names of resources that refer to this one; `nil` where that is not known.
    package init(
        finding: Finding, rule: String, plan: Plan, dependants: [String]?, evidenceAt: Timestamp?, needed: Int,
        roles: [String]
    ) {
        digest = plan.digest.description
        self.finding = finding.id
        resource = plan.resource
        environment = finding.environment
        severity = finding.severity
        risk = plan.risk
        sentence = Prompt.sentence(finding, rule, plan)
        mayBreak = Prompt.mayBreak(plan, dependants)
        calls = plan.steps.map { $0.call.name }
        changes = plan.edits.flatMap { edit in
            edit.changes.map { change in
                Change(
                    path: PropertyPath(edit.section.steps + change.path.steps).description,
                    before: change.before?.canonicalText ?? "", after: change.after?.canonicalText ?? "")
            }
        }
        if changes.isEmpty {
            changes = finding.offending.map {
                Change(path: $0.path.description, before: $0.actual.canonicalText, after: $0.expected)
            }
        }
        undo = plan.undo.description
        evidence = evidenceAt.map { "read from the cloud, as of \($0)" } ?? "reported by an event, not yet read"
        self.needed = needed
        self.roles = roles
    }

    private static func sentence(_ finding: Finding, _ rule: String, _ plan: Plan) -> String {
        let what = "\(plan.resource.id) in \(finding.context.account) (\(finding.environment))"
        let who =
            finding.cause.isBaseline
            ? "\(what) does not meet \"\(rule)\", and no event says who made it so"
            : "\(finding.cause.chain.last ?? finding.cause.actor) did \(finding.cause.action) at "
                + "\(finding.cause.time), and \(what) no longer meets \"\(rule)\""
        let exposed = finding.offending.prefix(2).map { offending -> String in
            let path = offending.path.isRoot ? "" : "\(offending.path) is "
            return "\(path)\(String(offending.actual.canonicalText.prefix(80)))"
        }.joined(separator: " and ")
        let fix = "the fix: \(plan.title.prefix(1).lowercased() + plan.title.dropFirst())"
        return exposed.isEmpty ? "\(who); \(fix)." : "\(who): \(exposed); \(fix)."
    }

    private static func mayBreak(_ plan: Plan, _ dependants: [String]?) -> [String] {
        var lines: [String] = []
        if let dependants {
            if dependants.isEmpty {
                lines.append("Nothing that is known refers to it.")
            } else {
                let more = dependants.count > 5 ? " and \(dependants.count - 5) more" : ""
                lines.append("\(dependants.prefix(5).joined(separator: ", "))\(more) refer to it.")
            }
        } else {
            lines.append("What depends on it is not known.")
        }
        return lines + plan.warnings.map { "\($0.prefix(1).uppercased() + $0.dropFirst())." }
    }
}
