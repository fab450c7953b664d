import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import Synchronization

/// Shows how a long run goes: one line that moves on a terminal, a line now and then in a log.
final class Progress: Sendable {
    private let quiet: Bool
    private let last = Mutex(Timestamp.distantPast)

    init(quiet: Bool) { self.quiet = quiet }

    func tell(_ happening: Happening) {
        switch happening {
        case .batch(_, _, let totals): batch(totals)
        case .sourceFailed(let source, let error): Output.error("\(source): \(error.message)")
        case .readFailed, .sourceEnded: break
        case .drained: if Output.errorIsTerminal, !quiet { Output.error("") }
        }
    }

    private func batch(_ totals: Keeper.Totals) {
        guard !quiet else { return }
        let now = SystemWallClock.now
        let pause = Span(nanoseconds: Output.errorIsTerminal ? 200_000_000 : 5_000_000_000)
        let isDue = last.withLock { last in
            guard now.since(last).nanoseconds >= pause.nanoseconds else { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let line = "\(totals.records) records, \(totals.events) changes, \(totals.evaluations) evaluations"
        let bytes = Output.errorIsTerminal ? "\r\(line)\u{1B}[K" : "\(line)\n"
        FileHandle.standardError.write(Data(bytes.utf8))
    }
}

/// What a run came to, in five sentences that a person understands.
struct Summary {
    let lines: [String]

    /// - Parameter writes: some scope is in `mode: remediate`, so that guards decide what is done.
    init(journal: any Journal, totals: Keeper.Totals, writes: Bool) throws {
        let live = try journal.findings(states: [Finding.State.open.rawValue, Finding.State.stale.rawValue])
            .compactMap { Finding(json: $0.body) }
            .sorted { ($1.severity, $0.since, $0.id) < ($0.severity, $1.since, $1.id) }
        lines = [
            Summary.cameIn(totals), try Summary.changed(journal, totals), Summary.drifted(live), Summary.who(live),
            try Summary.wouldBeDone(journal, live, writes),
        ]
    }

    private static func cameIn(_ totals: Keeper.Totals) -> String {
        let seen = totals.events + totals.dropped + totals.duplicates + totals.sessions
        var text =
            "\(counted(seen, "event")) came in: \(counted(totals.events, "change")), "
            + "\(totals.dropped) that change nothing (reads, failures), \(counted(totals.sessions, "session"))"
        if totals.duplicates > 0 { text += ", \(totals.duplicates) seen before" }
        text +=
            totals.deadLetters == 0
            ? "; every record could be read."
            : "; \(counted(totals.deadLetters, "record")) could not be read and wait as dead letters."
        return text
    }

    private static func changed(_ journal: any Journal, _ totals: Keeper.Totals) throws -> String {
        var count = 0
        var accounts: Set<String> = []
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 500)
            guard let end = page.last else { break }
            count += page.count
            for row in page { accounts.insert("\(row.context.cloud.rawValue) \(row.context.account)") }
            last = end.resource
        }
        var text = "\(counted(count, "resource")) in \(counted(accounts.count, "account")) changed"
        if totals.unknownOperations > 0 {
            text +=
                "; \(counted(totals.unknownOperations, "change")) are of operations that the catalog does not know "
                + "(`holdfast catalog missing`)"
        }
        return text + "."
    }

    private static func drifted(_ live: [Finding]) -> String {
        guard let worst = live.first else { return "Nothing drifted: no rule that could be judged is broken." }
        let drift = live.filter { $0.origin == .drift }.count
        return
            "\(counted(live.count, "finding")) \(live.count == 1 ? "is" : "are") open (\(drift) drifted under "
            + "our eyes, "
            + "\(live.count - drift) may have been so before); the worst is \(worst.severity.rawValue): "
            + "\(worst.rule) on "
            + "\(worst.resource.id)."
    }

    private static func who(_ live: [Finding]) -> String {
        guard let worst = live.first, !worst.cause.isBaseline else {
            return "Nobody did it in the events that came in."
        }
        let chain = worst.cause.chain.isEmpty ? "" : ", a session of \(worst.cause.chain.joined(separator: ", of "))"
        let actors = Set(live.map(\.cause.actor)).subtracting([""])
        let others = actors.count > 1 ? "; \(counted(actors.count, "actor")) in all" : ""
        return "It was done by \(worst.cause.actor)\(chain) with \(worst.cause.action) at \(worst.cause.time)\(others)."
    }

    private static func wouldBeDone(_ journal: any Journal, _ live: [Finding], _ writes: Bool) throws -> String {
        let planned = try live.filter { try journal.plan(finding: $0.id)?.digest.isEmpty == false }
        guard let first = planned.first, let plan = try journal.plan(finding: first.id) else {
            return
                "Nothing would be done: no playbook has a plan for what is open; `holdfast findings --open` lists it."
        }
        let calls =
            plan.body["plan"]?["steps"]?.array?.compactMap { $0["call"]?["name"]?.string ?? $0["call"]?.string } ?? []
        if writes {
            return "\(counted(planned.count, "plan")) for what is open: `holdfast why \(first.id)` says what the first "
                + "waits for, and `holdfast runs` what was done."
        }
        return "\(counted(planned.count, "plan")) would be carried out, and none is, for this is a dry run; the first "
            + "calls \(calls.isEmpty ? "nothing" : calls.joined(separator: ", then ")) (`holdfast plan \(first.id)`)."
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
