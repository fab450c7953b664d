internal import GRDB
package import HoldfastCore
package import HoldfastEngine
package import HoldfastJSON

/// Columns as ``StoredRow/stored(from:)`` reads them.
private let resourceColumns = """
    n.type, n.id, r.cloud, r.account, r.region, r.deleted, r.incarnation, r.catalog, r.refs, r.evidence
    """

/// Columns as ``StoredRow/finding()`` reads them.
private let findingColumns = "f.id, f.rule, n.type, n.id, f.state, f.severity, f.body"

extension StoredRow {
    fileprivate func stored() throws -> StoredResource {
        StoredResource(
            resource: try resource(0, 1), context: try context(from: 2), evidence: try bytes(9),
            incarnation: try text(6), isDeleted: try bool(5), catalogDigest: try text(7),
            references: try StoredResource.Reference.unpack(try bytes(8)))
    }

    fileprivate func finding() throws -> StoredFinding {
        StoredFinding(
            id: try text(0), rule: try text(1), resource: try resource(2, 3), state: try text(4),
            severity: try choice(5, Severity.self), body: try json(6))
    }
}

extension SQLiteJournal {
    package func positions(source: String) throws(JournalError) -> [SourcePosition] {
        try positions("WHERE source = ? ORDER BY part", [.text(source)], of: source)
    }

    package func position(source: String, partition: String) throws(JournalError) -> SourcePosition? {
        try positions("WHERE source = ? AND part = ?", [.text(source), .text(partition)], of: source).first
    }

    private func positions(
        _ which: String, _ values: [DatabaseValue], of source: String
    ) throws(JournalError) -> [SourcePosition] {
        try read { db in
            try db.prepared("SELECT part, next, note FROM positions \(which)").rows(values) {
                SourcePosition(
                    source: source, partition: try $0.text(0), next: try $0.int(1), note: try $0.bytes(2))
            }
        }
    }

    package func recentEventIDs(limit: Int) throws(JournalError) -> [String] {
        try read { db in
            var newest: [[String]] = []
            var count = 0
            let before = try db.prepared(
                "SELECT sequence, ids FROM event_ids WHERE sequence < ? ORDER BY sequence DESC LIMIT 1")
            var sequence = Int64.max
            while count < limit {
                let row = try before.first([.int(sequence)]) { (try $0.int(0), try $0.bytes(1)) }
                guard let row else { break }
                sequence = row.0
                let ids = try PackedTexts.unpack(row.1)
                newest.append(ids)
                count += ids.count
            }
            return newest.reversed().joined().suffix(limit)
        }
    }

    package func resource(_ id: ResourceID) throws(JournalError) -> StoredResource? {
        try read { db in
            try db.prepared(
                "SELECT \(resourceColumns) FROM names n JOIN resources r USING (key) WHERE n.type = ? AND n.id = ?"
            ).first([.text(id.type), .text(id.id)]) { try $0.stored() }
        }
    }

    package func resources(
        type: String, path: String, value: String, after: ResourceID?, limit: Int
    ) throws(JournalError) -> [StoredResource] {
        try read { db in
            // CROSS JOIN keeps SQLite from walking all resources of the type; states are read for one page only.
            try db.prepared(
                """
                SELECT \(resourceColumns) FROM (
                    SELECT n.key, n.type, n.id FROM resource_references f CROSS JOIN names n ON n.key = f.resource
                    WHERE f.path = ? AND f.value = ? AND n.type = ? AND n.id > ? ORDER BY n.id LIMIT ?
                ) n CROSS JOIN resources r ON r.key = n.key ORDER BY n.id
                """
            ).rows([.text(path), .text(value), .text(type), .text(after?.id ?? ""), .int(limit)]) { try $0.stored() }
        }
    }

    package func resources(after: ResourceID?, limit: Int) throws(JournalError) -> [StoredResource] {
        try read { db in
            try db.prepared(
                """
                SELECT \(resourceColumns) FROM names n JOIN resources r USING (key)
                WHERE (n.type, n.id) > (?, ?) ORDER BY n.type, n.id LIMIT ?
                """
            ).rows([.text(after?.type ?? ""), .text(after?.id ?? ""), .int(limit)]) { try $0.stored() }
        }
    }

    package func history(of id: ResourceID, upTo: Timestamp) throws(JournalError) -> [HistoryEntry] {
        try read { db in
            try db.prepared(
                """
                SELECT h.event, h.happened, h.known, h.actor, h.action, h.evidence
                FROM names n JOIN history h ON h.resource = n.key
                WHERE n.type = ? AND n.id = ? AND h.happened <= ? ORDER BY h.happened, h.event
                """
            ).rows([.text(id.type), .text(id.id), .time(upTo)]) { row in
                HistoryEntry(
                    resource: id, eventID: try row.text(0), happened: try row.time(1), known: try row.time(2),
                    evidence: try row.bytes(5), actor: try row.text(3), action: try row.text(4))
            }
        }
    }

    package func findings(of id: ResourceID) throws(JournalError) -> [StoredFinding] {
        try read { db in
            try db.prepared(
                """
                SELECT \(findingColumns) FROM names n JOIN findings f ON f.resource = n.key
                WHERE n.type = ? AND n.id = ? ORDER BY f.id
                """
            ).rows([.text(id.type), .text(id.id)]) { try $0.finding() }
        }
    }

    package func finding(id: String) throws(JournalError) -> StoredFinding? {
        try read { db in
            try db.prepared(
                "SELECT \(findingColumns) FROM findings f JOIN names n ON n.key = f.resource WHERE f.id = ?"
            ).first([.text(id)]) { try $0.finding() }
        }
    }

    package func findings(states: [String]) throws(JournalError) -> [StoredFinding] {
        try read { db in
            let places = Array(repeating: "?", count: states.count).joined(separator: ", ")
            return try db.prepared(
                """
                SELECT \(findingColumns) FROM findings f JOIN names n ON n.key = f.resource
                WHERE f.state IN (\(places)) ORDER BY f.id
                """
            ).rows(states.map { .text($0) }) { try $0.finding() }
        }
    }

    package func findingChanges(of finding: String) throws(JournalError) -> [FindingChangeRow] {
        try read { db in
            try db.prepared(
                """
                SELECT c.change, c.happened, c.known, c.cause, c.body
                FROM findings f JOIN finding_changes c ON c.finding = f.key WHERE f.id = ? ORDER BY c.sequence
                """
            ).rows([.text(finding)]) { row in
                FindingChangeRow(
                    finding: finding, change: try row.text(0), happened: try row.time(1), known: try row.time(2),
                    cause: try row.text(3), body: try row.json(4))
            }
        }
    }

    package func newestFindingChange() throws(JournalError) -> Timestamp? {
        try read { db in
            try db.prepared("SELECT max(known) FROM finding_changes HAVING count(*) > 0")
                .first([]) { try $0.time(0) }
        }
    }

    package func plan(finding: String) throws(JournalError) -> (digest: String, body: JSON)? {
        try read { db in
            try db.prepared(
                """
                SELECT p.digest, p.body FROM findings f JOIN plans p ON p.finding = f.key
                WHERE f.id = ? ORDER BY p.sequence DESC LIMIT 1
                """
            ).first([.text(finding)]) { (digest: try $0.text(0), body: try $0.json(1)) }
        }
    }
}
