internal import HoldfastJSON

/// How the accounts of a whole organisation are found, as a catalog file says under `discovery:`: a tree of containers
/// with accounts in them, asked for container by container.
package struct DiscoveryPlan: Sendable {
    /// `aws-organization`, as the configuration names it.
    package var name: String
    package var cloud: Cloud
    /// What an account's place in the tree is called under `classify:`: `ou`.
    package var path: String
    /// Where the tree begins, where the configuration does not say it.
    var roots: Listing?
    var containers: Listing
    var accounts: Listing
    /// The call that gives an account's tags, where the list of accounts does not.
    var tags: Tags?
    var tests: [DiscoveryTest]
    var place: SourcePlace

    /// A call, and where in its answer containers or accounts stand.
    struct Listing: Sendable {
        var call: String
        /// May name the variable `container`.
        var parameters: [ReadStep.Parameter]
        var each: EventPath
        var id: ValueSource
        var name: ValueSource?
        /// A list of `{Key, Value}`.
        var tags: ValueSource?
        var conditions: [EventCondition]
        var place: SourcePlace
    }

    struct Tags: Sendable {
        var call: String
        /// May name the variable `account`.
        var parameters: [ReadStep.Parameter]
        var tags: ValueSource
        var place: SourcePlace
    }

    /// The calls that a run makes, sorted.
    ///
    /// - Parameter wantsTags: whether tags are asked for.
    package func calls(wantsTags: Bool) -> [String] {
        let all = [roots?.call, containers.call, accounts.call, wantsTags ? tags?.call : nil]
        return Set(all.compactMap { $0 }).sorted()
    }
}

/// An account that an organisation has.
package struct DiscoveredAccount: Sendable, Hashable {
    package var cloud: Cloud
    /// Text: `012345670123`. Of Azure in lower case.
    package var id: String
    /// As ``Classification`` reads them: `name`, `ou`, `ou-id`, `tag:NAME`.
    package var facts: [String: String]
}

/// The finding of all accounts below a root: says which calls to make and takes what they gave. Makes none itself.
package struct DiscoveryRun: Sendable {
    private struct Container: Sendable {
        var id: String
        var names: [String]
    }
    private enum Question: Sendable {
        case roots
        /// The lists that one call gives of what is in a container.
        case children(Container, containers: Bool, accounts: Bool)
        case tags(String)
    }

    private let plan: DiscoveryPlan
    private let wantsTags: Bool
    private var waiting: [(question: Question, request: CallRequest)] = []
    private var open: [Int: Question] = [:]
    private var asked = 0
    /// Containers that were entered: none is entered twice.
    private var seen: Set<String> = []
    private var found: [String: DiscoveredAccount] = [:]
    /// What could not be asked for, and why.
    package private(set) var failures: [ReadFailure] = []
    /// All containers were listed: an account that is not among the found ones is not in the organisation.
    package private(set) var isWhole = true

    /// Calls that are asked for together.
    private static let atOnce = 32
    /// Folders of Google may stand ten deep, OUs and management groups less. What is deeper is a fault.
    private static let deepest = 16

    /// - Parameters:
    ///   - root: a container's id; empty: the organisation's own roots.
    ///   - wantsTags: whether accounts' tags are asked for where that takes calls of its own.
    package init(_ plan: DiscoveryPlan, root: String, wantsTags: Bool) {
        self.plan = plan
        self.wantsTags = wantsTags
        if root.isEmpty, let roots = plan.roots {
            ask(.roots, roots.call, roots.parameters, Variables())
        } else {
            enter(Container(id: root, names: []))
        }
    }

    /// In the order of their ids.
    package var accounts: [DiscoveredAccount] { found.values.sorted { $0.id.precedesInUTF8($1.id) } }

    // MARK: Calls

    /// The calls to make now; empty when all is found.
    package mutating func next() -> [CallRequest] {
        precondition(open.isEmpty, "the calls asked for before have not all come back")
        let now = waiting.prefix(DiscoveryRun.atOnce)
        waiting.removeFirst(now.count)
        for (question, request) in now { open[request.step] = question }
        return now.map(\.request)
    }

    private mutating func ask(
        _ question: Question, _ call: String, _ parameters: [ReadStep.Parameter], _ variables: Variables
    ) {
        var scope = EventScope(value: .null)
        scope.variables = variables
        asked += 1
        waiting.append(
            (question, CallRequest(call: call, parameters: parameters.filled(in: scope), step: asked, element: nil)))
    }

    /// One call serves both lists where it gives both.
    private mutating func enter(_ container: Container) {
        guard seen.insert(container.id).inserted else { return }
        guard container.names.count <= DiscoveryRun.deepest else {
            return fail(
                ReadFailure(
                    code: "too-deep", message: "\(container.id) lies more than \(DiscoveryRun.deepest) levels deep",
                    isDenied: false))
        }
        let variables: Variables = ["container": container.id]
        let (inner, accounts) = (plan.containers, plan.accounts)
        let isOne = inner.call == accounts.call
        ask(.children(container, containers: true, accounts: isOne), inner.call, inner.parameters, variables)
        guard !isOne else { return }
        ask(.children(container, containers: false, accounts: true), accounts.call, accounts.parameters, variables)
    }

    /// What one of the calls gave.
    package mutating func take(_ outcome: ReadRun.Outcome, for request: CallRequest) {
        guard let question = open.removeValue(forKey: request.step) else { return }
        switch outcome {
        case .answer(let answer): take(answer, for: question)
        case .refused(let code):
            fail(ReadFailure(code: code, message: "\(request.call) was refused: \(code)", isDenied: false), question)
        case .failed(let failure): fail(failure, question)
        }
    }

    private mutating func fail(_ failure: ReadFailure, _ question: Question? = nil) {
        failures.append(failure)
        if case .tags(let id) = question {
            found[id]?.facts[Classification.unread] = failure.message
        } else {
            isWhole = false
        }
    }

    // MARK: Answers

    private mutating func take(_ answer: JSON, for question: Question) {
        switch question {
        case .roots:
            guard let roots = plan.roots else { return }
            for (id, _, _) in roots.elements(of: answer, in: Variables()) { enter(Container(id: id, names: [])) }
        case .children(let container, let hasContainers, let hasAccounts):
            let variables: Variables = ["container": container.id]
            if hasContainers {
                for (id, name, _) in plan.containers.elements(of: answer, in: variables) {
                    enter(Container(id: id, names: container.names + [name]))
                }
            }
            guard hasAccounts else { return }
            for (id, name, tags) in plan.accounts.elements(of: answer, in: variables) {
                take(account: plan.cloud == .azure ? id.lowercased() : id, name, tags, in: container)
            }
        case .tags(let id):
            guard let tags = plan.tags else { return }
            note(tags.tags.value(in: EventScope(value: answer)) ?? .null, of: id)
        }
    }

    private mutating func take(account id: String, _ name: String, _ tags: JSON, in container: Container) {
        let facts = [
            "name": name, plan.path: container.names.joined(separator: "/"), "\(plan.path)-id": container.id,
        ]
        found[id] = DiscoveredAccount(cloud: plan.cloud, id: id, facts: facts)
        note(tags, of: id)
        if wantsTags, let step = plan.tags { ask(.tags(id), step.call, step.parameters, ["account": id]) }
    }

    private mutating func note(_ tags: JSON, of id: String) {
        for tag in tags.array ?? [] {
            guard let key = tag["Key"]?.scalarText else { continue }
            found[id]?.facts["tag:\(key)"] = tag["Value"]?.scalarText ?? ""
        }
    }
}

extension DiscoveryPlan.Listing {
    /// What stands in an answer; what has no id is left out.
    fileprivate func elements(of answer: JSON, in variables: Variables) -> [(id: String, name: String, tags: JSON)] {
        var scope = EventScope(value: answer)
        scope.variables = variables
        return scope.entering(each).compactMap { element in
            guard conditions.allSatisfy({ $0.holds(in: element) }), let id = id.value(in: element)?.firstScalarText,
                !id.isEmpty
            else { return nil }
            return (id, name?.value(in: element)?.firstScalarText ?? "", tags?.value(in: element) ?? .null)
        }
    }
}
