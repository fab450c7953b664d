package import HoldfastCore
package import HoldfastJSON

/// All accounts on one screen: whose they are, what is seen of them, and what is not.
package struct AccountsReport: Sendable {
    /// One account.
    package struct Row: Sendable, Hashable {
        package var cloud: Cloud
        /// Text: `012345670123`.
        package var id: String
        package var name: String
        package var answer: Classification.Answer
        package var enrolment: Enrolment
        package var reads: Reads
        package var writes: Writes
        package var lastEvent: Timestamp?
        package var lastRead: Timestamp?
        /// Types of which every list that was due is whole and not older than ``AccountsReport/fresh``.
        package var typesCovered: Int
        /// Types that rules look at.
        package var types: Int
        package var counts: AccountCounts
    }
    /// How an account is known.
    package enum Enrolment: Sendable, Hashable {
        case configured
        /// By the organisation of this name.
        case found(String)
        /// Its organisation no longer has it.
        case left(String, Timestamp)
        /// Events tell of it, and nothing names it: it is not read.
        case stranger
    }
    package enum Reads: Sendable, Hashable {
        case ok
        /// Permissions that lack.
        case denied([String])
        /// Nothing of it was read yet.
        case never
        /// The configuration reads no clouds of its kind.
        case off
    }
    package enum Writes: Sendable, Hashable {
        case ok(Timestamp)
        case denied(Timestamp)
        /// The account has a write-role, and nothing was written yet.
        case unused
        case noRole
    }

    /// Unclassified accounts first; then by environment, the strictest first; then by cloud and id.
    package let rows: [Row]
    /// Lists that are older count as not read.
    package let fresh: Span

    /// - Parameters:
    ///   - configuration: with the accounts that were found.
    ///   - units: what a scan goes over in an account.
    package init(
        journal: any Journal, policy: Policy, configuration: Configuration, now: Timestamp,
        units: (Configuration.Account) -> [ScanUnit]
    ) throws(JournalError) {
        fresh = Span(nanoseconds: configuration.scanEvery.nanoseconds * 2)
        let since = now - fresh
        let done = Set(
            try journal.positions(source: ScanUnit.source).filter { $0.next >= since.nanoseconds }.map(\.partition))
        let lacking = try journal.openNotices().filter { $0.code == NoticeCode.readDenied.rawValue }.map(\.subject)
        let stored = Dictionary(grouping: try journal.accounts()) { Key(cloud: $0.cloud, id: $0.id) }
        let counts = Dictionary(grouping: try journal.accountCounts()) { Key(cloud: $0.cloud, id: $0.id) }
        let named = Dictionary(grouping: configuration.accounts) { Key(cloud: $0.cloud, id: $0.id) }
        let keys = Set(stored.keys).union(counts.keys).union(named.keys)
        let all = keys.map { key -> Row in
            let account = named[key]?.first
            let known = stored[key]?.first ?? StoredAccount(cloud: key.cloud, id: key.id)
            let units = account.map(units) ?? []
            let missing = Set(units.filter { !done.contains($0.description) }.map(\.type))
            let types = Set(units.map(\.type))
            let place = ResourceContext(cloud: key.cloud, account: key.id, region: "")
            return Row(
                cloud: key.cloud, id: key.id, name: account?.name ?? known.listing?.facts["name"] ?? "",
                answer: policy.classification.environment(of: place),
                enrolment: AccountsReport.enrolment(of: known, account, in: configuration),
                reads: AccountsReport.reads(
                    of: known, lacking, isOn: account != nil && configuration.clouds.contains(key.cloud)),
                writes: AccountsReport.writes(of: known, account), lastEvent: known.lastEvent,
                lastRead: known.lastRead, typesCovered: types.count - missing.count, types: types.count,
                counts: counts[key]?.first ?? AccountCounts(cloud: key.cloud, id: key.id))
        }
        let environments = policy.classification.environments
        rows = all.sorted { AccountsReport.order($0, environments) < AccountsReport.order($1, environments) }
    }

    private struct Key: Hashable {
        var cloud: Cloud
        var id: String
    }

    private static func order(_ row: Row, _ environments: [String]) -> (Int, String, String) {
        let rank = row.answer.isClassified ? environments.count - (environments.firstIndex(of: row.answer.environment) ?? 0) : 0
        return (rank, row.cloud.rawValue, row.id)
    }

    private static func enrolment(
        of known: StoredAccount, _ account: Configuration.Account?, in configuration: Configuration
    ) -> Enrolment {
        let listing = known.listing
        guard let account else {
            guard let listing, let left = listing.left else { return .stranger }
            return .left(listing.discovery, left)
        }
        guard let listing, listing.left == nil, configuration.discover.contains(where: { $0.place == account.place })
        else { return .configured }
        return .found(listing.discovery)
    }

    private static func reads(of known: StoredAccount, _ lacking: [String], isOn: Bool) -> Reads {
        let own = lacking.filter { $0.hasSuffix(" in \(known.id)") }.map { String($0.dropLast(known.id.count + 4)) }
        if !own.isEmpty { return .denied(own.sorted()) }
        return known.lastRead != nil ? .ok : isOn ? .never : .off
    }

    private static func writes(of known: StoredAccount, _ account: Configuration.Account?) -> Writes {
        let (written, denied) = (known.lastWrite, known.lastWriteDenied)
        if let denied, denied > written ?? .distantPast { return .denied(denied) }
        if let written { return .ok(written) }
        return account?.writeRole == nil ? .noRole : .unused
    }

    // MARK: Coverage

    /// Of all types that rules look at in all accounts that are known, the share that is read, in percent; `nil` where
    /// there are none.
    package var coverage: Double? {
        let types = rows.reduce(0) { $0 + $1.types }
        guard types > 0 else { return nil }
        return Double(rows.reduce(0) { $0 + $1.typesCovered }) * 100 / Double(types)
    }

    /// `coverage 87.5 %: 21 of 24 types in 3 accounts are read; 1 account is not classified`
    package var lastLine: String {
        let (covered, types) = (rows.reduce(0) { $0 + $1.typesCovered }, rows.reduce(0) { $0 + $1.types })
        let hours = fresh.nanoseconds / 3_600_000_000_000
        let open = rows.count { !$0.answer.isClassified }
        let accounts = rows.count { $0.types > 0 }
        return
            "coverage \(AccountsReport.percent(coverage ?? 0)) %: \(covered) of \(types) types in \(accounts) accounts "
            + "were read in the last \(hours) h; \(open) \(open == 1 ? "account is" : "accounts are") not classified"
    }

    /// With one digit, never rounded up to 100.
    static func percent(_ value: Double) -> String {
        let tenths = Int(value * 10)
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    /// The last line as JSON.
    package var summary: JSON {
        [
            "coverage-percent": coverage.map { .number(JSONNumber(unchecked: AccountsReport.percent($0))) } ?? .null,
            "accounts": .number(JSONNumber(rows.count)),
            "unclassified": .number(JSONNumber(rows.count { !$0.answer.isClassified })),
            "types": .number(JSONNumber(rows.reduce(0) { $0 + $1.types })),
            "types-covered": .number(JSONNumber(rows.reduce(0) { $0 + $1.typesCovered })),
        ]
    }
}

extension AccountsReport.Row {
    /// For programs; times are RFC 3339, what is not known is null.
    package var json: JSON {
        func time(_ time: Timestamp?) -> JSON { time.map { .string($0.description) } ?? .null }
        func number(_ value: Int) -> JSON { .number(JSONNumber(value)) }
        let lacks: [String] = if case .denied(let lacks) = reads { lacks } else { [] }
        return [
            "cloud": .string(cloud.rawValue), "id": .string(id), "name": .string(name),
            "environment": .string(answer.environment), "classified": .bool(answer.isClassified),
            "because": .string(answer.reason), "line": answer.place.map { .string($0.description) } ?? .null,
            "enrolled": .string(enrolment.words),
            "reads": ["state": .string(reads.word), "last": time(lastRead), "lacks": .array(lacks.map(JSON.string))],
            "writes": ["state": .string(writes.word), "last": time(writes.time)], "last-event": time(lastEvent),
            "types": ["covered": number(typesCovered), "of": number(types)],
            "resources": number(counts.resources),
            "findings": [
                "open": number(counts.findings.values.reduce(0, +)), "critical": number(counts.findings[.critical] ?? 0),
            ],
        ]
    }
}

extension AccountsReport.Enrolment {
    /// For people.
    package var words: String {
        switch self {
        case .configured: "configured"
        case .found(let discovery): discovery
        case .left(let discovery, let time): "left \(discovery) by \(time)"
        case .stranger: "not configured"
        }
    }
}

extension AccountsReport.Reads {
    /// One word of a closed list.
    package var word: String {
        switch self {
        case .ok: "ok"
        case .denied: "denied"
        case .never: "never"
        case .off: "off"
        }
    }
}

extension AccountsReport.Writes {
    /// Likewise.
    package var word: String {
        switch self {
        case .ok: "ok"
        case .denied: "denied"
        case .unused: "unused"
        case .noRole: "no-role"
        }
    }

    var time: Timestamp? {
        switch self {
        case .ok(let time), .denied(let time): time
        case .unused, .noRole: nil
        }
    }
}
