internal import HoldfastCore
internal import HoldfastJSON

/// What would have been done, and what is due: for who decides whether a scope goes further.
extension Archive {
    /// The findings that were decided since then, each with what would have been done and what would have stopped it
    /// were the mode `remediate`. The most severe first.
    func dryRun(since: Timestamp) throws(JournalError) -> JSON {
        var rows: [Row] = []
        for decision in try journal.decisions(limit: .max) where decision.at >= since {
            guard let stored = try journal.finding(id: decision.finding), let finding = Finding(json: stored.body)
            else {
                continue
            }
            let plan = try journal.plan(finding: decision.finding)?.body["plan"]
            rows.append(Row(decision: decision, finding: finding, calls: plan?["steps"]?.array?.count ?? 0))
        }
        rows.sort { ($1.finding.severity, $0.finding.id) < ($0.finding.severity, $1.finding.id) }
        let groups = Dictionary(grouping: rows) { "\($0.decision.playbook)\n\($0.finding.environment)" }
        return [
            "since": .string(since.description), "findings": .number(JSONNumber(rows.count)),
            "calls": .number(JSONNumber(rows.filter(\.wouldBeDone).reduce(0) { $0 + $1.calls })),
            "by-playbook": .array(groups.keys.sorted().compactMap { groups[$0].map(Row.summary) }),
            "rows": .array(rows.map(\.json)),
        ]
    }

    private struct Row {
        var decision: Decision
        var finding: Finding
        var calls: Int

        /// A dry run stops at the mode, reads nothing again, and asks nobody.
        private static let leftOut: Set<GuardName> = [.mode, .preflight, .approvals]

        var stopper: GuardAnswer? { decision.stopper(leavingOut: Self.leftOut) }
        var needsApproval: Bool { decision.answers.contains { $0.name == .approvals && $0.word != .pass } }
        var wouldBeDone: Bool { stopper == nil }

        var json: JSON {
            [
                "finding": .string(finding.id), "rule": .string(finding.rule), "resource": .string(finding.resource.id),
                "severity": .string(finding.severity.rawValue), "environment": .string(finding.environment),
                "playbook": .string(decision.playbook), "plan": .string(decision.planDigest),
                "calls": .number(JSONNumber(calls)), "would-be-done": .bool(wouldBeDone),
                "needs-approval": .bool(wouldBeDone && needsApproval),
                "stopped-by": stopper.map { .string($0.name.rawValue) } ?? .null,
                "reason": stopper.map { .string($0.reason) } ?? .null,
            ]
        }

        static func summary(_ rows: [Row]) -> JSON {
            let done = rows.filter(\.wouldBeDone)
            let stopped = Dictionary(grouping: rows.compactMap(\.stopper?.name.rawValue)) { $0 }
            return [
                "playbook": .string(rows[0].decision.playbook), "environment": .string(rows[0].finding.environment),
                "findings": .number(JSONNumber(rows.count)), "would-be-done": .number(JSONNumber(done.count)),
                "need-approval": .number(JSONNumber(done.count(where: \.needsApproval))),
                "calls": .number(JSONNumber(done.reduce(0) { $0 + $1.calls })),
                "stopped-by": .object(
                    JSONObject(stopped.map { ($0.key, .number(JSONNumber($0.value.count))) })),
            ]
        }
    }

    /// The exemptions that end by then, of data files and of people, and what is proposed; the first to end first, each
    /// with what it silences or would silence.
    func exemptions(endingBy limit: Timestamp) throws(JournalError) -> [JSON] {
        let states: [Finding.State] = [.suppressed, .open, .stale]
        let findings = try journal.findings(states: states.map(\.rawValue))
        func row(_ exemption: Exemption, _ record: ExemptionRecord?) -> (Exemption, JSON) {
            let isProposed = record?.state == .proposed
            let rule = policy.baseline.rule(exemption.rule)?.id ?? exemption.rule
            let silenced = findings.filter { finding in
                finding.rule == rule && exemption.covers(finding.resource)
                    && (finding.state == Finding.State.suppressed.rawValue) != isProposed
            }
            var json = record?.json.object ?? exemption.json
            json["silences"] = .array(silenced.map { .string($0.id) })
            return (exemption, .object(json))
        }
        let files = policy.baseline.exemptions.filter { !$0.isGranted && $0.end <= limit }.map { row($0, nil) }
        let records = try journal.exemptions().filter { record in
            record.state == .proposed || record.state == .approved && record.exemption.end <= limit
        }.map { row($0.exemption, $0) }
        return (files + records).sorted { ($0.0.end, $0.0.rule, $0.0.place) < ($1.0.end, $1.0.rule, $1.0.place) }
            .map { $0.1 }
    }
}

extension Exemption {
    /// Of a data file.
    fileprivate var json: JSONObject {
        JSONObject([
            ("state", .string(ExemptionRecord.State.approved.rawValue)), ("rule", .string(rule)),
            ("resources", .array(resources.map(JSON.string))), ("kind", .string(kind.rawValue)),
            ("owner", .string(owner)), ("approver", .string(approver)), ("reason", .string(reason)),
            ("end", .string(end.description)), ("file", .string(place.description)),
        ])
    }
}
