internal import HoldfastCrypto
internal import HoldfastJSON

extension Playbook {
    /// Renders what would be done about a finding. A value that is needed and not known makes a proposal that says
    /// which; a call with a hole in it is never made.
    package func plan(_ request: PlanRequest) -> PlanOutcome {
        guard remedies.contains(request.rule) else { return .nothing("\(id) does not remedy \(request.rule)") }
        guard request.resource.type == type.name else { return .nothing("\(id) is not for \(request.resource.type)") }
        var renderer = PlanRenderer(playbook: self, request: request, title: title)
        do {
            var plan = try renderer.plan(steps)
            for alternative in alternatives {
                var other = PlanRenderer(playbook: self, request: request, title: alternative.title)
                // An alternative that cannot be rendered is simply not offered.
                if let rendered = try? other.plan(alternative.steps) { plan.alternatives.append(rendered) }
            }
            return renderer.asks.map { .proposal($0, plan) } ?? .plan(plan)
        } catch {
            switch error {
            case .nothing(let reason): return .nothing(reason)
            case .proposal(let reason): return .proposal(reason, nil)
            case .absent(let reference): return .proposal("\(reference) is not there", nil)
            }
        }
    }
}

/// Renders the steps of one playbook for one request.
struct PlanRenderer {
    let playbook: Playbook
    let request: PlanRequest
    let title: String
    var values: PlanValues
    /// Why a person must decide although the plan could be carried out.
    private(set) var asks: String?
    private var steps: [RenderedStep] = []
    /// Why steps were left out; and whether a condition left one out, so that what offends may stay as it is.
    private var skipped: [String] = []
    private var isConditional = false

    /// A step with what of it goes into the digest.
    struct RenderedStep {
        var planned: PlannedStep
        /// The parameters with each edited document replaced by the edit's name.
        var digested: JSON
        var itemPath: PropertyPath?
        /// The edits that it sends and that take out what offends.
        var edits: [String]
    }

    init(playbook: Playbook, request: PlanRequest, title: String) {
        self.playbook = playbook
        self.request = request
        self.title = title
        values = PlanValues(playbook: playbook, request: request)
    }

    mutating func plan(_ steps: [PlaybookStep]) throws(PlanStop) -> Plan {
        for step in steps {
            if let loop = step.loop {
                let items = try items(of: loop)
                if items.isEmpty { skipped.append("\(step.call): there is no element to do it for") }
                if items.count > step.bound {
                    asks =
                        "\(step.call) would be made \(items.count) times; \(playbook.id) does it at most "
                        + "\(step.bound) times on its own"
                }
                for item in items { try render(step, item: item) }
            } else {
                try render(step, item: nil)
            }
        }
        if self.steps.isEmpty {
            let reasons = skipped.joined(separator: "; ")
            throw isConditional ? .proposal("no step of \(playbook.id) applies: \(reasons)") : .nothing(reasons)
        }
        return assembled()
    }

    private func assembled() -> Plan {
        let digest = PlanDigest(playbook: playbook, request: request, edits: values.renderedEdits, steps: steps)
        return Plan(
            finding: request.finding, rule: request.rule, resource: request.resource, incarnation: request.incarnation,
            context: request.context, playbook: playbook.id, playbookDigest: playbook.digest, title: title,
            risk: playbook.risk, edits: values.renderedEdits, steps: steps.map(\.planned), warnings: warnings(),
            alternatives: [], tellsActor: playbook.tellsActor, grace: playbook.grace, digest: digest.value)
    }

    private mutating func items(of loop: PlaybookStep.Loop) throws(PlanStop) -> [PlanItem] {
        switch loop {
        case .offending(let list):
            var items: [PlanItem] = []
            for offending in request.offending {
                if let list, list.hasPrefix(offending.path) {
                    for item in try elements(of: list) where !items.contains(where: { $0.path == item.path }) {
                        items.append(item)
                    }
                    continue
                }
                guard let element = offending.element(of: list) else { continue }
                let item = try item(at: element, key: offending.path == element ? offending.key : nil)
                if !items.contains(where: { $0.path == item.path }) { items.append(item) }
            }
            return items
        case .list(let reference):
            let isOfResource = reference.root == .resource || reference.root == .before
            if isOfResource, !reference.path.steps.contains(.each) { return try elements(of: reference.path) }
            let value = try values.value(of: reference, item: nil)
            if let reason = value.unknownReason { throw .proposal("\(reference) is not known: \(reason)") }
            guard case .list(let list) = value else { return [] }
            return list.elements.map { PlanItem(path: nil, id: nil, value: $0.value) }
        }
    }

    /// All elements of a list of the resource.
    private func elements(of list: PropertyPath) throws(PlanStop) -> [PlanItem] {
        let value = request.document[list]
        if let reason = value.unknownReason { throw .proposal("\(list) is not known: \(reason)") }
        guard case .list(let found) = value else { return [] }
        return found.elements.enumerated().map { index, element in
            PlanItem(
                path: list.appending(.index(index)), id: playbook.type.keys.key(of: element.value.json, in: list),
                value: element.value)
        }
    }

    /// The offending element at a path; where it has a key by the catalog, wherever in its list it now stands.
    private func item(at path: PropertyPath, key: String?) throws(PlanStop) -> PlanItem {
        var path = path
        let listPath = PropertyPath(Array(path.steps.dropLast()))
        if let key, case .index(let index)? = path.steps.last, case .list(let list) = request.document[listPath] {
            let keys = list.elements.map { $0.key ?? playbook.type.keys.key(of: $0.value.json, in: listPath) }
            if let found = keys.firstIndex(of: key) {
                path = listPath.appending(.index(found))
            } else if index >= keys.count || keys[index] != nil {
                throw .proposal("\(listPath) no longer has the element \(key) that offends")
            }
        }
        let value = request.document[path]
        if let reason = value.unknownReason { throw .proposal("\(path) is not known: \(reason)") }
        if value == .absent { throw .proposal("what offends at \(path) is no longer there") }
        return PlanItem(path: path, id: playbook.type.keys.key(of: value.json, in: listPath), value: value)
    }

    private mutating func render(_ step: PlaybookStep, item: PlanItem?) throws(PlanStop) {
        if let when = step.when, try !holds(when, for: step, item: item) { return }
        guard let call = playbook.calls[step.call] else { throw .proposal("the catalog has no call \(step.call)") }
        let planned = try self.call(call, step.with, item: item)
        let names = step.with.references.filter { $0.0.root == .edits }.map(\.0.name)
        if !names.isEmpty, names.allSatisfy({ values.edits[$0]?.changes.isEmpty ?? false }) {
            skipped.append("\(step.call): the document is already as it should be")
            return
        }
        let writes = PlanRenderer.written(by: call, sending: .object(planned.parameters))
        var rendered = PlannedStep(
            call: planned, why: step.why ?? title, item: item?.path?.description, writes: writes, precondition: nil,
            verify: verification(of: step, call), undo: try undo(step, of: call, writes: writes, item: item))
        if let reference = step.ifMatch {
            let value = try values.value(of: reference, item: item)
            rendered.precondition = (reference.description, value.unknownReason == nil ? value.json : .null)
            rendered.call.precondition = rendered.precondition?.value
            rendered.undo.precondition = reference.description
        }
        let removing = playbook.edits.filter { names.contains($0.name) && $0.removesOffending }.map(\.name)
        steps.append(
            RenderedStep(
                planned: rendered, digested: try digested(step.with, of: call, item: item), itemPath: item?.path,
                edits: removing))
    }

    /// Where a whole edited document stands in a step's parameters.
    private func document(
        _ edit: RenderedEdit, in template: PlaybookTemplate, at place: PropertyPath = PropertyPath(),
        isText: Bool = false
    ) -> EditedDocument? {
        switch template {
        case .reference(let reference, _)
        where reference.root == .edits && reference.name == edit.name && reference.path.isRoot:
            EditedDocument(
                section: edit.section, place: place, isText: isText || edit.isText, before: edit.before,
                after: edit.after)
        case .json(let inner): document(edit, in: inner, at: place, isText: true)
        case .map(let members) where !isText:
            members.lazy.compactMap { document(edit, in: $0.value, at: place.appending(.name($0.name))) }.first
        default: nil
        }
    }

    private mutating func holds(
        _ when: PlaybookCondition, for step: PlaybookStep, item: PlanItem?
    ) throws(PlanStop) -> Bool {
        // References are worked out first, for an edit that cannot be made must stop the plan and not the condition.
        var known: [PlaybookReference: StateValue] = [:]
        for clause in when.clauses {
            guard case .reference(let reference) = clause.subject else { continue }
            known[reference] = try values.value(of: reference, item: item)
        }
        let outcome = when.outcome(by: &values.evaluator) { [request] subject in
            switch subject {
            case .reference(let reference): known[reference] ?? .absent
            case .property(let path): request.document[path]
            }
        }
        switch outcome {
        case .holds: return true
        case .fails(let asked):
            skipped.append("\(step.call) is done only where \(asked)")
            isConditional = true
            return false
        case .unknown(let reason):
            throw .proposal("whether \(step.call) is needed cannot be told: \(reason)")
        }
    }

    private mutating func call(
        _ call: CloudCall, _ with: PlaybookTemplate, item: PlanItem?
    ) throws(PlanStop) -> PlannedCall {
        var item = item
        item?.call = call
        let parameters = try values.filled(with, item: item, wanted: call.name)?.object ?? JSONObject()
        return PlannedCall(
            name: call.name, request: call.request, permission: call.permission, parameters: parameters)
    }

    private func verification(of step: PlaybookStep, _ call: CloudCall) -> String {
        if let until = step.waitUntil, let limit = step.waitAtMost {
            return "\(until.phrase(request.params)) within \(limit.phrase)"
        }
        guard let wait = call.wait else { return "\(request.rule) passes when the resource is read again" }
        let until = wait.until.map { "\($0.path) is \($0.value.scalarText ?? $0.value.kindName)" }
        return "\(until.joined(separator: " and ")) within \(wait.atMost.phrase)"
    }

    private mutating func undo(
        _ step: PlaybookStep, of call: CloudCall, writes: [PropertyPath], item: PlanItem?
    ) throws(PlanStop) -> PlannedUndo {
        switch step.undo {
        case .irreversible(let reason): return PlannedUndo(grade: .irreversible(reason: reason), means: .none)
        case .call(let name, let with, let grade):
            guard let inverse = playbook.calls[name] else { throw .proposal("the catalog has no call \(name)") }
            return PlannedUndo(grade: grade, means: .call(try self.call(inverse, with, item: item)))
        case .inverseEdit(let name):
            let edit = try values.edit(name)
            let grade = UndoGrade.equivalent(loses: "the order of the elements that are put back")
            return PlannedUndo(
                grade: grade, means: .inverseEdit(name, edit.changes.reversed().map(\.inverse)),
                document: document(edit, in: step.with))
        case .restore:
            // A call that takes a section away is undone by the one that writes it.
            let writer = call.writer(among: playbook.calls.values)
            let before = writes.map { ($0, request.document[$0]) }
            let isKnown = before.allSatisfy { $0.1.unknownReason == nil }
            return PlannedUndo(
                grade: .exact,
                means: .restore(
                    writes, with: writer?.name ?? call.name,
                    whenAbsent: writer == nil ? call.inverseWhenAbsent : call.name,
                    before: isKnown ? .object(JSONObject(before.map { ($0.0.description, $0.1.json) })) : nil))
        }
    }

    /// The sections that a call changes: of those that it can write, the ones that it sends, where what it sends is
    /// named like the properties; otherwise all of them. A call that makes or deletes a whole resource has none.
    static func written(by call: CloudCall, sending parameters: JSON) -> [PropertyPath] {
        let bodies = [parameters, parameters["body"]].compactMap { $0 }
        let sections = call.writes.filter { !$0.isRoot }
        let sent = sections.filter { path in bodies.contains { sends(path.steps[...], in: $0) } }
        return (sent.isEmpty ? sections : sent).sorted()
    }

    private static func sends(_ steps: ArraySlice<PropertyPath.Step>, in json: JSON) -> Bool {
        guard case .name(let name)? = steps.first else { return true }
        guard let object = json.object else { return true }
        let member = object.members.first { $0.name.lowercased() == name.lowercased() }
        return member.map { sends(steps.dropFirst(), in: $0.value) } ?? false
    }

    /// The parameters with each edited document replaced by the edit's name: what the edit does is digested apart
    /// from what else is in the document.
    private mutating func digested(
        _ with: PlaybookTemplate, of call: CloudCall, item: PlanItem?
    ) throws(PlanStop) -> JSON {
        var item = item
        item?.call = call
        return try values.filled(with.withoutEdits, item: item, wanted: "the digest") ?? .null
    }

    private func warnings() -> [String] {
        var warnings: [String] = []
        for (index, step) in steps.enumerated() {
            if case .irreversible(let reason) = step.planned.undo.grade {
                warnings.append("step \(index + 1) cannot be undone: \(reason)")
            }
            for path in step.planned.writes {
                guard let reason = request.document[path].unknownReason else { continue }
                warnings.append("\(path), which step \(index + 1) writes, is not known before it is read: \(reason)")
            }
        }
        // A step that sets something else may well put right what offends; one that is about elements only these.
        guard steps.allSatisfy(isAboutElements) else { return warnings }
        for path in request.offending.map(\.path) where !isTouched(path) {
            warnings.append("\(path) offends, and no step changes it")
        }
        return warnings
    }

    private func isAboutElements(_ step: RenderedStep) -> Bool {
        step.itemPath != nil || !step.edits.isEmpty
    }

    private func isTouched(_ path: PropertyPath) -> Bool {
        steps.contains { step in
            if let item = step.itemPath { return path.hasPrefix(item) || item.hasPrefix(path) }
            return step.edits.contains { name in
                playbook.edits.contains { $0.name == name && path.hasPrefix($0.section) }
            }
        }
    }
}

extension PlaybookTemplate {
    /// The template with each reference to an edit replaced by the edit's name.
    fileprivate var withoutEdits: PlaybookTemplate {
        switch self {
        case .reference(let reference, _) where reference.root == .edits:
            .literal(["$edit": .string(reference.description)])
        case .literal, .reference: self
        case .list(let elements): .list(elements.map(\.withoutEdits))
        case .map(let members):
            .map(
                members.map { member in
                    var member = member
                    member.value = member.value.withoutEdits
                    return member
                })
        case .join(let parts): .join(parts)
        case .json(let inner): .json(inner.withoutEdits)
        }
    }
}

extension Offending {
    /// The list's element that it is or stands in: of the list where one is meant, else of the innermost.
    func element(of list: PropertyPath?) -> PropertyPath? {
        if let list {
            guard path.hasPrefix(list), path.steps.count > list.steps.count, case .index = path.steps[list.steps.count]
            else { return nil }
            return PropertyPath(Array(path.steps.prefix(list.steps.count + 1)))
        }
        let last = path.steps.lastIndex { if case .index = $0 { true } else { false } }
        return last.map { PropertyPath(Array(path.steps.prefix($0 + 1))) } ?? path
    }
}
