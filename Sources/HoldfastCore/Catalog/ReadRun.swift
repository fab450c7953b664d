package import HoldfastJSON

/// The reading of one resource, step by step: says which calls to make and takes what they gave. Makes none itself.
///
/// Calls that need nothing of each other are asked for together; then those that need what the first ones read.
package struct ReadRun: Sendable {
    /// What a call gave.
    package enum Outcome: Sendable {
        case answer(JSON)
        /// The cloud refused, with its code.
        case refused(code: String)
        /// Nothing can be said of what this call reads; the word is the caller's own.
        case failed(ReadFailure)
    }

    private let type: ResourceType
    private let variables: Variables
    private var document = JSON.object(JSONObject())
    private var sections: [(path: PropertyPath, value: JSON)] = []
    private var waiting: [Int]
    private var open = 0
    private var round = 0
    /// What could not be read, and why.
    package private(set) var failures: [ReadFailure] = []
    package private(set) var isGone = false
    /// What the calls gave, as they gave it, in the order in which it was taken.
    package private(set) var answers: [RawAnswer] = []

    /// - Returns: `nil` where the id is not of the type, or the type has no way to be read.
    package init?(_ resource: ResourceID, of type: ResourceType, at context: ResourceContext) {
        guard !type.read.isEmpty, let named = type.variables(inID: resource.id),
            let resolved = type.resource(named, account: context.account, region: context.region)
        else { return nil }
        self.type = type
        var variables = resolved.variables
        variables["id"] = resource.id
        self.variables = variables
        waiting = Array(type.read.indices)
    }

    /// Takes what a list said in place of the first step's call, where list and first step are the same call and the
    /// element is what the step looks at.
    package mutating func serve(_ listed: JSON) {
        guard let first = type.read.first, let list = type.list, first.call == list.call, let at = first.at,
            at == list.each, waiting.first == 0, !listed.isNull
        else { return }
        waiting.removeFirst()
        fill(first, from: EventScope(value: listed), element: nil)
    }

    /// Takes this as read before, for a test of one step.
    mutating func assume(_ document: JSON) {
        for member in document.object?.members ?? [] { set(PropertyPath(names: member.name), member.value) }
        round = 1
    }

    /// The calls to make now; empty when the reading is over.
    package mutating func next() -> [CallRequest] {
        precondition(open == 0, "the calls asked for before have not all come back")
        while !isGone, !waiting.isEmpty {
            let ready = round == 0 ? waiting.filter { !type.read[$0].needsOthers } : [waiting[0]]
            waiting.removeAll { ready.contains($0) }
            round += 1
            let requests = ready.flatMap(requests)
            open = requests.count
            if !requests.isEmpty { return requests }
        }
        return []
    }

    private func requests(of index: Int) -> [CallRequest] {
        let step = type.read[index]
        let scope = scope(of: document)
        guard step.conditions.allSatisfy({ $0.holds(in: scope) }) else { return [] }
        guard let each = step.each else { return [step.asked(in: scope, step: index)] }
        let elements = document.value(at: PropertyPath(Array(each.steps.dropLast())))?.array ?? []
        return elements.enumerated().map { number, element in
            var inner = scope
            inner.values.append(element)
            return step.asked(in: inner, step: index, element: number)
        }
    }

    private func scope(of value: JSON) -> EventScope {
        var scope = EventScope(value: value)
        scope.variables = variables
        return scope
    }

    /// What one of the calls gave.
    package mutating func take(_ outcome: Outcome, for request: CallRequest) {
        open -= 1
        let step = type.read[request.step]
        switch outcome {
        case .answer(let answer):
            keep(.answer(answer), of: request)
            var scopes = [scope(of: answer)]
            if let at = step.at { scopes = scopes[0].entering(at) }
            guard let first = scopes.first, !step.isGone(in: first) else {
                isGone = isGone || request.element == nil
                return
            }
            fill(step, from: first, element: request.element)
        case .refused(let code):
            if step.absent.contains(code) {
                keep(.absent(code: code), of: request)
                fill(step, from: scope(of: .null), element: request.element)
            } else if step.gone.contains(code) {
                isGone = isGone || request.element == nil
            } else {
                fail(step, ReadFailure(code: code, message: "\(step.call) was refused: \(code)", isDenied: false))
            }
        case .failed(let failure): fail(step, failure)
        }
    }

    private mutating func keep(_ outcome: RawAnswer.Outcome, of request: CallRequest) {
        answers.append(RawAnswer(call: request.call, parameters: request.parameters, outcome: outcome))
    }

    private mutating func fail(_ step: ReadStep, _ failure: ReadFailure) {
        var failure = failure
        // An element that could not be read leaves its list half known: nothing is said of the list then.
        failure.paths = step.each.map { [PropertyPath(Array($0.steps.dropLast()))] } ?? step.paths
        if let each = step.each {
            let list = PropertyPath(Array(each.steps.dropLast()))
            sections.removeAll { $0.path == list }
        }
        failures.append(failure)
    }

    private mutating func fill(_ step: ReadStep, from scope: EventScope, element: Int?) {
        var scope = scope
        scope.variables = variables
        let from = scope.values[scope.values.count - 1]
        var filled = step.fills.map { (path: $0.path, value: $0.source.value(in: scope) ?? .null) }
        filled += step.copies.map { (path: PropertyPath(names: $0), value: from[$0] ?? .null) }
        guard let element, let each = step.each else {
            for section in filled { set(section.path, section.value) }
            return
        }
        let list = PropertyPath(Array(each.steps.dropLast()))
        guard let index = sections.firstIndex(where: { $0.path == list }) else { return }
        var value = sections[index].value
        for section in filled {
            value = value.setting(section.value, at: ([.index(element)] + section.path.steps)[...])
        }
        set(list, value)
    }

    private mutating func set(_ path: PropertyPath, _ value: JSON) {
        guard case .set(let path, let value) = type.withoutSecrets(.set(path, value)) else { return }
        sections.removeAll { $0.path == path }
        sections.append((path, value))
        document = document.setting(value, at: path.steps[...])
    }

    /// The sections that were read, in the order of the steps.
    package var result: [(path: PropertyPath, value: JSON)] { sections }
    /// What was read, as one tree.
    package var configuration: JSON { document }
}

/// Why a part of a resource could not be read.
package struct ReadFailure: Error, Sendable, Hashable {
    /// The cloud's code, or a word of ours.
    package var code: String
    package var message: String
    /// The caller may not read this: a person must change a permission. Else it may pass.
    package var isDenied: Bool
    /// How long to wait at least, where the cloud says so.
    package var retryAfter: Span?
    /// The properties that are not known for it.
    package var paths: [PropertyPath] = []

    package init(code: String, message: String, isDenied: Bool, retryAfter: Span? = nil) {
        self.code = code
        self.message = message
        self.isDenied = isDenied
        self.retryAfter = retryAfter
    }
}
