internal import HoldfastJSON

/// The places in an event's text that its meaning looks into: found in one pass over the text, and made into trees
/// when they are needed. What names resources is needed first, and often alone.
struct EventPlaces: Sendable {
    let fields: FieldSet
    /// Paths of members; the slot of each is its index here.
    private let paths: [[String]]
    /// Indices of the paths that name resources.
    private let naming: [Int]
    /// Indices of all paths that are looked into.
    private let all: [Int]

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
        self.paths = paths
        self.naming = first.compactMap { paths.firstIndex(of: $0) }
        all = every.compactMap { paths.firstIndex(of: $0) }
        fields = FieldSet(paths: paths, usual: CloudTrailScan.usual)
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
