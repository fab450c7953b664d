internal import HoldfastJSON

/// Takes an edit back on a document that others may have changed since.
///
/// What the edit took out is put back, what it added is taken out, and what it set is set to what it was; everything
/// else in the document stays. An element that others have changed or removed since is never guessed at.
struct EditReversal {
    private let edit: EditedDocument
    private let keys: ListKeys
    private(set) var changedAnything = false

    init(_ edit: EditedDocument, keys: ListKeys) {
        self.edit = edit
        self.keys = keys
    }

    /// - Parameters:
    ///   - found: what stands at the edit's section now.
    ///   - inverse: the edit's changes turned round, last to first.
    mutating func document(from found: StateValue, taking inverse: [EditChange]) throws(UndoFault) -> JSON {
        var document = try self.document(in: found)
        for change in inverse where !change.isPutBack { document = try taking(change, document) }
        // Elements go back first to last, so that each finds the place that it had.
        for change in inverse.reversed() where change.isPutBack { document = try puttingBack(change, into: document) }
        return document
    }

    /// The document that the edit began with, by its own record.
    func beginning(_ inverse: [EditChange]) -> JSON? {
        var other = self
        return try? other.document(from: StateValue(known: edit.after), taking: inverse)
    }

    private func document(in found: StateValue) throws(UndoFault) -> JSON {
        if found == .absent {
            // Clouds leave a list out that has no element.
            if edit.after == .array([]) { return .array([]) }
            throw UndoFault(.changedSince, "there is no \(edit.section) any more")
        }
        guard let text = found.json.string else { return found.json }
        do { return try JSON.parse(text) } catch {
            throw UndoFault(.changedSince, "\(edit.section) is now a text that is no JSON")
        }
    }

    // MARK: Members that were set, elements that were added

    private mutating func taking(_ change: EditChange, _ document: JSON) throws(UndoFault) -> JSON {
        if case .index? = change.path.steps.last { return try takingOut(change, of: document) }
        let path = try place(of: change.path, in: document)
        let now = document[path]
        if now == change.after { return document }
        guard now == change.before else { throw changed(change.path, now) }
        changedAnything = true
        return document.replacing(change.after, at: path.steps[...])
    }

    private mutating func takingOut(_ change: EditChange, of document: JSON) throws(UndoFault) -> JSON {
        let list = try place(of: PropertyPath(Array(change.path.steps.dropLast())), in: document)
        guard let element = change.before, let elements = document[list]?.array else { return document }
        guard let index = elements.lastIndex(of: element) else {
            // Whoever took it out did what was to be done; who changed it did not.
            if let other = sibling(of: element, in: elements, at: change.path) { throw changed(change.path, other) }
            return document
        }
        changedAnything = true
        var left = elements
        left.remove(at: index)
        return document.setting(.array(left), at: list.steps[...])
    }

    // MARK: Elements that were taken out

    private mutating func puttingBack(_ change: EditChange, into document: JSON) throws(UndoFault) -> JSON {
        guard let element = change.after, case .index(let index)? = change.path.steps.last else { return document }
        let list = try place(of: PropertyPath(Array(change.path.steps.dropLast())), in: document)
        var elements = try self.elements(of: list, in: document)
        if elements.contains(element) { return document }
        if let other = sibling(of: element, in: elements, at: change.path) { throw changed(change.path, other) }
        changedAnything = true
        elements.insert(element, at: min(index, elements.count))
        return document.setting(.array(elements), at: list.steps[...])
    }

    /// The elements of a list, which clouds also write as one alone, or leave out where there is none.
    private func elements(of list: PropertyPath, in document: JSON) throws(UndoFault) -> [JSON] {
        switch document[list] {
        case .array(let elements)?: return elements
        case nil, .null?: return []
        case let single?: return [single]
        }
    }

    /// Another element with the key of this one.
    private func sibling(of element: JSON, in elements: [JSON], at path: PropertyPath) -> JSON? {
        let list = whole(Array(path.steps.dropLast()))
        guard let key = keys.key(of: element, in: list) else { return nil }
        return elements.first { keys.key(of: $0, in: list) == key }
    }

    // MARK: Places

    /// Where a place of the edited document is now: others may have added or removed elements of the lists above it.
    private func place(of path: PropertyPath, in document: JSON) throws(UndoFault) -> PropertyPath {
        var here = PropertyPath()
        for (depth, step) in path.steps.enumerated() {
            guard case .index(let index) = step else {
                here = here.appending(step)
                continue
            }
            let original = PropertyPath(Array(path.steps.prefix(depth + 1)))
            let below = path.steps.dropFirst(depth + 1).first
            guard let element = edit.before?[original] else {
                throw UndoFault(.changedSince, "\(original) is not in the record of what was edited")
            }
            let candidates = document[here]?.array ?? []
            let list = whole(Array(path.steps.prefix(depth)))
            let fitting = candidates.indices.filter { isSame(element, candidates[$0], but: below, in: list) }
            guard let found = fitting.first, fitting.count == 1 else {
                let what = fitting.isEmpty ? "is no longer there" : "cannot be told from another like it"
                throw UndoFault(.changedSince, "the element of \(list) that was at \(index) \(what)")
            }
            here = here.appending(.index(found))
        }
        return here
    }

    /// By its key, where its list has keys; else by everything in it but the member that the edit changed.
    private func isSame(_ element: JSON, _ other: JSON, but changed: PropertyPath.Step?, in list: PropertyPath) -> Bool
    {
        if let key = keys.key(of: element, in: list) { return keys.key(of: other, in: list) == key }
        guard case .name(let name)? = changed, var own = element.object, var theirs = other.object else {
            return element == other
        }
        own[name] = nil
        theirs[name] = nil
        return own == theirs
    }

    /// A path in the document as one of the resource, without indexes.
    private func whole(_ steps: [PropertyPath.Step]) -> PropertyPath {
        PropertyPath(edit.section.steps + steps).withoutIndexes
    }

    private func changed(_ path: PropertyPath, _ now: JSON?) -> UndoFault {
        let place = PropertyPath(edit.section.steps + path.steps)
        return UndoFault(
            .changedSince, "\(place) was changed by others since; it is now \(now?.canonicalText ?? "gone")")
    }
}

extension EditChange {
    /// Of a change turned round: an element of a list that goes back where it was.
    fileprivate var isPutBack: Bool {
        if case .index? = path.steps.last { return before == nil && after != nil }
        return false
    }
}

extension JSON {
    /// This value with another at a path of names and indexes, or without what stands there.
    fileprivate func replacing(_ value: JSON?, at steps: ArraySlice<PropertyPath.Step>) -> JSON {
        if let value { return setting(value, at: steps) }
        switch (steps.first, self) {
        case (.name(let name)?, .object(var object)):
            object[name] = steps.count == 1 ? nil : object[name]?.replacing(nil, at: steps.dropFirst())
            return .object(object)
        case (.index(let index)?, .array(var elements)) where index < elements.count:
            elements[index] = elements[index].replacing(nil, at: steps.dropFirst())
            return .array(elements)
        default: return self
        }
    }
}
