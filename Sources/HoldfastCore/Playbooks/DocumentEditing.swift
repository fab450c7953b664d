internal import HoldfastJSON

/// Changes parts of a document and keeps a list of what it changed.
struct DocumentEditing {
    private(set) var document: JSON
    private(set) var changes: [EditChange] = []

    init(_ document: JSON) { self.document = document }

    /// Takes out what stands at these paths and nothing else, but for what is left empty by it: a binding without
    /// members, a statement without a principal. A member of a list's element is never taken out alone where that
    /// would leave the element saying something else; then the element goes.
    ///
    /// - Returns: `false` where a path names nothing in the document, or all of it; then nothing is changed.
    mutating func remove(_ paths: [PropertyPath]) -> Bool {
        let steps = paths.map(\.steps)
        guard steps.allSatisfy({ !$0.isEmpty && DocumentEditing.exists($0[...], in: document) }) else { return false }
        var removed: [EditChange] = []
        let stripped = DocumentEditing.strip(
            document, of: steps.map { $0[...] }, at: PropertyPath(), in: .init(), changes: &removed)
        guard let stripped else { return false }
        document = stripped
        changes += removed
        return true
    }

    /// What encloses a value while elements are taken out of it.
    private struct Surroundings {
        /// A list's element stands above, which can go when what is in it is left empty.
        var isEnclosed = false
        /// The value is itself a list's element.
        var isElement = false
    }

    private typealias Steps = ArraySlice<PropertyPath.Step>

    private static func exists(_ steps: Steps, in json: JSON) -> Bool {
        guard let step = steps.first else { return true }
        switch (step, json) {
        case (.name(let name), .object(let object)):
            return object[name].map { exists(steps.dropFirst(), in: $0) } ?? false
        case (.index(let index), .array(let elements)):
            return index < elements.count && exists(steps.dropFirst(), in: elements[index])
        case (.index(0), _): return exists(steps.dropFirst(), in: json)
        default: return false
        }
    }

    /// What is left of a value; `nil` where nothing is.
    private static func strip(
        _ json: JSON, of removals: [Steps], at path: PropertyPath, in surroundings: Surroundings,
        changes: inout [EditChange]
    ) -> JSON? {
        if removals.isEmpty { return json }
        if removals.contains(where: \.isEmpty) { return nil }
        switch json {
        case .array(let elements):
            return strip(elements, of: removals, at: path, in: surroundings, changes: &changes)
        case .object(let object):
            // One element, where the cloud allows it to stand without its list.
            if removals.contains(where: { $0.first == .index(0) }) {
                let left = strip([json], of: removals, at: path, in: surroundings, changes: &changes)
                return left?.array?.first ?? left
            }
            return strip(object, of: removals, at: path, in: surroundings, changes: &changes)
        default:
            // A text that stands for a list of one.
            return removals.contains { $0.first == .index(0) } ? nil : json
        }
    }

    private static func strip(
        _ elements: [JSON], of removals: [Steps], at path: PropertyPath, in surroundings: Surroundings,
        changes: inout [EditChange]
    ) -> JSON? {
        var kept: [JSON] = []
        var inside: [EditChange] = []
        for (index, element) in elements.enumerated() {
            let here = path.appending(.index(index))
            let below = removals.filter { $0.first == .index(index) }.map { $0.dropFirst() }
            var nested: [EditChange] = []
            let left = strip(
                element, of: below, at: here, in: .init(isEnclosed: true, isElement: true), changes: &nested)
            if let left {
                kept.append(left)
                inside += nested
            } else {
                inside.append(EditChange(path: here, before: element, after: nil))
            }
        }
        if kept.isEmpty, !elements.isEmpty, surroundings.isEnclosed { return nil }
        changes += inside
        return .array(kept)
    }

    private static func strip(
        _ object: JSONObject, of removals: [Steps], at path: PropertyPath, in surroundings: Surroundings,
        changes: inout [EditChange]
    ) -> JSON? {
        var kept = object
        var inside: [EditChange] = []
        for member in object.members {
            let here = path.appending(.name(member.name))
            let below = removals.filter { $0.first == .name(member.name) }.map { $0.dropFirst() }
            var nested: [EditChange] = []
            let within = Surroundings(isEnclosed: surroundings.isEnclosed, isElement: false)
            kept[member.name] = strip(member.value, of: below, at: here, in: within, changes: &nested)
            if kept[member.name] != nil {
                inside += nested
            } else if surroundings.isElement {
                return nil
            } else {
                inside.append(EditChange(path: here, before: member.value, after: nil))
            }
        }
        if kept.isEmpty, !object.isEmpty, surroundings.isEnclosed { return nil }
        changes += inside
        return .object(kept)
    }

    /// Gives a list an element, unless it has one that is equal.
    ///
    /// - Parameter key: the names in an element that tell it from others.
    /// - Throws: why it cannot be added: another element has the same key, or there is no list.
    mutating func add(_ element: JSON, to list: PropertyPath, key: [String]) throws(PlaybookFault) {
        var elements: [JSON]
        switch document[list] {
        case nil, .null?: elements = []
        case .array(let present)?: elements = present
        case .object(let single)?: elements = [.object(single)]
        default: throw PlaybookFault("\(list) is no list")
        }
        if elements.contains(element) { return }
        let names = key.compactMap { element[$0] }
        if !key.isEmpty, names.count == key.count,
            elements.contains(where: { other in key.compactMap { other[$0] } == names })
        {
            let text = names.compactMap(\.scalarText).joined(separator: "/")
            throw PlaybookFault("\(list) has an element \"\(text)\" that says something else")
        }
        changes.append(EditChange(path: list.appending(.index(elements.count)), before: nil, after: element))
        elements.append(element)
        document = document.setting(.array(elements), at: list.steps[...])
    }

    /// Sets members at any depth; others stay.
    mutating func merge(_ value: JSON, at path: PropertyPath = PropertyPath()) {
        if case .object(let object) = value, !object.isEmpty {
            for member in object.members { merge(member.value, at: path.appending(.name(member.name))) }
            return
        }
        let before = document[path]
        if before == value { return }
        changes.append(EditChange(path: path, before: before, after: value))
        document = document.setting(value, at: path.steps[...])
    }
}

extension JSON {
    /// What stands at a path of names and indexes, `nil` where nothing does.
    subscript(path: PropertyPath) -> JSON? {
        var value = self
        for step in path.steps {
            switch (step, value) {
            case (.name(let name), .object(let object)):
                guard let member = object[name] else { return nil }
                value = member
            case (.index(let index), .array(let elements)):
                guard index < elements.count else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// This value with another at a path; maps are made on the way, an index past the end adds at the end.
    func setting(_ value: JSON, at steps: ArraySlice<PropertyPath.Step>) -> JSON {
        switch steps.first {
        case .name(let name)?:
            var object = self.object ?? JSONObject()
            object[name] = (object[name] ?? .null).setting(value, at: steps.dropFirst())
            return .object(object)
        case .index(let index)?:
            var elements = array ?? []
            if index < elements.count {
                elements[index] = elements[index].setting(value, at: steps.dropFirst())
            } else {
                elements.append(JSON.null.setting(value, at: steps.dropFirst()))
            }
            return .array(elements)
        case .each?, nil: return value
        }
    }
}
