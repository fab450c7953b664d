internal import HoldfastJSON

/// Why a plan, or a part of it, cannot be rendered.
enum PlanStop: Error, Sendable {
    /// A reference names something that is known not to be there.
    case absent(String)
    case proposal(String)
    case nothing(String)
}

/// The element that a `for-each` is at.
struct PlanItem: Sendable {
    /// In the resource, where it stands there.
    var path: PropertyPath?
    /// Its key in its list, where it has one.
    var id: String?
    var value: StateValue
    /// The call in whose shape `$item.before` is wanted.
    var call: CloudCall?
}

extension PlanItem {
    /// The element itself in the shape that the call takes, or what stands below it by the resource's own paths;
    /// without what the call must not send.
    func before(_ steps: ArraySlice<PropertyPath.Step>) -> StateValue {
        guard let call, let path, value.unknownReason == nil else { return value.projected(steps) }
        let list = PropertyPath(Array(path.steps.dropLast()))
        let element = list.appending(.each)
        var json = value.json
        for path in call.readOnlyPaths where path.hasPrefix(element) {
            json = json.removing(path.steps.dropFirst(element.steps.count))
        }
        return StateValue(known: steps.isEmpty ? call.element(json, of: list) : json).projected(steps)
    }
}

/// What the references of a playbook stand for, given one request. Edits and choices are worked out when they are
/// first named.
struct PlanValues {
    let playbook: Playbook
    let request: PlanRequest
    /// For conditions.
    var evaluator: Evaluator
    private let idValues: Variables
    private(set) var edits: [String: RenderedEdit] = [:]
    private var chosen: [String: StateValue] = [:]

    init(playbook: Playbook, request: PlanRequest) {
        self.playbook = playbook
        self.request = request
        let context = EvaluationContext(
            now: request.now, environment: "", place: request.context, labels: .unknown("not read for a plan"),
            lists: request.lists)
        evaluator = Evaluator(request.document, of: request.resource, params: request.params, in: context)
        var values = playbook.type.id.values(in: request.resource.id) ?? [:]
        values["id"] = request.resource.id
        values["account"] = request.context.account.isEmpty ? nil : request.context.account
        values["region"] = request.context.region.isEmpty ? nil : request.context.region
        idValues = values
    }

    /// The edits that were needed, in the order of the file.
    var renderedEdits: [RenderedEdit] { playbook.edits.compactMap { edits[$0.name] } }

    /// What a reference stands for.
    mutating func value(of reference: PlaybookReference, item: PlanItem?) throws(PlanStop) -> StateValue {
        switch reference.root {
        case .resource, .before:
            if playbook.isOfID(reference.path), let text = idValues[reference.path.property ?? ""] {
                return .scalar(.string(text))
            }
            return request.document.projected(reference.path.steps[...])
        case .item:
            guard let item else { throw .proposal("\(reference) stands outside of a for-each") }
            if reference.path.property == "id" {
                guard let id = item.id else {
                    throw .proposal("\(item.path?.description ?? "an element") has no key in its list to name it by")
                }
                return .scalar(.string(id))
            }
            return item.before(reference.path.steps.dropFirst())
        case .last:
            return try lastObserved().projected(reference.path.steps[...])
        case .params: return named(request.params, reference, "the rule has no parameter")
        case .lists:
            let lists = request.lists.mapValues { JSON.array($0.map(JSON.string)) }
            return named(lists, reference, "the configuration has no list")
        case .edits:
            let edit = try edit(reference.name)
            if reference.path.isRoot {
                return edit.isText ? .scalar(.string(edit.after.canonicalText)) : StateValue(known: edit.after)
            }
            return StateValue(known: edit.after).projected(reference.path.steps[...])
        case .chosen:
            return try choice(reference.name).projected(reference.path.steps[...])
        case .result:
            return StateValue(known: ["$result": .string(reference.path.description)])
        }
    }

    private func named(_ values: [String: JSON], _ reference: PlaybookReference, _ what: String) -> StateValue {
        guard let value = values[reference.name] else { return .unknown("\(what) \(reference.name)") }
        return StateValue(known: value).projected(reference.path.steps[...])
    }

    private func lastObserved() throws(PlanStop) -> StateValue {
        let type = playbook.needs?.type.name ?? ""
        guard let last = request.lastObserved else {
            throw .proposal("no state of \(type) was ever observed, so there is nothing to make it again from")
        }
        if let limit = playbook.needs?.atMost, request.now.since(last.at).nanoseconds > limit.nanoseconds {
            throw .proposal("\(type) was last observed at \(last.at), longer ago than \(limit.phrase)")
        }
        return last.state
    }

    /// Renders an edit, once.
    mutating func edit(_ name: String) throws(PlanStop) -> RenderedEdit {
        if let edit = edits[name] { return edit }
        guard let edit = playbook.edits.first(where: { $0.name == name }) else {
            throw .proposal("there is no edit \(name)")
        }
        let found = try document(for: edit)
        var editing = DocumentEditing(found.document)
        if edit.removesOffending { try remove(from: &editing, in: edit) }
        for (list, elements) in edit.additions {
            let key = playbook.type.listKeys[PropertyPath(edit.section.steps + list.steps)] ?? []
            for element in elements {
                guard let value = try filled(element, item: nil, wanted: edit.name) else { continue }
                do {
                    try editing.add(value, to: list, key: key)
                } catch {
                    throw .proposal("\(edit.section): \(error.message)")
                }
            }
        }
        if let merge = edit.merge, let value = try filled(merge, item: nil, wanted: edit.name) { editing.merge(value) }
        let rendered = RenderedEdit(
            name: name, section: edit.section, before: found.wasThere ? found.document : nil, after: editing.document,
            changes: editing.changes, isText: found.isText)
        edits[name] = rendered
        return rendered
    }

    private mutating func document(
        for edit: DocumentEdit
    ) throws(PlanStop) -> (document: JSON, wasThere: Bool, isText: Bool) {
        let value = request.document[edit.section]
        if let reason = value.unknownReason { throw .proposal("\(edit.section) is not known: \(reason)") }
        switch value {
        case .absent:
            guard let start = edit.whenAbsent, let document = try filled(start, item: nil, wanted: edit.name) else {
                throw .nothing("there is no \(edit.section)")
            }
            return (document, false, false)
        case .scalar(.string(let text)):
            do {
                return (try JSON.parse(text), true, true)
            } catch {
                throw .proposal("\(edit.section) is a text that is not JSON: \(error)")
            }
        default: return (value.json, true, false)
        }
    }

    private mutating func remove(from editing: inout DocumentEditing, in edit: DocumentEdit) throws(PlanStop) {
        var paths = request.offending.map(\.path).filter { $0.hasPrefix(edit.section) }
            .map { PropertyPath(Array($0.steps.dropFirst(edit.section.steps.count))) }
        if paths.isEmpty { return }
        if paths.contains(where: \.isRoot) {
            throw .proposal("all of \(edit.section) offends, and no element of it that could be taken out")
        }
        if let only = edit.only {
            var narrowed: [PropertyPath] = []
            for path in paths { narrowed += try parts(of: path, in: editing.document, only) }
            paths = narrowed
        }
        if !editing.remove(paths) {
            throw .proposal("what offends in \(edit.section) is no longer there")
        }
    }

    /// The values in an offending element of which something holds, or the element where it holds of none.
    private mutating func parts(
        of path: PropertyPath, in document: JSON, _ only: PlaybookCondition
    ) throws(PlanStop) -> [PropertyPath] {
        var parts: [PropertyPath] = []
        for clause in only.clauses {
            guard case .property(let below) = clause.subject else { continue }
            let place = PropertyPath(path.steps + below.steps)
            guard let value = document[place] else { continue }
            let places = value.array.map { $0.indices.map { place.appending(.index($0)) } } ?? [place]
            for place in places {
                let value = StateValue(known: document[place] ?? .null)
                let judgement = evaluator.judge(clause.predicate, Cursor(value: value, path: place))
                switch judgement.truth {
                case .yes: parts.append(place)
                case .no: break
                case .unknown:
                    throw .proposal("what of \(path) offends cannot be told: \(judgement.reasons.first ?? "not known")")
                }
            }
        }
        return parts.isEmpty ? [path] : parts
    }

    private mutating func choice(_ name: String) throws(PlanStop) -> StateValue {
        if let value = chosen[name] { return value }
        guard let choice = playbook.choices.first(where: { $0.name == name }) else {
            throw .proposal("there is no choice \(name)")
        }
        let value = request.document[choice.from]
        if let reason = value.unknownReason { throw .proposal("\(choice.from) is not known: \(reason)") }
        guard case .list(let list) = value else { throw .proposal("there is no \(choice.from) to choose from") }
        for candidate in choice.sorted(list.elements.map(\.value)) where fits(candidate, choice) {
            chosen[name] = candidate
            return candidate
        }
        let what = choice.mustPass ? "that passes the rule" : "that fits"
        throw .proposal("of \(list.elements.count) in \(choice.from) there is none \(what)")
    }

    private mutating func fits(_ candidate: StateValue, _ choice: PlaybookChoice) -> Bool {
        if let filter = choice.filter {
            let outcome = filter.outcome(by: &evaluator) { subject in
                if case .property(let path) = subject {
                    candidate[path]
                } else {
                    .unknown("no reference is known here")
                }
            }
            guard outcome == .holds else { return false }
        }
        guard choice.mustPass else { return true }
        guard let trial = request.trial else { return false }
        var document = request.document
        for (property, part) in choice.inPlace {
            document = document.setting(candidate[part], at: property)
        }
        return trial(document) == .pass
    }

    /// A template with its references filled in; `nil` where all of it was left out.
    ///
    /// - Parameter wanted: what it is for, as a message names it.
    mutating func filled(
        _ template: PlaybookTemplate, item: PlanItem?, wanted: String
    ) throws(PlanStop) -> JSON? {
        do {
            return try value(of: template, item: item)
        } catch .absent(let reference) {
            throw .proposal("\(wanted) needs \(reference), which is not there")
        }
    }

    private mutating func value(of template: PlaybookTemplate, item: PlanItem?) throws(PlanStop) -> JSON {
        switch template {
        case .literal(let json): return json
        case .reference(let reference, _):
            let value = try value(of: reference, item: item)
            if let reason = value.unknownReason { throw .proposal("\(reference) is not known: \(reason)") }
            if value == .absent { throw .absent(reference.description) }
            return value.json
        case .list(let elements):
            var values: [JSON] = []
            for element in elements { values.append(try self.value(of: element, item: item)) }
            return .array(values)
        case .map(let members):
            var object = JSONObject()
            for member in members {
                do {
                    object[member.name] = try self.value(of: member.value, item: item)
                } catch .absent(let reference) {
                    if !member.isOptional { throw .absent(reference) }
                }
            }
            return .object(object)
        case .join(let parts):
            var text = ""
            for part in parts {
                let value = try self.value(of: part, item: item)
                guard let piece = value.scalarText else {
                    throw .proposal("\(value.kindName) cannot be joined to a text")
                }
                text += piece
            }
            return .string(text)
        case .json(let inner):
            let value = try self.value(of: inner, item: item)
            return value.string == nil ? .string(value.canonicalText) : value
        }
    }
}

extension PlaybookChoice {
    /// The candidates in the order in which they are tried; those without the property last.
    func sorted(_ candidates: [StateValue]) -> [StateValue] {
        guard let orderBy else { return candidates }
        return candidates.enumerated().sorted { a, b in
            let x = a.element[orderBy].json, y = b.element[orderBy].json
            if x == y { return a.offset < b.offset }
            guard let first = x.scalarText else { return false }
            guard let second = y.scalarText else { return true }
            let rises =
                if case .number(let x) = x, case .number(let y) = y { x.double < y.double } else {
                    first.precedesInUTF8(second)
                }
            return rises != isDescending
        }.map(\.element)
    }
}

extension StateValue {
    /// The value below a path; `[]` makes a list of what stands below each element.
    func projected(_ steps: ArraySlice<PropertyPath.Step>) -> StateValue {
        guard let each = steps.firstIndex(of: .each) else { return self[PropertyPath(Array(steps))] }
        switch self[PropertyPath(Array(steps[..<each]))] {
        case .list(let list):
            let rest = steps[(each + 1)...]
            return .list(
                StateList(
                    list.elements.map { .init(value: $0.value.projected(rest)) }, openBecause: list.openBecause))
        case .unknown(let reason): return .unknown(reason)
        default: return .absent
        }
    }
}

extension Span {
    /// As the data files write it, in the largest unit that is whole.
    package var phrase: String {
        for (unit, scale) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] as [(String, Int64)] {
            let (count, rest) = nanoseconds.quotientAndRemainder(dividingBy: scale * 1_000_000_000)
            if rest == 0, count > 0 { return "\(count)\(unit)" }
        }
        return "\(nanoseconds / 1_000_000)ms"
    }
}
