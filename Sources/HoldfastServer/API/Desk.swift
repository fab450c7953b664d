internal import Foundation
internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// Does what people ask for, whichever way they ask: by the command line or by a page.
struct Desk: Sendable {
    let keeper: Keeper
    let archive: @Sendable () async -> Archive
    let rules: AccessRules
    let now: @Sendable () -> Timestamp

    /// A person's word on plans or campaigns.
    ///
    /// - Parameter digests: whole, or as much of each as tells it from the others.
    /// - Returns: the whole digests.
    func say(
        _ word: Approval.Word, on digests: [String], by caller: Caller, reason: String, until: Timestamp? = nil
    ) async throws(Refusal) -> [String] {
        let person = try rules.person(caller, .decide)
        var whole: [String] = []
        for digest in digests { whole.append(try await self.whole(digest)) }
        if let until, until <= now() || until > now() + Span(seconds: 7 * 86_400) {
            throw .malformed("a plan is held for a week at most, and not into the past")
        }
        let all = whole
        try await ask { () throws(DeskRefusal) in
            try await keeper.say(word, on: all, by: person, reason: reason, until: until, now: now())
        }
        return whole
    }

    private func whole(_ digest: String) async throws(Refusal) -> String {
        do throws(QueryError) {
            guard case .one(let json) = try await archive().answer(.planOf(digest: digest)),
                let whole = json["digest"]?.string
            else { throw QueryError(.unknown, "there is no plan \(digest)") }
            return whole
        } catch {
            throw Refusal(error)
        }
    }

    func halt(_ part: String, by caller: Caller, reason: String) async throws(Refusal) -> Halt.Part {
        let person = try rules.person(caller, .operate)
        let part = try self.part(part)
        try await ask { () throws(DeskRefusal) in
            try await keeper.halt(part, by: person, reason: reason, now: now())
        }
        return part
    }

    func resume(_ part: String, by caller: Caller, reason: String) async throws(Refusal) -> Halt.Part {
        let person = try rules.person(caller, .operate)
        let part = try self.part(part)
        try await ask { () throws(DeskRefusal) in
            try await keeper.resume(part, by: person, reason: reason, now: now())
        }
        return part
    }

    private func part(_ text: String) throws(Refusal) -> Halt.Part {
        guard let part = Halt.Part(text) else {
            throw .malformed("\"\(printable(text))\" is nothing that can be halted: \(Halt.Part.forms)")
        }
        return part
    }

    /// - Parameter accept: the digest of a difference that the caller was shown; empty: none.
    func undo(_ run: String, by caller: Caller, reason: String, accepting accept: String) async throws(Refusal) {
        let person = try rules.person(caller, .operate)
        try await ask { () throws(DeskRefusal) in
            try await keeper.undo(run, by: person, reason: reason, accepting: accept, now: now())
        }
    }

    /// - Returns: who has opened it so far.
    func open(
        _ playbook: String, in environment: String, by caller: Caller, reason: String
    ) async throws(Refusal) -> [String] {
        let person = try rules.person(caller, .administer)
        return try await ask { () throws(DeskRefusal) in
            try await keeper.open(playbook, in: environment, by: person, reason: reason, now: now())
        }
    }

    func propose(
        _ playbook: String, scope text: String, wave: Int, by caller: Caller, reason: String
    ) async throws(Refusal) -> Campaign {
        let person = try rules.person(caller, .operate)
        guard let scope = Scope(text) else {
            throw .malformed("\"\(printable(text))\" is no scope: \(Scope.forms)")
        }
        return try await ask { () throws(DeskRefusal) in
            try await keeper.propose(
                playbook, scope: scope, scopeText: text, wave: wave, by: person, reason: reason, now: now())
        }
    }

    func drill(_ playbook: String, on resource: String, by caller: Caller) async throws(Refusal) -> Drill {
        let person = try rules.person(caller, .operate)
        return try await ask { () throws(DeskRefusal) in
            try await keeper.drill(playbook, on: resource, by: person, now: now())
        }
    }

    func acknowledge(_ finding: String, by caller: Caller, note: String) async throws(Refusal) {
        let person = try rules.person(caller, .operate)
        try await ask { () throws(DeskRefusal) in
            try await keeper.acknowledge(finding, by: person, note: note, now: now())
        }
    }

    func assign(_ finding: String, to assignee: String, by caller: Caller, note: String) async throws(Refusal) {
        let person = try rules.person(caller, .operate)
        try await ask { () throws(DeskRefusal) in
            try await keeper.assign(finding, to: assignee, by: person, note: note, now: now())
        }
    }

    /// Who made a change, or answers for what it is on, may say why it should stay; an operator may for anything.
    func object(to finding: String, by caller: Caller, reason: String) async throws(Refusal) {
        let person = try rules.named(caller)
        let isOperator = rules.may(caller, .operate) || rules.may(caller, .decide)
        try await ask { () throws(DeskRefusal) in
            try await keeper.object(to: finding, by: person, isOperator: isOperator, reason: reason, now: now())
        }
    }

    func withdraw(objectionTo finding: String, by caller: Caller, reason: String) async throws(Refusal) {
        let person = try rules.named(caller)
        try await ask { () throws(DeskRefusal) in
            try await keeper.withdraw(objectionTo: finding, by: person, reason: reason, now: now())
        }
    }

    func ask<T>(_ body: () async throws(DeskRefusal) -> T) async throws(Refusal) -> T {
        do throws(DeskRefusal) { return try await body() } catch {
            throw Refusal(error)
        }
    }

    /// The next 08:00 by the server's clock, for who wants to sleep on it.
    static func morning(after now: Timestamp, in zone: TimeZone = .current) -> Timestamp {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let date = Date(timeIntervalSince1970: Double(now.nanoseconds) / 1e9)
        let next = calendar.nextDate(
            after: date, matching: DateComponents(hour: 8, minute: 0, second: 0), matchingPolicy: .nextTime)
        return next.map { Timestamp(seconds: Int64($0.timeIntervalSince1970)) } ?? now + Span(seconds: 12 * 3600)
    }
}

extension Refusal {
    init(_ refusal: DeskRefusal) {
        switch refusal.kind {
        case .unknown: self = .notFound(refusal.message)
        case .forbidden: self = .forbidden(refusal.message)
        case .impossible: self = .conflict(refusal.message)
        case .failed: self = Refusal(503, "journal-failed", refusal.message, retryAfter: 10)
        }
        difference = refusal.conflict?.json
    }
}
