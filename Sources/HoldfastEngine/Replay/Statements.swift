internal import HoldfastCore
package import HoldfastJSON

/// A replay in plain sentences, each marked by what it rests on.
package struct Statements {
    /// What a sentence rests on.
    package enum Mark: String, Sendable {
        /// It was read or computed here.
        case observed
        /// A cloud's log says so.
        case reported
        /// It follows from what was reported by rules, sessions or the catalog.
        case inferred
        /// It is not known, and why.
        case missing
    }

    /// Sentences about changes that are written one by one; further ones are counted.
    private static let limit = 2_000

    private var lines: [String] = []
    private var rows = 0

    package init() {}

    package mutating func say(_ mark: Mark, _ sentence: String) { lines.append("[\(mark.rawValue)] \(sentence)") }

    package mutating func head(_ title: String) { lines += lines.isEmpty ? [title, ""] : ["", title, ""] }

    /// The text, a sentence a line.
    package var text: String { lines.joined(separator: "\n") + "\n" }

    /// What there was to be replayed, and what was not.
    package mutating func tell(_ report: ReplayReport) {
        head("Coverage")
        for strip in report.coverage.strips(report.window) {
            let place = [strip.cloud, strip.account, strip.region].filter { !$0.isEmpty }.joined(separator: " ")
            for stretch in strip.stretches {
                say(
                    stretch.state == .complete ? .observed : .missing,
                    "From \(stretch.from) to \(stretch.to) the log of \(place) is \(stretch.state.rawValue), with "
                        + "\(stretch.events) events read from \(strip.source). \(stretch.known)")
            }
        }
        if report.totals.unreadable > 0 {
            say(.missing, "\(report.totals.unreadable) records could not be read as events.")
        }
        for member in report.members where member.name == "start" {
            say(report.start == .empty ? .missing : .observed, member.value["text"]?.string ?? "")
        }
    }

    /// One row of the timeline.
    package mutating func tell(row: JSON) {
        func text(_ name: String) -> String { row[name]?.string ?? "" }
        guard ["change", "raw-write", "unseen-change"].contains(text("kind")) else { return }
        rows += 1
        guard rows <= Self.limit else { return }
        let who = text("actor").isEmpty ? "Somebody" : text("actor")
        let address = text("source-ip").isEmpty ? "" : " from \(text("source-ip"))"
        if text("kind") == "unseen-change" {
            say(.observed, "By \(text("time")) a read found a change that no event tells.")
        } else {
            say(.reported, "At \(text("time")) \(who) called \(text("action"))\(address) (event \(text("event"))).")
        }
        let chain = row["chain"]?.array?.compactMap(\.string) ?? []
        if !chain.isEmpty {
            let others = chain.joined(separator: ", who acted for ")
            say(.inferred, "\(who) acted for \(others), by the sessions in the log.")
        }
        for resource in row["resources"]?.array ?? [] { tell(resource: resource, evidence: text("evidence")) }
        for finding in row["findings"]?.array ?? [] {
            say(
                .inferred,
                "By it the finding \(finding["rule"]?.string ?? "") on \(finding["resource"]?.string ?? "") was "
                    + "\(finding["change"]?.string ?? "") (\(finding["severity"]?.string ?? "")).")
        }
        for note in row["notes"]?.array ?? [] { say(.missing, "Of this event: \(note.string ?? "").") }
    }

    private mutating func tell(resource: JSON, evidence: String) {
        let id = resource["id"]?.string ?? ""
        for change in resource["changes"]?.array ?? [] {
            guard let path = change["path"]?.string else { continue }
            let (before, after) = (change["before"] ?? .null, change["after"] ?? .null)
            if let reason = before["unknown"]?.string {
                say(.missing, "What \(path) of \(id) was before is not known: \(reason).")
            }
            if let reason = after["unknown"]?.string {
                say(.missing, "What \(path) of \(id) became is not known: \(reason).")
            } else {
                let was = before["unknown"] == nil ? " It was \(shown(before))." : ""
                say(evidence == "observed" ? .observed : .reported, "\(path) of \(id) became \(shown(after)).\(was)")
            }
        }
        for way in resource["opened"]?.array ?? [] {
            say(.inferred, "That made \(id) more reachable: \(way["way"]?.string ?? "").")
        }
    }

    private func shown(_ value: JSON) -> String {
        let text = value.isNull ? "not there" : value.canonicalText
        return text.count > 400 ? text.prefix(400) + "… (\(text.utf8.count) bytes in all)" : text
    }

    /// What the findings came to.
    package mutating func tell(_ stories: [ReplayOutcome.FindingStory]) {
        if rows > Self.limit {
            say(.missing, "\(rows - Self.limit) further changes stand in results/replay.json alone.")
        }
        head("Findings")
        for story in stories {
            let finding = story.finding
            for opening in story.openings {
                let end = opening.to.map { "until \($0)" } ?? "and still at the end of the window"
                say(
                    .inferred,
                    "\(finding.resource.id) broke the rule \(finding.rule) (\(finding.severity.rawValue)) from "
                        + "\(opening.from) \(end), on \(finding.evidence.rawValue) evidence.")
            }
            if let plan = story.plan, plan.outcome == "plan" {
                say(.inferred, "The playbook \(plan.playbook) would have been planned for it. Nothing was carried out.")
            }
        }
        if stories.isEmpty { say(.inferred, "No rule that could be judged was broken.") }
    }
}
