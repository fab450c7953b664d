internal import HoldfastJSON

/// Holds a playbook against the catalog and the rules: every call, path and reference must exist.
struct PlaybookCheck {
    let playbook: Playbook
    let vocabulary: PlaybookVocabulary
    private let space: PathSpace
    private var found: [Problem] = []

    init(playbook: Playbook, vocabulary: PlaybookVocabulary) {
        space = PathSpace(playbook.type)
        self.playbook = playbook
        self.vocabulary = vocabulary
    }

    /// Where a reference stands decides what it may name.
    private struct Scope {
        var inLoop = false
        var inUndo = false
        /// The list that the loop is over, where it is known.
        var list: PropertyPath?
    }

    func problems() -> [Problem] {
        var check = self
        for edit in playbook.edits { check.check(edit) }
        for choice in playbook.choices { check.check(choice) }
        for step in playbook.steps + playbook.alternatives.flatMap(\.steps) { check.check(step) }
        check.checkUse()
        if playbook.steps.isEmpty {
            check.found.append(Problem("\"steps\" is empty; a playbook does something", at: playbook.place))
        }
        for test in playbook.tests { check.check(test) }
        return check.found.sorted { $0.place < $1.place }
    }

    /// What is never named does nothing.
    private mutating func checkUse() {
        let used = Set(playbook.references.map { "\($0.root.rawValue) \($0.name)" })
        for edit in playbook.edits where !used.contains("edits \(edit.name)") {
            found.append(Problem("no step sends $edits.\(edit.name); use it, or leave it out", at: edit.place))
        }
        for choice in playbook.choices where !used.contains("chosen \(choice.name)") {
            found.append(Problem("no step names $chosen.\(choice.name); use it, or leave it out", at: choice.place))
        }
        if let need = playbook.needs, !used.contains("last ") {
            found.append(Problem("no step names $last; use it, or leave needs out", at: need.place))
        }
    }

    private mutating func check(_ edit: DocumentEdit) {
        check(edit.section, of: playbook.type, at: edit.place)
        for clause in edit.only?.clauses ?? [] {
            guard case .reference(let reference) = clause.subject else { continue }
            found.append(Problem("\(reference) cannot stand here; name what is in the element", at: clause.place))
        }
        let templates = edit.additions.flatMap(\.elements) + [edit.whenAbsent, edit.merge].compactMap { $0 }
        for (reference, place) in templates.flatMap(\.references) {
            if [.edits, .item, .result].contains(reference.root) {
                found.append(Problem("\(reference) cannot stand in an edit", at: place))
            } else {
                check(reference, at: place, in: Scope())
            }
        }
    }

    private mutating func check(_ choice: PlaybookChoice) {
        check(choice.from, of: playbook.type, at: choice.place)
        let element = choice.from.appending(.each)
        for path in [choice.orderBy].compactMap({ $0 }) + choice.inPlace.map(\.candidate) {
            check(PropertyPath(element.steps + path.steps), of: playbook.type, at: choice.place)
        }
        for (property, _) in choice.inPlace { check(property, of: playbook.type, at: choice.place) }
        if let filter = choice.filter { check(filter, in: Scope()) }
    }

    private mutating func check(_ step: PlaybookStep) {
        var scope = Scope()
        switch step.loop {
        case .offending(let list):
            scope.inLoop = true
            scope.list = list
            if let list { check(list, of: playbook.type, at: step.place) }
        case .list(let reference):
            scope.inLoop = true
            if reference.root == .resource { scope.list = reference.path }
            check(reference, at: step.place, in: Scope())
        case nil: break
        }
        if let call = vocabulary.catalog.call(step.call) {
            check(step.with, of: call, at: step.place)
            check(step, undoneAfter: call, in: scope)
            if step.ifMatch != nil, call.precondition.isEmpty {
                found.append(Problem("\(call.name) takes no precondition; leave if-match out", at: step.place))
            }
        } else {
            found.append(Problem(vocabulary.unknownCall(step.call), at: step.place))
        }
        for (reference, place) in step.with.references { check(reference, at: place, in: scope) }
        if let reference = step.ifMatch { check(reference, at: step.place, in: scope) }
        if let condition = step.when { check(condition, in: scope) }
        if let condition = step.waitUntil { check(condition, in: Scope()) }
    }

    private mutating func check(_ step: PlaybookStep, undoneAfter call: CloudCall, in scope: Scope) {
        let secret = playbook.type.secret.first { secret in
            call.writes.contains { $0.hasPrefix(secret) || secret.hasPrefix($0) }
        }
        switch step.undo {
        case .irreversible: return
        case _ where secret != nil:
            let message =
                "\(call.name) writes \(secret?.description ?? ""), which is secret and never kept, so nothing can "
                + "restore it; undo must be {irreversible: reason}"
            found.append(Problem(message, at: step.undoPlace))
        case .restore, .inverseEdit:
            if call.writes.allSatisfy(\.isRoot) {
                let message =
                    "\(call.name) states in the catalog no section that it writes, so none can be restored; "
                    + "undo must be a call or {irreversible: reason}"
                found.append(Problem(message, at: step.undoPlace))
            } else if case .restore = step.undo {
                checkRestore(after: call, at: step.undoPlace)
            }
        case .call(let name, let with, _):
            guard let inverse = vocabulary.catalog.call(name) else {
                found.append(Problem(vocabulary.unknownCall(name), at: step.undoPlace))
                return
            }
            check(with, of: inverse, at: step.undoPlace)
            var scope = scope
            scope.inUndo = true
            for (reference, place) in with.references { check(reference, at: place, in: scope) }
        }
    }

    /// What was captured can only be written back by a call of which the catalog says how.
    private mutating func checkRestore(after call: CloudCall, at place: SourcePlace) {
        let writer = vocabulary.catalog.writer(restoringAfter: call)
        if writer.restore != nil { return }
        let message =
            "the catalog does not say how \(writer.name) writes back what was captured; give the call a restore:, "
            + "or undo with a call"
        found.append(Problem(message, at: place))
    }

    /// Only what the call takes can be given, and what the request's address needs must be.
    private mutating func check(_ with: PlaybookTemplate, of call: CloudCall, at place: SourcePlace) {
        guard case .map(let members) = with else { return }
        for member in members where !call.parameters.isEmpty && !call.parameters.contains(member.name) {
            let near = suggestion(for: member.name, among: call.parameters)
            found.append(Problem("\(call.name) takes no \"\(member.name)\"\(near)", at: member.place))
        }
        if let (model, _) = vocabulary.catalog.wire(of: call) {
            let known = members.filter { call.parameters.isEmpty || call.parameters.contains($0.name) }
            found += model.problems(in: CallValue(.map(known), at: place), for: call, at: place)
        }
        let names = members.filter { !$0.isOptional }.map(\.name)
        for variable in CloudCall.variables(in: call.request) where !names.contains(variable) {
            let near = suggestion(for: variable, among: names)
            found.append(Problem("\(call.name) needs \"\(variable)\", which with does not give\(near)", at: place))
        }
    }

    private mutating func check(_ condition: PlaybookCondition, in scope: Scope) {
        for clause in condition.clauses {
            if case .reference(let reference) = clause.subject { check(reference, at: clause.place, in: scope) }
        }
    }

    private mutating func check(_ reference: PlaybookReference, at place: SourcePlace, in scope: Scope) {
        switch reference.root {
        case .resource, .before:
            if playbook.isOfID(reference.path) { return }
            check(reference.path, of: playbook.type, at: place)
        case .item: checkItem(reference, at: place, in: scope)
        case .last:
            guard let need = playbook.needs else {
                found.append(Problem("\(reference) needs \"needs: {last-observed: TYPE}\"", at: place))
                return
            }
            check(reference.path, of: need.type, at: place)
        case .params: checkParameter(reference, at: place)
        case .lists: checkName(reference, among: vocabulary.lists.sorted(), "list", at: place)
        case .edits: checkName(reference, among: playbook.edits.map(\.name), "edit", at: place)
        case .chosen:
            checkName(reference, among: playbook.choices.map(\.name), "choice", at: place)
            guard let choice = playbook.choices.first(where: { $0.name == reference.name }) else { return }
            check(PropertyPath(choice.from.steps + [.each] + reference.path.steps), of: playbook.type, at: place)
        case .result:
            if !scope.inUndo { found.append(Problem("\(reference) is known only in an undo", at: place)) }
        }
    }

    private mutating func checkItem(_ reference: PlaybookReference, at place: SourcePlace, in scope: Scope) {
        guard scope.inLoop else {
            found.append(Problem("\(reference) needs a for-each: there is no item here", at: place))
            return
        }
        let name = reference.path.property ?? ""
        let rest = Array(reference.path.steps.dropFirst())
        guard name == "before" || (name == "id" && rest.isEmpty) else {
            let near = suggestion(for: name, among: ["id", "before"])
            found.append(Problem("\(reference) names nothing; an item has id and before\(near)", at: place))
            return
        }
        guard name == "before", !rest.isEmpty, let list = scope.list else { return }
        check(PropertyPath(list.steps + [.each] + rest), of: playbook.type, at: place)
    }

    private mutating func checkParameter(_ reference: PlaybookReference, at place: SourcePlace) {
        for id in playbook.remedies {
            guard let rule = vocabulary.baseline.rule(id), rule.params[reference.name] == nil else { continue }
            let near = suggestion(for: reference.name, among: rule.params.keys.sorted())
            found.append(Problem("rule \(id) has no parameter \"\(reference.name)\"\(near)", at: place))
        }
    }

    private mutating func checkName(
        _ reference: PlaybookReference, among names: [String], _ kind: String, at place: SourcePlace
    ) {
        if names.contains(reference.name) { return }
        let near = suggestion(for: reference.name, among: names)
        found.append(Problem("\(reference) names no \(kind)\(near)", at: place))
    }

    private mutating func check(_ test: PlaybookTest) {
        for (given, type) in [(test.given, playbook.type), (test.last, playbook.needs?.type)] {
            guard case .sample(let name)? = given, let type, type.samples[name] == nil else { continue }
            let near = suggestion(for: name, among: type.samples.keys.sorted())
            found.append(Problem("\(type.name) has no sample \"\(name)\"\(near)", at: test.place))
        }
        for (given, type) in [(test.given, playbook.type), (test.last, playbook.needs?.type)] {
            guard case .state(let json)? = given, let type else { continue }
            for path in json.leafPaths { check(path, of: type, at: test.place) }
        }
        if let id = test.id, playbook.type.id.values(in: id) == nil {
            let message = "\"\(id)\" is no id of \(playbook.type.name), such as \(playbook.type.example)"
            found.append(Problem(message, at: test.place))
        }
        if let rule = test.rule, !playbook.remedies.contains(rule) {
            let near = suggestion(for: rule, among: playbook.remedies)
            found.append(Problem("the playbook does not remedy \"\(rule)\"\(near)", at: test.place))
        }
        for path in test.sets.map(\.path) + test.unsets + (test.offending ?? []) {
            check(path, of: playbook.type, at: test.place)
        }
    }

    private mutating func check(_ path: PropertyPath, of type: ResourceType, at place: SourcePlace) {
        let space = type.name == playbook.type.name ? space : PathSpace(type)
        if let fault = space.fault(of: path, below: PropertyPath()) { found.append(Problem(fault, at: place)) }
    }
}

extension Playbook {
    /// Whether the first name of a `$resource` path is read from the resource's id and its context.
    func isOfID(_ path: PropertyPath) -> Bool {
        guard path.steps.count == 1, let name = path.property else { return false }
        return ["id", "account", "region"].contains(name) || type.id.variables.contains(name)
    }

    /// Every reference of its steps and alternatives, and of the edits.
    fileprivate var references: [PlaybookReference] {
        let ofEdits = edits.flatMap { edit in
            (edit.additions.flatMap(\.elements) + [edit.whenAbsent, edit.merge].compactMap { $0 }).flatMap(\.references)
        }
        let ofSteps = (steps + alternatives.flatMap(\.steps)).flatMap { step -> [PlaybookReference] in
            var all = step.with.references.map(\.0) + [step.ifMatch].compactMap { $0 }
            if case .list(let reference) = step.loop { all.append(reference) }
            if case .call(_, let with, _) = step.undo { all += with.references.map(\.0) }
            for clause in step.when?.clauses ?? [] {
                if case .reference(let reference) = clause.subject { all.append(reference) }
            }
            return all
        }
        return ofEdits.map(\.0) + ofSteps
    }

    /// Every call that a step or an undo names.
    var callNames: Set<String> {
        var names: Set<String> = []
        for step in steps + alternatives.flatMap(\.steps) {
            names.insert(step.call)
            if case .call(let name, _, _) = step.undo { names.insert(name) }
        }
        return names
    }

    /// What restores a section that a call of ours took away, or takes away one that it made.
    mutating func addRestoringCalls(from vocabulary: PlaybookVocabulary) {
        let ours = calls
        for (name, call) in vocabulary.catalog.calls {
            let takesAway = call.inverseWhenAbsent.map { ours[$0] != nil } ?? false
            if takesAway || ours.values.contains(where: { $0.inverseWhenAbsent == name }) { calls[name] = call }
        }
    }
}

extension JSON {
    /// The path of every scalar and of everything empty in it, with `[]` for elements.
    fileprivate var leafPaths: [PropertyPath] { leafPaths(at: PropertyPath()) }

    private func leafPaths(at path: PropertyPath) -> [PropertyPath] {
        switch self {
        case .array(let elements) where !elements.isEmpty:
            elements.flatMap { $0.leafPaths(at: path.appending(.each)) }
        case .object(let object) where !object.isEmpty:
            object.members.flatMap { $0.value.leafPaths(at: path.appending(.name($0.name))) }
        default: path.isRoot ? [] : [path]
        }
    }
}
