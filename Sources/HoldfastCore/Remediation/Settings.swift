/// What may be written where. The order is from nothing to everything.
package enum Mode: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Findings only.
    case observe
    /// Plans are made and decided, and none is carried out.
    case dryRun = "dry-run"
    /// What every guard lets pass is carried out.
    case remediate

    package static func < (a: Mode, b: Mode) -> Bool { a.rank < b.rank }
    private var rank: Int { Mode.allCases.firstIndex(of: self) ?? 0 }
}

/// Everything by which the guards decide and that a person configures.
package struct RemediationSettings: Sendable, Hashable {
    /// A part of the world with a mode of its own.
    package struct ScopeMode: Sendable, Hashable {
        /// What it is known by in the journal and in messages: its match, as text.
        package var name: String
        package var scope: Scope
        package var mode: Mode
        package init(name: String, scope: Scope, mode: Mode) {
            self.name = name
            self.scope = scope
            self.mode = mode
        }
    }

    /// Where no scope fits.
    package var mode = Mode.dryRun
    /// The first that fits counts.
    package var scopes: [ScopeMode] = []
    /// In rollout order; the last is what the unclassified get.
    package var environments = ["dev", "staging", "production"]
    package var approvals = ApprovalRules()
    package var budgets = BudgetLimits()
    package var rollout = RolloutRules()
    package var drills = DrillRules()
    package var freezes: [Freeze] = []
    /// Patterns of the principals that changes through infrastructure as code come from.
    package var pipelines: [String] = []
    /// Patterns of the principals that this service writes as.
    package var ownPrincipals: [String] = []
    /// A finding that was fixed so often within the window is fought over.
    package var flapping = Repetition(count: 3, window: Span(seconds: 86_400))
    /// Runs of one playbook that failed so often within the window stop it.
    package var breaker = Repetition(count: 3, window: Span(seconds: 3600))
    /// How long after its last write a run may take until its rule passes.
    package var verifyWithin = Span(seconds: 120)
    /// How long a permit may be used.
    package var permitExpiry = Span(seconds: 30)
    /// How old what was read at preflight may be when the first call is made.
    package var freshFor = Span(seconds: 60)
    /// How long an undone run keeps its rule off its resource.
    package var holdAfterUndo = Span(seconds: 86_400)
    /// Tags or labels that keep everything off a resource, whatever their value.
    package var doNotTouch = ["holdfast:do-not-touch", "holdfast-do-not-touch"]

    package init() {}

    /// So many times within a time.
    package struct Repetition: Sendable, Hashable {
        package var count: Int
        package var window: Span
        package init(count: Int, window: Span) {
            self.count = count
            self.window = window
        }
    }

    /// Where nothing fits better: the default's name.
    package static let everywhere = "everywhere"

    /// The mode of a resource, and the name of the scope that says so.
    package func mode(of resource: ResourceID, in context: EvaluationContext) -> (mode: Mode, scope: String) {
        for scope in scopes where scope.scope.contains(resource, context) { return (scope.mode, scope.name) }
        return (mode, RemediationSettings.everywhere)
    }

    /// The label that keeps everything off a resource, or why that cannot be told.
    package func label(keepingOff labels: StateValue) -> String? {
        if let reason = labels.unknownReason { return "(its labels are not known: \(reason))" }
        guard case .map(let map) = labels else { return nil }
        return map.members.map(\.name).sorted().first { doNotTouch.contains($0.lowercased()) }
    }

    /// The mode that anything may have at most.
    package var highest: Mode { max(mode, scopes.map(\.mode).max() ?? .observe) }

    /// The last environment: production, and all that nobody has classified.
    package func isLast(_ environment: String) -> Bool { environments.last == environment }

    /// The environment that must be through before this one; `nil` for the first.
    package func environment(before environment: String) -> String? {
        guard let index = environments.firstIndex(of: environment), index > 0 else { return nil }
        return environments[index - 1]
    }
}

/// How many changes may be made within a time.
package struct BudgetLimits: Sendable, Hashable {
    /// `100 per hour`.
    package struct Rate: Sendable, Hashable, CustomStringConvertible {
        package var count: Int
        package var window: Span
        package init(count: Int, window: Span) {
            self.count = count
            self.window = window
        }
        package var description: String { "\(count) per \(window.phrase)" }
    }
    package var overall = Rate(count: 100, window: Span(seconds: 3600))
    package var account = Rate(count: 20, window: Span(seconds: 3600))
    package var playbook = Rate(count: 50, window: Span(seconds: 3600))
    /// Percent of an account's known resources of one type within a day; at least one.
    package var typePercent = 5

    package init() {}
}

/// A time in which nothing is written.
package struct Freeze: Sendable, Hashable {
    package var from: Timestamp
    package var to: Timestamp
    package var environments: [String]
    package var reason: String

    package init(from: Timestamp, to: Timestamp, environments: [String], reason: String) {
        self.from = from
        self.to = to
        self.environments = environments
        self.reason = reason
    }

    package func holds(at now: Timestamp, environment: String) -> Bool {
        from <= now && now < to && (environments.isEmpty || environments.contains(environment))
    }
}

/// What opens the next environment to a playbook.
package struct RolloutRules: Sendable, Hashable {
    /// Verified runs in the environment before.
    package var runs = 3
    /// For so long no run may have been undone since the first of them.
    package var soak = Span(seconds: 86_400)
    package init() {}
}
