internal import HoldfastJSON

/// The places in an event's text that its meaning looks into: found in one pass over the text, and made into trees
/// when they are needed. What names resources is needed first, and often alone.
final class EventPlaces: Sendable {
    let fields: FieldSet
    /// Paths of members; the slot of each is its index here.
    private let paths: [[String]]
    /// Indices of the paths that name resources.
    private let naming: [Int]
    /// Indices of all paths that are looked into.
    private let all: [Int]
    /// Of each path whether it is looked into, and not only a way to others.
    private let isLeaf: [Bool]
    /// The same places from the members that ``CloudTrailScan`` has found; `nil` where it looks for other members.
    private let members: [Member]?

    /// One of the members of a CloudTrail record that the places begin with.
    private struct Member: Sendable {
        /// Of ``CloudTrailScan/paths``.
        var scanned: Int
        /// Of ``paths``.
        var slot: Int
        /// What is wanted within, and the index in ``paths`` of each.
        var inner: FieldSet?
        var slots: [Int]
    }

    /// - Parameters:
    ///   - naming: where the resources' names stand.
    ///   - others: where what is said of them stands.
    init(naming: [EventPath], others: [EventPath]) {
        let first = EventPlaces.leaves(naming)
        let every = EventPlaces.leaves(naming + others)
        var paths: [[String]] = []
        for leaf in every + first {
            for count in 1...leaf.count where !paths.contains(Array(leaf.prefix(count))) {
                paths.append(Array(leaf.prefix(count)))
            }
        }
        if paths.isEmpty { paths = [["requestParameters"]] }
        let wanted = paths
        self.paths = wanted
        self.naming = first.compactMap { wanted.firstIndex(of: $0) }
        all = every.compactMap { wanted.firstIndex(of: $0) }
        fields = FieldSet(paths: paths, usual: CloudTrailScan.usual)
        members = EventPlaces.members(of: paths)
        let leaves = self.naming + all
        isLeaf = paths.indices.map { leaves.contains($0) }
    }

    private static func members(of paths: [[String]]) -> [Member]? {
        var members: [Member] = []
        for (slot, path) in paths.enumerated() where path.count == 1 {
            guard let scanned = CloudTrailScan.paths.firstIndex(of: path) else { return nil }
            let inner = paths.indices.filter { paths[$0].count > 1 && paths[$0][0] == path[0] }
            members.append(
                Member(
                    scanned: scanned, slot: slot,
                    inner: inner.isEmpty ? nil : FieldSet(paths: inner.map { Array(paths[$0].dropFirst()) }),
                    slots: inner))
        }
        return members
    }

    /// The members that the places begin with, down to the first list; none of them within another.
    private static func leaves(_ places: [EventPath]) -> [[String]] {
        var leaves: [[String]] = []
        for place in places {
            var names: [String] = []
            for step in place.steps {
                guard case .name(let name) = step else { break }
                names.append(name)
            }
            // A place that begins in an element is no place in the event.
            if names.isEmpty || leaves.contains(where: { names.starts(with: $0) }) { continue }
            leaves.removeAll { $0.starts(with: names) }
            leaves.append(names)
        }
        return leaves.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The slot of a path of members, where it is looked into; `nil` for every other place.
    func slot(of place: EventPath) -> Int? {
        guard place.up == 0 else { return nil }
        var names: [String] = []
        for step in place.steps {
            guard case .name(let name) = step else { return nil }
            names.append(name)
        }
        return paths.firstIndex(of: names)
    }

    /// The values at the places, copied out of a record that has been scanned; `nil` where it is not as usual.
    ///
    /// - Parameters:
    ///   - scanned: slots of ``CloudTrailScan/paths``, the first of them at `first`.
    ///   - record: where the record is.
    func excerpt(
        _ scanned: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, of record: JSONSlice,
        scratch: inout [JSONSlice]
    ) -> (text: [UInt8], slots: [JSONSlice])? {
        var slots = [JSONSlice](repeating: .absent, count: paths.count)
        if let members {
            for member in members {
                let slot = scanned[first + member.scanned]
                slots[member.slot] = slot
                guard let inner = member.inner, slot.kind == .object else { continue }
                guard inner.scan(slot, in: text, into: &scratch) == .fields else { return nil }
                for index in member.slots.indices { slots[member.slots[index]] = scratch[index] }
            }
        } else {
            guard fields.scan(record, in: text, into: &slots) == .fields else { return nil }
        }
        var bytes: [UInt8] = []
        var count = 0
        for index in slots.indices where isNeeded(index, slots) { count += slots[index].range.count + 2 }
        bytes.reserveCapacity(count)
        for index in slots.indices where isNeeded(index, slots) {
            slots[index] = slots[index].copied(from: text, to: &bytes)
        }
        return (bytes, slots)
    }

    /// Of a member around a place nothing is needed, unless it is a text that holds JSON.
    private func isNeeded(_ index: Int, _ slots: [JSONSlice]) -> Bool {
        isLeaf[index] || slots[index].kind == .string
    }

    /// The event's tree, as far as it names resources.
    func namingTree(_ slots: [JSONSlice], in text: Swift.Span<UInt8>) throws(JSONError) -> JSON {
        try tree(naming, slots, in: text)
    }

    /// The event's tree, as far as it is looked into.
    func tree(_ slots: [JSONSlice], in text: Swift.Span<UInt8>) throws(JSONError) -> JSON {
        try tree(all, slots, in: text)
    }

    private func tree(_ wanted: [Int], _ slots: [JSONSlice], in text: Swift.Span<UInt8>) throws(JSONError) -> JSON {
        var tree = JSON.object(JSONObject())
        for index in wanted {
            var path = paths[index]
            var slot = slots[index]
            // A name below a text reads the text as JSON: then the text is what is wanted.
            while slot.isAbsent, path.count > 1 {
                path.removeLast()
                if let outer = paths.firstIndex(of: path), slots[outer].kind == .string { slot = slots[outer] }
            }
            if let value = try slot.tree(in: text, limits: EventPlaces.strictly) {
                tree = tree.setting(value, at: path.map(PropertyPath.Step.name)[...])
            }
        }
        return tree
    }

    static let strictly = JSONLimits(rejectsDuplicateKeys: true)
}
