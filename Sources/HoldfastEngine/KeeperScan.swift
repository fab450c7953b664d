package import HoldfastCore

extension Keeper {
    /// Resources that a scan read, and those that it could not read, which stay dirty.
    ///
    /// - Returns: what became of findings.
    package func scan(
        _ found: [(resource: ListedResource, description: Description)],
        unread: [(resource: ListedResource, error: ReadError)], now: Timestamp
    ) throws(JournalError) -> [FindingChange: Int] {
        var step = Step(policy: policy, journal: journal, now: now)
        for (listed, description) in found {
            try step.observe(description, resource: listed.resource, context: listed.context)
            endDenials(lacking: description.lacks, reading: listed.resource.description, in: &step)
        }
        for (listed, _) in unread {
            _ = try step.subject(listed.resource, context: listed.context)
            step.markDirty(listed.resource, context: listed.context, reason: "a scan could not read it")
        }
        try step.evaluate(cause: .baseline)
        try commit(step, lease: nil)
        return step.changes.reduce(into: [:]) { $0[$1.change, default: 0] += 1 }
    }

    /// A scan is through with a unit.
    func note(done unit: ScanUnit, at now: Timestamp) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.positions = [
            SourcePosition(source: ScanUnit.source, partition: unit.description, next: now.nanoseconds)
        ]
        step.transaction.accounts = [StoredAccount(cloud: unit.place.cloud, id: unit.place.account, lastRead: now)]
        endDenials(lacking: [], reading: unit.description, in: &step)
        try commit(step, lease: nil)
        for edge in policy.dependents(on: unit.type, touching: nil) where edge.relation.isReverse {
            try evaluate(edge.type, hangingOn: unit, now: now)
        }
    }

    /// What hangs on all of a type being known, where that now is so: whether a network has no flow log at all.
    private func evaluate(_ type: String, hangingOn unit: ScanUnit, now: Timestamp) throws(JournalError) {
        var last = ResourceID(type: type, id: "")
        while true {
            let page = try journal.resources(after: last, limit: 200).filter { $0.resource.type == type }
            guard let end = page.last else { return }
            var step = Step(policy: policy, journal: journal, now: now)
            for row in page where !row.isDeleted && unit.place.holds(row.context) {
                try step.evaluateAll(row.resource, context: row.context, cause: .baseline)
            }
            try commit(step, lease: nil)
            last = end.resource
        }
    }

    /// A unit could not be listed: what it holds is not known.
    func note(failed unit: ScanUnit, _ error: ReadError, now: Timestamp) throws(JournalError) {
        guard !error.lacks.isEmpty else { return }
        var step = Step(policy: policy, journal: journal, now: now)
        endDenials(lacking: [error.lacks], reading: unit.description, in: &step)
        step.transaction.notices = [
            Notice(
                code: NoticeCode.readDenied.rawValue, subject: error.lacks,
                text: "\(error.message); \(unit.type) in \(unit.place.account) is not known", raised: now)
        ]
        try commit(step, lease: nil)
    }

    /// Known resources of the listed units that were not in the lists are read once more: they may be gone.
    func lookForMissing(in units: Set<ScanUnit>, besides seen: Set<ResourceID>, now: Timestamp) throws(JournalError) {
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 500)
            guard let end = page.last else { return }
            var step = Step(policy: policy, journal: journal, now: now)
            for row in page where !row.isDeleted && !seen.contains(row.resource) {
                var place = row.context
                let isListed = units.contains(ScanUnit(type: row.resource.type, place: place))
                // Lists of whole accounts name no region.
                place.region = ""
                guard isListed || units.contains(ScanUnit(type: row.resource.type, place: place)) else { continue }
                step.markDirty(row.resource, context: row.context, reason: "a scan did not list it")
            }
            try commit(step, lease: nil)
            last = end.resource
        }
    }

    /// One digest for all that a scan opened.
    func finishScan(opened: Int, now: Timestamp) throws(JournalError) {
        guard opened > 0 else { return }
        try note(notices: [Keeper.baselineNotice(opened, "the scan", now)])
    }
}

extension ResourceContext {
    /// A place of lists holds what is in its account, and in its region where it names one.
    fileprivate func holds(_ other: ResourceContext) -> Bool {
        cloud == other.cloud && account == other.account && (region.isEmpty || region == other.region)
    }
}
