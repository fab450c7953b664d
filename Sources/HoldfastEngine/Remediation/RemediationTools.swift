package import HoldfastCore

/// What remediation needs of the world beside the journal.
package struct RemediationTools: Sendable {
    /// The file that stops everything, where it is there: looked for before each write.
    package var haltFile: @Sendable () -> String?
    /// Encrypts what is captured before a write; `nil` where no key is configured, and then nothing is written.
    package var seal: (@Sendable ([UInt8]) -> [UInt8])?
    /// The other way; `nil` where it was changed, or sealed with another key.
    package var open: @Sendable ([UInt8]) -> [UInt8]?

    /// The guards; others only in simulations, which take one away to see that it is missed.
    package var decide: @Sendable (GuardFacts) -> Decision = { Guards.decide($0) }

    package init(
        haltFile: @escaping @Sendable () -> String? = { nil }, seal: (@Sendable ([UInt8]) -> [UInt8])? = nil,
        open: @escaping @Sendable ([UInt8]) -> [UInt8]? = { _ in nil }
    ) {
        self.haltFile = haltFile
        self.seal = seal
        self.open = open
    }
}

/// What the keeper holds in memory of remediation; all of it can be lost.
struct RemediationMemory {
    /// Findings and runs in somebody's hands.
    var working: Set<String> = []
    /// Steps that were prepared and are begun next, by run.
    var prepared: [String: PreparedStep] = [:]
    /// Runs whose events may still come back, by resource: at most ``ownLimit``, the oldest go first.
    private(set) var own: [ResourceID: [String: String]] = [:]
    private var ownOrder: [ResourceID] = []
    static let ownLimit = 2000
    /// When drills were first looked after, and when each by the clock was last tried.
    var firstDrillLook: Timestamp?
    var nightlyTried: [String: Timestamp] = [:]
    /// Drills whose resource could not be read: not before.
    var drillPauses: [String: Timestamp] = [:]
    /// What is to be told, once it was read from the journal.
    var routing: (routing: Routing, read: NewsPosition)?

    mutating func forgetPrepared(on resource: ResourceID) {
        guard !prepared.isEmpty else { return }
        prepared = prepared.filter { $0.value.run.resource != resource }
    }

    /// The requests of a run are known from now on.
    mutating func remember(_ run: Run) {
        let requests = run.steps.flatMap(\.requests)
        guard !requests.isEmpty else { return }
        if own[run.resource] == nil { ownOrder.append(run.resource) }
        for request in requests { own[run.resource, default: [:]][request] = run.id }
        if ownOrder.count > RemediationMemory.ownLimit { own[ownOrder.removeFirst()] = nil }
    }
}

/// A step that the guards have let pass a moment ago.
struct PreparedStep {
    var run: Run
    var call: PlannedCall
    var isIdempotent: Bool
    var decision: Decision
    var budgets: [BudgetClaim]
    var haltParts: [Halt.Part]
    var question: ApprovalRules.Question?
    var capture: StoredCapture?
    var prepared: Timestamp
}

/// What whoever carries out a run must do next.
package enum Move: Sendable {
    /// Nothing, for now.
    case rest
    /// Read a resource, and hand the description back.
    case read(ResourceID, ResourceContext)
    /// Ask for the permit of this run, and use it.
    case write(run: String)
    /// Ask how a long operation stands.
    case poll(AcceptedOperation, ResourceContext)
}

/// One thing that a lane carries out from start to rest: the preflight of a finding, or a run.
package enum Work: Sendable, Hashable {
    case finding(String)
    case run(String)
    /// What a drill plants.
    case drill(String)

    package var id: String {
        switch self {
        case .finding(let id), .run(let id), .drill(let id): id
        }
    }
}
