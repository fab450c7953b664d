internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import Hummingbird

/// `POST /api/v1/exemptions/…`
extension DeskRoutes {
    /// What an exemption would silence; nothing is written.
    func previewExemption(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let exemption = Exemption(
            rule: try wish.text("rule"), resources: try wish.texts("resources"), kind: .accepted, owner: "",
            approver: "", reason: "", end: .distantFuture)
        try wish.finish()
        let found = try await desk.silenced(by: exemption, for: try caller(visit))
        return done(Self.sentence(found.count, "it would silence"), Self.silences(found))
    }

    func exempt(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let caller = try caller(visit)
        let text = try wish.optional("kind") ?? Exemption.Kind.accepted.rawValue
        guard let kind = Exemption.Kind(rawValue: text) else {
            let known = Exemption.Kind.allCases.map(\.rawValue)
            throw Refusal.malformed("unknown kind \"\(printable(text))\"\(suggestion(for: text, among: known))")
        }
        let (rule, resources) = (try wish.text("rule"), try wish.texts("resources"))
        let owner = try wish.optional("owner") ?? caller.name
        let end = try wish.text("end")
        guard let moment = Timestamp(cloud: .string(end)) else {
            throw Refusal.malformed("\"\(printable(end))\" is no time; write 2026-06-30 or 2026-06-30T12:00:00Z")
        }
        let exemption = Exemption(
            rule: rule, resources: resources, kind: kind, owner: owner, approver: "", reason: try wish.reason(),
            end: moment)
        try wish.finish()
        let (record, found) = try await desk.propose(exemption, by: caller)
        var more = Self.silences(found)
        more["exemption"] = record.json
        return done(
            "\(record.id) is proposed: \(Self.sentence(found.count, "it would silence")); another person agrees to it: "
                + "`holdfast exempt --approve \(record.id)`", more)
    }

    /// `approve`, `refuse` or `withdraw`.
    func sayOnExemption(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (id, word) = (try visit.parameters.require("id"), try visit.parameters.require("word"))
        let states: [String: ExemptionRecord.State] = [
            "approve": .approved, "refuse": .refused, "withdraw": .withdrawn,
        ]
        guard let state = states[word] else { throw Refusal.notFound("an exemption is approved, refused or withdrawn") }
        let reason = state == .approved ? try wish.optional("reason") ?? "" : try wish.reason()
        try wish.finish()
        let count = try await desk.say(state, onExemption: id, by: try caller(visit), reason: reason)
        let what = state == .approved ? "it silences" : "it silenced"
        return done("\(id) is \(state.rawValue): \(Self.sentence(count, what))")
    }

    private static func sentence(_ count: Int, _ what: String) -> String {
        "\(what) \(count) finding\(count == 1 ? "" : "s")"
    }

    private static func silences(_ findings: [Finding]) -> JSONObject {
        JSONObject([
            (
                "silences",
                .array(
                    findings.map { finding in
                        [
                            "id": .string(finding.id), "severity": .string(finding.severity.rawValue),
                            "resource": .string(finding.resource.id), "since": .string(finding.since.description),
                        ]
                    })
            )
        ])
    }
}

extension Desk {
    func silenced(by exemption: Exemption, for caller: Caller) async throws(Refusal) -> [Finding] {
        try rules.check(caller, .read)
        return try await ask { () throws(DeskRefusal) in try await keeper.silenced(by: exemption) }
    }

    func propose(
        _ exemption: Exemption, by caller: Caller
    ) async throws(Refusal) -> (record: ExemptionRecord, silences: [Finding]) {
        let person = try rules.person(caller, .operate)
        return try await ask { () throws(DeskRefusal) in
            try await keeper.propose(exemption, by: person, now: now())
        }
    }

    /// To take one back makes things stricter, and takes less than to agree to it.
    func say(
        _ state: ExemptionRecord.State, onExemption id: String, by caller: Caller, reason: String
    ) async throws(Refusal) -> Int {
        let person = try rules.person(caller, state == .withdrawn ? .operate : .administer)
        return try await ask { () throws(DeskRefusal) in
            try await keeper.say(state, onExemption: id, by: person, reason: reason, now: now())
        }
    }
}
