package import HoldfastJSON

/// All that is still needed of what was ever said of one resource. Merging is idempotent, commutative and
/// associative; items that a surely later one covers are dropped without changing any view.
package struct EvidenceSet: Sendable, Hashable {
    /// Sorted, each once.
    package private(set) var items: [EvidenceItem]
    /// Two events closer than this may have happened in either order. CloudTrail's times are whole seconds.
    package let resolution: Span

    package init(resolution: Span) {
        items = []
        self.resolution = resolution
    }

    /// Takes new items in; what arrives twice changes nothing.
    package mutating func merge(_ new: some Sequence<EvidenceItem>) {
        var changed = false
        for item in new {
            let index = items.firstIndex { !($0 < item) } ?? items.endIndex
            if index < items.endIndex, items[index].isSameEvidence(as: item) { continue }
            items.insert(item, at: index)
            changed = true
        }
        if changed { compact() }
    }

    /// Drops what lies before the last creation or deletion, and what a surely later `set` or read covers.
    private mutating func compact() {
        if let boundary = items.lastIndex(where: \.isBoundary) {
            items =
                items[boundary...]
                + items[..<boundary].filter { $0.isUnordered(with: items[boundary], within: resolution) }
            items.sort()
        }
        var kept: [EvidenceItem] = []
        kept.reserveCapacity(items.count)
        for index in items.indices {
            let isCovered = items[(index + 1)...].contains {
                $0.covers(items[index]) && !items[index].isUnordered(with: $0, within: resolution)
            }
            if !isCovered { kept.append(items[index]) }
        }
        items = kept
    }
}

extension EvidenceItem {
    /// Two reported changes by different events, so close in time that the source cannot tell their order.
    package func isUnordered(with other: EvidenceItem, within resolution: Span) -> Bool {
        guard source == .reported, other.source == .reported, origin.event != other.origin.event else { return false }
        let apart = time < other.time ? other.time.since(time) : time.since(other.time)
        return apart.nanoseconds == 0 || apart.nanoseconds < resolution.nanoseconds
    }

    /// Creation or deletion: what lies before is another incarnation.
    package var isBoundary: Bool {
        switch change {
        case .created, .deleted: true
        default: false
        }
    }

    fileprivate func isSameEvidence(as other: EvidenceItem) -> Bool {
        time == other.time && origin.event == other.origin.event && index == other.index && source == other.source
            && change == other.change
    }

    /// Whether, coming later, this makes the other one's say void.
    fileprivate func covers(_ other: EvidenceItem) -> Bool {
        guard let path, let otherPath = other.path, otherPath.hasPrefix(path) else { return false }
        // What is said by name counts for nothing on a resource that is gone, which the other may revive.
        if origin.isByName, !other.origin.isByName { return false }
        switch change {
        case .set, .touched: return true
        case .put(_, let key, _), .remove(_, let key): return otherPath == path && other.key == key
        case .created, .deleted: return false
        }
    }
}

extension EvidenceSet {
    /// The set as canonical JSON, for the journal.
    package var encoded: [UInt8] {
        JSON.array(items.map(\.json)).canonicalBytes
    }

    /// Reads ``encoded``; `nil` where the bytes are something else.
    package init?(encoded json: JSON, resolution: Span) {
        guard let elements = json.array else { return nil }
        let items = elements.compactMap(EvidenceItem.init(json:))
        guard items.count == elements.count else { return nil }
        self.items = items.sorted()
        self.resolution = resolution
    }
}

extension EvidenceItem {
    package var json: JSON {
        let change: JSON =
            switch change {
            case .created: ["created"]
            case .deleted: ["deleted"]
            case .set(let path, let value): ["set", .string(path.description), value]
            case .put(let list, let key, let value): ["put", .string(list.description), .string(key), value]
            case .remove(let list, let key): ["remove", .string(list.description), .string(key)]
            case .touched(let path): ["touched", .string(path.description)]
            }
        // In the order that canonical JSON has, which spares sorting them.
        var members: [(String, JSON)] = [
            ("by", .string(origin.actor)), ("c", change), ("did", .string(origin.action)),
            ("e", .string(origin.event)), ("i", .number(JSONNumber(index))), ("in", .string(origin.session)),
        ]
        if origin.isByName { members.append(("n", true)) }
        members += [("s", .string(source.rawValue)), ("t", .string(String(time.nanoseconds)))]
        return .object(JSONObject(members))
    }

    package init?(json: JSON) {
        guard let time = json["t"]?.string.flatMap(Int64.init),
            let source = json["s"]?.string.flatMap(EvidenceSource.init), let event = json["e"]?.string,
            let actor = json["by"]?.string, let action = json["did"]?.string, let session = json["in"]?.string,
            let index = json["i"]?.int,
            let parts = json["c"]?.array, let change = EvidenceChange(parts: parts)
        else { return nil }
        self.init(
            change, source: source, time: Timestamp(nanoseconds: time),
            origin: EvidenceOrigin(
                event: event, actor: actor, action: action, session: session, isByName: json["n"] == true),
            index: index)
    }
}

extension EvidenceChange {
    fileprivate init?(parts: [JSON]) {
        func path() -> PropertyPath? { parts.count > 1 ? parts[1].string.flatMap { PropertyPath($0) } : nil }
        func key() -> String? { parts.count > 2 ? parts[2].string : nil }
        switch parts.first?.string {
        case "created": self = .created
        case "deleted": self = .deleted
        case "set":
            guard let path = path(), parts.count == 3 else { return nil }
            self = .set(path, parts[2])
        case "put":
            guard let path = path(), let key = key(), parts.count == 4 else { return nil }
            self = .put(list: path, key: key, parts[3])
        case "remove":
            guard let path = path(), let key = key() else { return nil }
            self = .remove(list: path, key: key)
        case "touched":
            guard let path = path() else { return nil }
            self = .touched(path)
        default: return nil
        }
    }
}
