internal import GRDB
internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastEngine

/// The statements of one commit, inside its transaction. Each write is announced to `beforeStep` by its name.
struct Commit {
    let db: Database
    let beforeStep: SQLiteJournal.BeforeStep
    /// Numbers of resources that this commit has looked up or given, with the bytes that they are for.
    private var keys: [ResourceID: (name: ResourceID, key: Int64)] = [:]

    init(db: Database, beforeStep: @escaping SQLiteJournal.BeforeStep) {
        self.db = db
        self.beforeStep = beforeStep
    }

    /// `done` before `dirty`, and fired timers before new ones: what is marked again in the same transaction stays.
    mutating func write(_ transaction: JournalTransaction) throws {
        try compareEpochs(transaction.leases)
        // Looking for a statement costs about as much as running it: nothing is looked for that has nothing to write.
        if !transaction.positions.isEmpty { try write(positions: transaction.positions) }
        if !transaction.eventIDs.isEmpty { try write(eventIDs: transaction.eventIDs) }
        if !transaction.batch.isEmpty { try write(batch: transaction.batch) }
        if !transaction.resources.isEmpty { try write(resources: transaction.resources) }
        if !transaction.history.isEmpty { try write(history: transaction.history) }
        if !transaction.findings.isEmpty { try write(findings: transaction.findings) }
        if !transaction.findingChanges.isEmpty { try write(findingChanges: transaction.findingChanges) }
        if !transaction.plans.isEmpty { try write(plans: transaction.plans) }
        if !transaction.done.isEmpty { try write(done: transaction.done) }
        if !transaction.dirty.isEmpty { try write(dirty: transaction.dirty) }
        if !transaction.firedTimers.isEmpty { try write(firedTimers: transaction.firedTimers) }
        if !transaction.timers.isEmpty { try write(timers: transaction.timers) }
        if !transaction.sessions.isEmpty { try write(sessions: transaction.sessions) }
        if !transaction.counters.isEmpty { try write(counters: transaction.counters) }
        if !transaction.accounts.isEmpty { try write(accounts: transaction.accounts) }
        if !transaction.deadLetters.isEmpty { try write(deadLetters: transaction.deadLetters) }
        if !transaction.closedNotices.isEmpty { try write(closedNotices: transaction.closedNotices) }
        if !transaction.notices.isEmpty { try write(notices: transaction.notices) }
        if !transaction.remediation.isEmpty { try write(remediation: transaction.remediation) }
        if let segment = transaction.sealedEvidence { try write(segment: segment) }
        if !transaction.messages.isEmpty { try write(messages: transaction.messages) }
        if !transaction.audit.isEmpty { try write(audit: transaction.audit, leases: transaction.leases) }
        try beforeStep("commit")
    }

    private func compareEpochs(_ leases: [Lease]) throws {
        try beforeStep("leases")
        guard !leases.isEmpty else {
            throw JournalError(
                .fenced, "the transaction names no lease; acquire a part and name it in each transaction")
        }
        let select = try db.prepared("SELECT epoch FROM parts WHERE part = ?")
        for lease in leases {
            let epoch = try select.integer([.text(lease.part)]) ?? 0
            guard epoch == lease.epoch else {
                throw JournalError(
                    .fenced,
                    "\(lease.part) is at epoch \(epoch) and this writer has epoch \(lease.epoch); "
                        + (epoch > lease.epoch
                            ? "another has taken it over: stop, or take it anew"
                            : "the journal is another, or older than the writer: take it anew"))
            }
        }
    }

    private func write(positions: [SourcePosition]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO positions (source, part, next, note) VALUES (?, ?, ?, ?)
            ON CONFLICT (source, part) DO UPDATE SET next = excluded.next, note = excluded.note
            """)
        for position in positions {
            try beforeStep("position")
            try upsert.run([
                .text(position.source), .text(position.partition), .int(position.next), .bytes(position.note),
            ])
        }
    }

    /// Two full rows go for each that comes, so that the window is held without a large delete.
    private func write(eventIDs: [String]) throws {
        guard !eventIDs.isEmpty else { return }
        try beforeStep("event-ids")
        let last = try db.prepared("SELECT through FROM event_ids ORDER BY sequence DESC LIMIT 1").integer([]) ?? 0
        let through = last + Int64(eventIDs.count)
        try db.prepared("INSERT INTO event_ids (through, ids) VALUES (?, ?)").run([
            .int(through), .bytes(PackedTexts.pack(eventIDs)),
        ])
        try db.prepared(
            """
            DELETE FROM event_ids WHERE sequence IN (
                SELECT sequence FROM (SELECT sequence, through FROM event_ids ORDER BY sequence LIMIT 2)
                WHERE through <= ?)
            """
        ).run([.int(through - SQLiteJournal.keptEventIDs)])
    }

    private func write(batch: [UInt8]) throws {
        guard !batch.isEmpty else { return }
        try beforeStep("batch")
        let last = try db.prepared("SELECT sequence, seal FROM batches ORDER BY sequence DESC LIMIT 1").first([]) {
            (sequence: try $0.int(0), seal: try $0.bytes(1))
        }
        let digest = sha256(batch).bytes
        let seal = EvidenceSeal.after(last?.seal ?? EvidenceSeal.first, digest: digest)
        try db.prepared("INSERT INTO batches (sequence, digest, seal, bytes) VALUES (?, ?, ?, ?)").run([
            .int((last?.sequence ?? 0) + 1), .bytes(digest), .bytes(seal), .bytes(batch),
        ])
    }

    private func write(segment: EvidenceSegment) throws {
        try beforeStep("segment")
        try db.prepared("INSERT OR REPLACE INTO segments (last, first, count, root) VALUES (?, ?, ?, ?)").run([
            .int(segment.last), .int(segment.first), .int(segment.count), .text(segment.root),
        ])
    }

    private mutating func write(resources: [StoredResource]) throws {
        let select = try db.prepared("SELECT refs FROM resources WHERE key = ?")
        let replace = try db.prepared(
            """
            INSERT OR REPLACE INTO resources
                (key, shard, cloud, account, region, deleted, incarnation, catalog, refs, evidence)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        for stored in resources {
            try beforeStep("resource")
            let key = try self.key(of: stored.resource)
            let references = PackedTexts.pack(stored.references.flatMap { [$0.path, $0.value] })
            let before = try select.blob([.int(key)]) ?? []
            if before != references {
                try change(references: before, to: stored.references, of: key)
            }
            let context = stored.context
            try replace.run([
                .int(key), .int(shard(cloud: context.cloud, account: context.account)), .text(context.cloud.rawValue),
                .text(context.account), .text(context.region), .bool(stored.isDeleted), .text(stored.incarnation),
                .text(stored.catalogDigest), .bytes(references), .bytes(stored.evidence),
            ])
        }
    }

    /// Takes out the references that went and adds those that came; the others are not touched.
    private func change(references before: [UInt8], to after: [StoredResource.Reference], of key: Int64) throws {
        try beforeStep("reference")
        let old = try StoredResource.Reference.unpack(before)
        let remove = try db.prepared("DELETE FROM resource_references WHERE path = ? AND value = ? AND resource = ?")
        for reference in old where !after.contains(reference) {
            try remove.run([.text(reference.path), .text(reference.value), .int(key)])
        }
        let add = try db.prepared("INSERT OR IGNORE INTO resource_references (path, value, resource) VALUES (?, ?, ?)")
        for reference in after where !old.contains(reference) {
            try add.run([.text(reference.path), .text(reference.value), .int(key)])
        }
    }

    private mutating func write(history: [HistoryEntry]) throws {
        let insert = try db.prepared(
            """
            INSERT INTO history (resource, event, happened, known, actor, action, evidence)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (resource, event) DO NOTHING
            """)
        for entry in history {
            try beforeStep("history")
            try insert.run([
                .int(try key(of: entry.resource)), .text(entry.eventID), .time(entry.happened), .time(entry.known),
                .text(entry.actor), .text(entry.action), .bytes(entry.evidence),
            ])
        }
    }

    /// The number of a resource, given here where it has none.
    mutating func key(of resource: ResourceID) throws -> Int64 {
        // Swift holds `é` and `e` with an accent equal; the store tells them apart, in one commit as over several.
        if let known = keys[resource], known.name.id.utf8.elementsEqual(resource.id.utf8) { return known.key }
        let names: [DatabaseValue] = [.text(resource.type), .text(resource.id)]
        let found = try db.prepared("SELECT key FROM names WHERE type = ? AND id = ?").integer(names)
        let key: Int64
        if let found {
            key = found
        } else {
            try db.prepared("INSERT INTO names (type, id) VALUES (?, ?)").run(names)
            key = db.lastInsertedRowID
        }
        keys[resource] = (resource, key)
        return key
    }
}

extension StoredResource.Reference {
    /// From path, value, path, value, …
    static func unpack(_ bytes: [UInt8]) throws -> [StoredResource.Reference] {
        let texts = try PackedTexts.unpack(bytes)
        return stride(from: 0, to: texts.count - 1, by: 2).map { .init(path: texts[$0], value: texts[$0 + 1]) }
    }
}
