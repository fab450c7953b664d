internal import HoldfastCore
internal import HoldfastCrypto
package import HoldfastJSON

extension Archive {
    /// The answer, or a part of it where it is a list.
    package func answer(_ query: Query, _ page: Page = Page()) throws(QueryError) -> Answer {
        let result: Result<Answer, QueryError>
        do throws(JournalError) { result = try read(query, page) } catch {
            throw QueryError(.failed, error.message)
        }
        return try result.get()
    }

    private func read(_ query: Query, _ page: Page) throws(JournalError) -> Result<Answer, QueryError> {
        switch query {
        case .findings(let filter): return .success(try findings(filter, page))
        case .finding(let id):
            guard let stored = try journal.finding(id: id) else { return .failure(.noFinding(id)) }
            return .success(.one(stored.body))
        case .plan(let id): return try plan(id)
        case .resources(let filter): return .success(try resources(filter, page))
        case .resource(let id, let asOf, let history): return try resource(id, asOf, history)
        case .notices: return .success(.list(try journal.openNotices().map(\.json), next: nil))
        case .deadLetters:
            return .success(.list(try journal.deadLetters(limit: page.limit).map(\.json), next: nil))
        case .counters(let name):
            return .success(.list(try journal.counters(name: name).map(\.json), next: nil))
        case .audit(let kinds): return .success(try audit(kinds, page))
        case .approvals, .planOf, .why, .runs, .run, .halts, .rollout, .campaigns, .drills, .drill,
            .dryRun, .exemptions:
            return try readDesk(query, page)
        }
    }

    private func readDesk(_ query: Query, _ page: Page) throws(JournalError) -> Result<Answer, QueryError> {
        switch query {
        case .planOf(let digest): return try plan(beginning: digest).map { .one($0) }
        case .why(let id):
            guard let about = try about(finding: id) else { return .failure(.noFinding(id)) }
            return .success(.one(about))
        case .runs: return .success(.list(try journal.runs(limit: page.limit).map(\.json), next: nil))
        case .run(let id):
            guard let run = try journal.run(id: id) else {
                return .failure(QueryError(.unknown, "there is no run \(id); `holdfast runs` lists them"))
            }
            return .success(.one(run.json))
        case .halts: return .success(.list(try journal.halts().map(\.json), next: nil))
        case .rollout: return .success(.list(try rollout(now: now()), next: nil))
        case .campaigns: return .success(.list(try journal.campaigns().map(\.json), next: nil))
        case .drills: return .success(.list(try journal.drills(limit: page.limit).map(\.json), next: nil))
        case .drill(let id):
            guard let drill = try journal.drill(id: id) else {
                return .failure(QueryError(.unknown, "there is no drill \(id)"))
            }
            return .success(.one(drill.json))
        case .dryRun(let since): return .success(.one(try dryRun(since: since)))
        case .exemptions(let due): return .success(.list(try exemptions(endingBy: now() + due), next: nil))
        default: return .success(.list(try approvals(), next: nil))
        }
    }

    /// The most severe first, then the oldest.
    private func findings(_ filter: FindingFilter, _ page: Page) throws(JournalError) -> Answer {
        let states: [Finding.State] = filter.open ? [.open, .stale] : Finding.State.allCases
        let found = try journal.findings(states: states.map(\.rawValue))
            .compactMap { Finding(json: $0.body) }
            .filter { filter.fits($0) && (page.after.isEmpty || page.after < FindingPlace($0).text) }
            .map { (place: FindingPlace($0).text, finding: $0) }
            .sorted { $0.place < $1.place }
        let shown = found.prefix(page.limit)
        return .list(shown.map(\.finding.json), next: found.count > shown.count ? shown.last?.place : nil)
    }

    private func plan(_ id: String) throws(JournalError) -> Result<Answer, QueryError> {
        guard let stored = try journal.finding(id: id) else { return .failure(.noFinding(id)) }
        guard let plan = try journal.plan(finding: id) else {
            return .failure(
                QueryError(
                    .unknown,
                    "there is no plan for \(id) (\(stored.rule), \(stored.state)): no playbook remedies this rule for "
                        + "\(stored.resource.type), or its state was not known well enough to write exact calls"))
        }
        return .success(.one(plan.body))
    }

    private func resources(_ filter: ResourceFilter, _ page: Page) throws(JournalError) -> Answer {
        let found = try resources(asOf: filter.asOf, after: ResourcePlace.read(page.after), limit: page.limit + 1) {
            (filter.type == nil || filter.type == $0.resource.type)
                && (filter.account == nil || filter.account == $0.context.account)
        } and: { known in
            (filter.condition?.holds(in: known.view.document) ?? true) && (filter.label.map(known.hasLabel) ?? true)
                && !known.view.isDeleted
        }
        let shown = found.prefix(page.limit)
        let next = found.count > shown.count ? shown.last.map { ResourcePlace.text($0.stored.resource) } : nil
        return .list(shown.map { .object($0.json) }, next: next)
    }

    /// What was found by then; what has changed since as it was.
    private func findings(of resource: ResourceID, asOf: Timestamp?) throws(JournalError) -> [JSON] {
        let found = try journal.findings(of: resource)
        guard let asOf else { return found.map(\.body) }
        var bodies: [JSON] = []
        for finding in found {
            if let last = try journal.findingChanges(of: finding.id).last(where: { $0.happened <= asOf }) {
                bodies.append(last.body)
            }
        }
        return bodies
    }

    private func resource(
        _ id: String, _ asOf: Timestamp?, _ withHistory: Bool
    ) throws(JournalError) -> Result<Answer, QueryError> {
        let found = try resources(asOf: asOf, where: { $0.resource.id == id })
        guard !found.isEmpty else {
            return .failure(QueryError(.unknown, "nothing is known of \(id); `holdfast resources` lists what is"))
        }
        var shown: [JSON] = []
        for resource in found {
            var json = resource.json
            json["findings"] = .array(try findings(of: resource.stored.resource, asOf: asOf))
            if withHistory { json["history"] = .array(try history(of: resource.stored.resource, upTo: asOf)) }
            shown.append(.object(json))
        }
        return .success(.one(shown.count == 1 ? shown[0] : .array(shown)))
    }

    private func audit(_ kinds: [String], _ page: Page) throws(JournalError) -> Answer {
        var found: [AuditRecord] = []
        var last = Int64(page.after) ?? 0
        while found.count <= page.limit {
            let rows = try journal.auditEntries(after: last, limit: Page.most)
            found += rows.filter { kinds.isEmpty || kinds.contains($0.entry.kind) }
            guard let end = rows.last else { break }
            last = end.sequence
        }
        let shown = found.prefix(page.limit)
        let next = found.count > shown.count ? shown.last.map { String($0.sequence) } : nil
        return .list(shown.map(\.json), next: next)
    }
}

extension QueryError {
    fileprivate static func noFinding(_ id: String) -> QueryError {
        QueryError(.unknown, "there is no finding \(id); `holdfast findings` lists them")
    }
}

/// Where a finding stands in the order in which people see them, as text that sorts alike.
private struct FindingPlace {
    let text: String

    init(_ finding: Finding) {
        // Moved up so that no number is negative, and padded so that texts sort as numbers do.
        let since = String(UInt64(bitPattern: finding.since.nanoseconds ^ Int64.min))
        text = "\(3 - finding.severity.rank).\(String(repeating: "0", count: 20 - since.count))\(since).\(finding.id)"
    }
}

/// A resource as a place in the order (type, id).
private enum ResourcePlace {
    static func text(_ id: ResourceID) -> String { "\(id.type) \(id.id)" }

    static func read(_ text: String) -> ResourceID? {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        return parts.count == 2 ? ResourceID(type: parts[0], id: parts[1]) : nil
    }
}

extension Notice {
    /// As `holdfast notices --format json` prints it.
    package var json: JSON {
        [
            "code": .string(code), "subject": .string(subject), "text": .string(text),
            "raised": .string(raised.description), "runbook": .string("runbooks/\(code).md"),
        ]
    }
}

extension DeadLetter {
    /// Without the bytes, which may hold anything: their number and digest.
    package var json: JSON {
        [
            "place": .string(place), "source": .string(source), "reason": .string(reason),
            "received": .string(received.description), "bytes": .number(JSONNumber(bytes.count)),
            "sha256": .string(sha256(bytes).description),
        ]
    }
}

extension CounterDelta {
    /// One row.
    package var json: JSON {
        [
            "name": .string(name), "label": .string(label), "amount": .number(JSONNumber(Int(amount))),
            "hour": hour == 0 ? .null : .string(Timestamp(seconds: hour).description),
        ]
    }
}

extension AuditRecord {
    /// One entry with its links.
    package var json: JSON {
        [
            "sequence": .number(JSONNumber(Int(sequence))), "epoch": .number(JSONNumber(Int(epoch))),
            "kind": .string(entry.kind), "at": .string(entry.at.description), "body": entry.body,
            "previous": .string(previous), "digest": .string(digest),
        ]
    }
}
