package import HoldfastJSON

/// The key of a list's element: what tells it from the others when the list is reordered.
package struct ListKeys: Sendable, Hashable {
    /// The list's path -> the names in an element whose values make the key; no names: the element, a scalar, is it.
    package var names: [PropertyPath: [String]]
    /// Names that differ only in letter case are one name (so Azure has it); keys are in lower case then.
    package var ignoresCase: Bool
    package init(_ names: [PropertyPath: [String]] = [:], ignoresCase: Bool = false) {
        self.names = names
        self.ignoresCase = ignoresCase
    }

    /// The values of the key's names, joined by `/`, missing ones empty; `nil` where the list has no key or the
    /// element has none of the names.
    package func key(of element: JSON, in list: PropertyPath) -> String? {
        guard let names = names[list] else { return nil }
        if names.isEmpty { return element.scalarText.map(key) }
        guard let object = element.object else { return nil }
        let values = names.map { object[$0]?.scalarText ?? "" }
        return values.allSatisfy(\.isEmpty) ? nil : key(values.joined(separator: "/"))
    }

    /// A text as a key.
    package func key(_ text: String) -> String { ignoresCase ? text.lowercased() : text }
}

/// What a set of evidence says of a resource, taken together.
package struct ResourceView: Sendable {
    package private(set) var isDeleted = false
    /// Stands for the incarnation: the last creation or deletion, or `-` where none was seen.
    package private(set) var incarnation = "-"
    /// The configuration; an open map unless all of it was read.
    package private(set) var document: StateValue
    /// What made the document what it is, in order; later ones came over earlier ones.
    package private(set) var applied: [EvidenceItem] = []

    private let keys: ListKeys

    package init(of evidence: EvidenceSet, keys: ListKeys) {
        self.init(uncompacted: evidence.items, resolution: evidence.resolution, keys: keys)
    }

    /// The fold itself: all items, sorted. Says the same of a set and of what compaction leaves of it.
    package init(uncompacted items: [EvidenceItem], resolution: Span, keys: ListKeys) {
        self.keys = keys
        document = .map(StateMap([], openBecause: "never read"))
        for index in items.indices {
            apply(items[index], rivals: ResourceView.rivals(of: index, in: items, within: resolution))
        }
    }

    /// The earlier ones of a moment that is an item's own too: they stand right before it.
    private static func rivals(of index: Int, in items: [EvidenceItem], within resolution: Span) -> [EvidenceItem] {
        let item = items[index]
        var rivals: [EvidenceItem] = []
        for earlier in items[..<index].reversed() {
            let apart = item.time.since(earlier.time).nanoseconds
            if apart != 0, apart >= resolution.nanoseconds { break }
            if earlier.isUnordered(with: item, within: resolution) { rivals.append(earlier) }
        }
        return rivals.reversed()
    }

    /// The newest evidence that says something of one of these paths (of any path where there are none).
    package func newest(touching paths: [PropertyPath]) -> EvidenceItem? {
        applied.last { item in
            guard let path = item.path else { return true }
            return paths.isEmpty || paths.contains { $0.hasPrefix(path) || path.hasPrefix($0) }
        }
    }

    /// Whether all that is known of these paths was read from the cloud, and nothing only reported.
    package func isObserved(_ paths: [PropertyPath]) -> Bool {
        var seen = false
        for item in applied {
            guard let path = item.path, paths.contains(where: { $0.hasPrefix(path) || path.hasPrefix($0) })
            else { continue }
            if item.source == .reported { return false }
            seen = true
        }
        return seen
    }

    private mutating func apply(_ item: EvidenceItem, rivals: [EvidenceItem]) {
        // The name is another's by now.
        if item.origin.isByName, isDeleted, !item.isBoundary { return }
        switch item.change {
        case .created, .deleted: applyBoundary(item)
        case .set(let path, let value):
            revive()
            set(path, to: keyed(value, at: path))
        case .touched(let path):
            revive()
            set(path, to: .unknown("changed by \(item.origin.action), which does not say to what"))
        case .put(let list, let key, let value):
            revive()
            change(list: list, key: key, to: .init(key: key, value: keyed(value, at: list.appending(.each))))
        case .remove(let list, let key):
            revive()
            change(list: list, key: key, to: nil)
        }
        // What this item covers is no longer among the causes; creation and deletion begin anew.
        if item.isBoundary { applied = [] }
        applied.append(item)
        for rival in rivals where !rival.isBoundary && !item.isBoundary { doubt(item, rival) }
    }

    private mutating func applyBoundary(_ item: EvidenceItem) {
        document = .map(StateMap([], openBecause: "not told by the event that created it"))
        isDeleted = item.change == .deleted
        incarnation = "\(item.time.nanoseconds)/\(item.origin.event)"
    }

    /// Evidence after a deletion: the resource is there again, though nobody told of its creation.
    private mutating func revive() { isDeleted = false }

    /// Two events of one moment about one thing: both are kept, and neither is believed unless they agree.
    private mutating func doubt(_ a: EvidenceItem, _ b: EvidenceItem) {
        guard let path = a.path, let other = b.path, path.hasPrefix(other) || other.hasPrefix(path),
            a.change != b.change
        else { return }
        // Where one of them is about an element, only that element is in doubt: the other leaves the rest alone.
        let reason = "two events in one moment: \(a.origin.action) and \(b.origin.action)"
        switch (a.key, b.key) {
        case (let key?, let other?) where key != other: return
        case (let key?, _): change(list: path, key: key, to: .init(key: key, value: .unknown(reason)))
        case (nil, let key?): change(list: other, key: key, to: .init(key: key, value: .unknown(reason)))
        case (nil, nil): set(path.steps.count > other.steps.count ? path : other, to: .unknown(reason))
        }
    }

    private mutating func set(_ path: PropertyPath, to value: StateValue) {
        document = ResourceView.setting(value, at: path.steps[...], in: document)
    }

    private static func setting(
        _ value: StateValue, at steps: ArraySlice<PropertyPath.Step>, in tree: StateValue
    ) -> StateValue {
        guard case .name(let name)? = steps.first else { return value }
        var map: StateMap
        switch tree {
        case .map(let known): map = known
        case .unknown(let reason): map = StateMap([], openBecause: reason)
        default: map = StateMap([], openBecause: "never read")
        }
        map[name] = setting(value, at: steps.dropFirst(), in: map[name])
        return .map(map)
    }

    private mutating func change(list path: PropertyPath, key: String, to element: StateList.Element?) {
        var list: StateList
        switch document[path] {
        case .list(let known): list = known
        case .unknown(let reason): list = StateList([], openBecause: reason)
        case .absent: list = StateList([])
        default: list = StateList([], openBecause: "never read")
        }
        if element == nil, list.elements.contains(where: { $0.key == nil }) {
            set(path, to: .unknown("an element went that cannot be told from the others"))
            return
        }
        list.elements.removeAll { $0.key == key }
        if let element { list.elements.append(element) }
        // By key, so that the order does not depend on which superseded items are still there.
        list.elements.sort { ($0.key ?? "").precedesInUTF8($1.key ?? "") }
        set(path, to: .list(list))
    }

    /// A known value whose lists have their elements' keys.
    private func keyed(_ json: JSON, at path: PropertyPath) -> StateValue {
        switch json {
        case .array(let elements):
            .list(
                StateList(
                    elements.map { element in
                        .init(key: keys.key(of: element, in: path), value: keyed(element, at: path.appending(.each)))
                    }))
        case .object(let object):
            .map(StateMap(object.members.map { ($0.name, keyed($0.value, at: path.appending(.name($0.name)))) }))
        default: StateValue(known: json)
        }
    }
}
