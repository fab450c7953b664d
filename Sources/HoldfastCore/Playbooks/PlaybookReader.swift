internal import HoldfastCrypto
internal import HoldfastJSON

/// Makes a playbook of a file's node, and says all that is wrong with it.
struct PlaybookReader {
    let vocabulary: PlaybookVocabulary
    var problems: [Problem] = []
    /// For conditions on the playbook's type.
    private var parser: PredicateParser

    init(_ vocabulary: PlaybookVocabulary) {
        self.vocabulary = vocabulary
        parser = PredicateParser(types: [], params: [:], lists: [], typeNames: []) { _ in nil }
    }

    /// `nil` where there are problems.
    ///
    /// - Parameter id: the file's name.
    mutating func read(_ file: Node, id: String) -> Playbook? {
        problems += PlaybookGrammar.shape.problems(in: file)
        guard problems.isEmpty, let type = self.type(file["for"]) else { return nil }
        checkRules(file, type: type)
        let rules = (file["remedies"]?.texts ?? []).compactMap(vocabulary.baseline.rule)
        parser = PredicateParser(
            types: [PathSpace(type)], params: rules.first?.params ?? [:], lists: vocabulary.lists, typeNames: []
        ) { _ in nil }
        var playbook = Playbook(
            id: id, title: file["title"]?.text ?? id.split(separator: "-").joined(separator: " "),
            remedies: rules.map(\.id), type: type, insteadOf: file["instead-of"]?.text,
            risk: file["risk"]?.text.flatMap(PlaybookRisk.init) ?? .high, needs: need(file["needs"]),
            edits: edits(file["edits"]), choices: choices(file["choose"]), steps: steps(file["steps"]),
            alternatives: [], tellsActor: file["tell-actor"]?.text == "true",
            grace: file["grace"]?.text.flatMap { Span($0) }, tests: [], calls: [:], digest: sha256([]),
            place: file.place)
        for node in file["alternatives"]?.list ?? [] {
            playbook.alternatives.append(.init(title: node["title"]?.text ?? "", steps: steps(node["steps"])))
        }
        for node in file["tests"]?.list ?? [] {
            playbook.tests.append(PlaybookTest.read(node, problems: &problems))
        }
        problems += parser.problems
        problems += PlaybookCheck(playbook: playbook, vocabulary: vocabulary).problems()
        guard problems.isEmpty else { return nil }
        let names = playbook.callNames
        playbook.calls = vocabulary.catalog.calls.filter { names.contains($0.key) }
        playbook.addRestoringCalls(from: vocabulary)
        playbook.digest = playbook.digest(of: file)
        if let node = file["drill"] {
            playbook.plantings = planting(node, of: playbook)
            guard problems.isEmpty else { return nil }
        }
        return playbook
    }

    private mutating func planting(_ node: Node, of playbook: Playbook) -> [Playbook] {
        var planting = playbook
        planting.title = "Plant what \(playbook.id) is there to fix"
        (planting.edits, planting.choices, planting.alternatives, planting.tests) = ([], [], [], [])
        (planting.needs, planting.tellsActor, planting.grace) = (nil, false, nil)
        planting.steps = [step(node)]
        problems += PlaybookCheck(playbook: planting, vocabulary: vocabulary).problems()
        if case .irreversible = planting.steps[0].undo {
            problems.append(Problem("what a drill plants must be taken away again", at: planting.steps[0].undoPlace))
        }
        let names = planting.callNames
        planting.calls = vocabulary.catalog.calls.filter { names.contains($0.key) }
        planting.addRestoringCalls(from: vocabulary)
        planting.digest = sha256(JSON.array([.string(playbook.digest.description), node.json]).canonicalBytes)
        return [planting]
    }

    private mutating func type(_ node: Node?) -> ResourceType? {
        guard let node, let name = node.text else { return nil }
        if let type = vocabulary.catalog.type(name) { return type }
        let near = suggestion(for: name, among: vocabulary.catalog.typeNames)
        problems.append(Problem("unknown type \"\(name)\"\(near)", at: node.place))
        return nil
    }

    private mutating func checkRules(_ file: Node, type: ResourceType) {
        for node in file["remedies"]?.oneOrMany ?? [] {
            guard let name = node.text else { continue }
            guard let rule = vocabulary.baseline.rule(name) else {
                let near = suggestion(for: name, among: vocabulary.baseline.ruleIDs)
                problems.append(Problem("unknown rule \"\(name)\"\(near)", at: node.place))
                continue
            }
            if !rule.types.contains(type.name) {
                let types = rule.types.joined(separator: ", ")
                problems.append(Problem("rule \(name) does not judge \(type.name); it judges \(types)", at: node.place))
            }
        }
    }

    private mutating func need(_ node: Node?) -> PlaybookNeed? {
        guard let node, let type = type(node["last-observed"]) else { return nil }
        return PlaybookNeed(type: type, atMost: node["at-most"]?.text.flatMap { Span($0) }, place: node.place)
    }

    private mutating func edits(_ node: Node?) -> [DocumentEdit] {
        (node?.entries ?? []).compactMap { entry in
            guard let from = resourceSection(entry.value["from"]) else { return nil }
            var edit = DocumentEdit(
                name: entry.key, section: from, whenAbsent: nil, removesOffending: entry.value["remove"] != nil,
                only: nil, additions: [], merge: nil, place: entry.keyPlace)
            edit.whenAbsent = entry.value["when-absent"].map { PlaybookTemplate.read($0, problems: &problems) }
            if let only = entry.value["only"] {
                edit.only = parser.condition(only, in: .value(.free))
                if !edit.removesOffending {
                    problems.append(
                        Problem("only says what of an element to remove; add remove: offending", at: only.place))
                }
            }
            edit.merge = entry.value["merge"].map { PlaybookTemplate.read($0, problems: &problems) }
            for addition in entry.value["add"]?.entries ?? [] {
                guard let list = path(addition.key, at: addition.keyPlace) else { continue }
                let elements = (addition.value.list ?? []).map { PlaybookTemplate.read($0, problems: &problems) }
                edit.additions.append((list, elements))
            }
            if !edit.removesOffending, edit.merge == nil, edit.additions.isEmpty {
                problems.append(Problem("the edit changes nothing; give it remove, add or merge", at: entry.keyPlace))
            }
            return edit
        }
    }

    private mutating func choices(_ node: Node?) -> [PlaybookChoice] {
        (node?.entries ?? []).compactMap { entry in
            guard let from = resourceSection(entry.value["from"]) else { return nil }
            var order = entry.value["order-by"]?.text ?? ""
            let isDescending = order.hasPrefix("-")
            if isDescending { order.removeFirst() }
            var choice = PlaybookChoice(
                name: entry.key, from: from, filter: nil,
                orderBy: order.isEmpty ? nil : path(order, at: entry.value["order-by"]?.place ?? entry.keyPlace),
                isDescending: isDescending, mustPass: entry.value["first-that"] != nil, inPlace: [],
                place: entry.keyPlace)
            choice.filter = entry.value["where"].map { parser.condition($0, below: from.appending(.each)) }
            for pair in entry.value["in-place"]?.entries ?? [] {
                guard let property = path(pair.key, at: pair.keyPlace),
                    let candidate = path(pair.value.text ?? "", at: pair.value.place)
                else { continue }
                choice.inPlace.append((property, candidate))
            }
            if choice.mustPass, choice.inPlace.isEmpty {
                let message = "first-that: passes-the-rule needs in-place: which property the candidate stands in for"
                problems.append(Problem(message, at: entry.keyPlace))
            }
            return choice
        }
    }

    private mutating func steps(_ node: Node?) -> [PlaybookStep] { (node?.list ?? []).map { step($0) } }

    private mutating func step(_ node: Node) -> PlaybookStep {
        var step = PlaybookStep(
            why: node["why"]?.text, when: nil, loop: nil, bound: 100, call: node["do"]?.text ?? "",
            with: .map([]), ifMatch: nil, waitUntil: nil, waitAtMost: nil, undo: .restore,
            place: node["do"]?.place ?? node.place, undoPlace: node["undo"]?.place ?? node.place)
        step.with = node["with"].map { PlaybookTemplate.read($0, problems: &problems) } ?? .map([])
        step.when = node["when"].map { parser.condition($0) }
        if let loop = node["for-each"] {
            let of = loop["of"] ?? loop
            if let bound = loop["at-most"]?.text.flatMap({ Int($0) }) { step.bound = bound }
            if of.text == "offending" {
                step.loop = .offending(
                    list: loop["in"].flatMap { section(path($0.text ?? "", at: $0.place), at: $0.place) })
            } else {
                step.loop = reference(of).map(PlaybookStep.Loop.list)
            }
        }
        step.ifMatch = node["if-match"].flatMap { reference($0) }
        if let wait = node["wait"], let until = wait["until"] {
            step.waitUntil = parser.condition(until)
            step.waitAtMost = wait["at-most"]?.text.flatMap { Span($0) }
        }
        if let undo = node["undo"] { step.undo = self.undo(undo, of: step) }
        return step
    }

    private mutating func undo(_ node: Node, of step: PlaybookStep) -> PlaybookStep.Undo {
        if node.text == "restore" { return .restore }
        if node.text == "inverse-edit" {
            let names = step.with.references.filter { $0.0.root == .edits }.map(\.0.name)
            if let name = names.first, names.allSatisfy({ $0 == name }) { return .inverseEdit(name) }
            let message = "undo: inverse-edit needs a step that sends one of the edits ($edits.NAME)"
            problems.append(Problem(message, at: node.place))
            return .restore
        }
        if let reason = node["irreversible"]?.text {
            if node.entries?.count == 1 { return .irreversible(reason) }
            problems.append(Problem("irreversible stands alone: what cannot be undone has no call", at: node.place))
        }
        guard let call = node["do"]?.text else {
            problems.append(Problem("the undo has no call; give it do, or {irreversible: reason}", at: node.place))
            return .restore
        }
        let with = node["with"].map { PlaybookTemplate.read($0, problems: &problems) } ?? .map([])
        let loses = node["loses"]?.text
        switch (node["grade"]?.text, loses) {
        case ("exact", nil): return .call(call, with: with, .exact)
        case ("equivalent", let loses?): return .call(call, with: with, .equivalent(loses: loses))
        case ("exact", _?): problems.append(Problem("an exact undo loses nothing; leave loses out", at: node.place))
        case ("equivalent", nil): problems.append(Problem("an equivalent undo must say what it loses", at: node.place))
        default:
            problems.append(Problem("\"grade\" is missing: exact, or equivalent with what it loses", at: node.place))
        }
        return .call(call, with: with, .exact)
    }

    private mutating func reference(_ node: Node) -> PlaybookReference? {
        guard let text = node.text, text.hasPrefix("$") else {
            let found = node.text.map { "\"\($0)\"" } ?? node.kindName
            problems.append(
                Problem("\(found) cannot stand here; expected a reference such as $resource.X", at: node.place))
            return nil
        }
        do {
            return try PlaybookReference.parse(text)
        } catch {
            problems.append(Problem(error.message, at: node.place))
            return nil
        }
    }

    /// The path of a `from: $resource.PATH`.
    private mutating func resourceSection(_ node: Node?) -> PropertyPath? {
        guard let node, let reference = reference(node) else { return nil }
        if reference.root == .resource { return section(reference.path, at: node.place) }
        problems.append(Problem("expected a property of the resource: $resource.NAME", at: node.place))
        return nil
    }

    /// A path that names one thing.
    private mutating func section(_ path: PropertyPath?, at place: SourcePlace) -> PropertyPath? {
        guard let path, path.steps.contains(.each) else { return path }
        problems.append(Problem("\(path) names many things; one is meant, without []", at: place))
        return nil
    }

    private mutating func path(_ text: String, at place: SourcePlace) -> PropertyPath? {
        if let path = PropertyPath(text) { return path }
        problems.append(Problem("\"\(text)\" is no path of a property", at: place))
        return nil
    }
}
