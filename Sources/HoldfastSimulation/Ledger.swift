internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import Synchronization

/// What the world knows of each step that was begun, at the moment when it was: what checkers judge by, and nothing
/// that the engine said of itself.
struct BegunStep: Sendable {
    /// Its place among everything that happened.
    var order: Int
    /// By the service's clock.
    var at: Timestamp
    /// By the cloud's.
    var truly: Timestamp
    /// As it was written down.
    var run: Run
    var call: PlannedCall
    var planDigest: String
    /// Since the resource was made.
    var touches: [Touch]
    /// Of these, events that were in the journal at an earlier moment.
    var journaled: Set<String>
    /// When the newest read that has come back began.
    var newestRead: Timestamp?
    var tags: [String]
    var isBacklog: Bool
    var isExempt: Bool
    /// When the finding was opened last, by the service's clock.
    var opened: Timestamp?
    var haltFile: Bool
    /// Resources of the type that the journal has in the account.
    var typeCount: Int
    /// By the cloud's account: `dev` or `production`.
    var environment: String
    var mode: Mode
    /// What the step writes, as it is now.
    var section: JSON

    /// What of the resource a call is about.
    static func place(of call: PlannedCall) -> String {
        if let rule = call.parameters["SecurityGroupRuleIds"]?.array?.first?.string { return rule }
        return call.name.contains("PublicAccessBlock") ? "PublicAccessBlockConfiguration" : "IsLogging"
    }

    var isUndo: Bool { run.direction == .back }
    var isFirst: Bool { !isUndo && run.cursor == 0 && run.attempts == 1 }
    var step: String { "\(run.id) step \(run.cursor) \(run.direction.rawValue) attempt \(run.attempts)" }
}

/// A call that went out.
struct SentCall: Sendable {
    var order: Int
    var run: String
    var step: Int
    var attempt: Int
    var digest: String
    var name: String
    var requestID: String
    /// It reaches the cloud and has its effect.
    var reaches: Bool
}

/// A run that ended as undone, with what its step had written, as it is then.
struct UndoneRun: Sendable {
    var order: Int
    var run: Run
    var section: JSON
    var touches: [Touch]
}

/// Everything that was begun, sent and read, in order.
final class Ledger: Sendable {
    private struct State {
        var order = 0
        var begun: [BegunStep] = []
        var sent: [SentCall] = []
        var undone: [UndoneRun] = []
        var reads: [ResourceID: Timestamp] = [:]
        var readCount = 0
        /// Event -> when it was first in the journal, by the cloud's clock.
        var journaled: [String: Timestamp] = [:]
        var haltFile = false
    }
    private let state = Mutex(State())
    private let cloud: FakeCloud
    private let clock: VirtualClock
    private let setup: Setup

    init(cloud: FakeCloud, clock: VirtualClock, setup: Setup) {
        self.cloud = cloud
        self.clock = clock
        self.setup = setup
    }

    var begun: [BegunStep] { state.withLock { $0.begun } }
    var sent: [SentCall] { state.withLock { $0.sent } }
    var undone: [UndoneRun] { state.withLock { $0.undone } }

    // MARK: The halt file

    var haltFile: String? { state.withLock { $0.haltFile ? "/etc/holdfast/HALT" : nil } }
    func put(haltFile: Bool) { state.withLock { $0.haltFile = haltFile } }

    // MARK: What happens

    func nextRead() -> Int {
        state.withLock { state in
            state.readCount += 1
            return state.readCount
        }
    }

    func read(_ resource: ResourceID, started: Timestamp) {
        state.withLock { $0.reads[resource] = max($0.reads[resource] ?? .distantPast, started) }
    }

    /// What a commit has written.
    func note(_ transaction: JournalTransaction) {
        let now = clock.cloudTime()
        let undone = transaction.remediation.runs.filter { $0.phase == .undone }.compactMap { run -> UndoneRun? in
            cloud.with { state, _ in
                state.truth[run.resource].map { truth in
                    UndoneRun(
                        order: 0, run: run, section: Ledger.section(of: truth, run.resource),
                        touches: state.touches[run.resource] ?? [])
                }
            }
        }
        state.withLock { state in
            for event in transaction.eventIDs where state.journaled[event] == nil { state.journaled[event] = now }
            for var run in undone {
                state.order += 1
                run.order = state.order
                state.undone.append(run)
            }
        }
    }

    func resource(of run: String) -> ResourceID? {
        state.withLock { state in state.begun.last { $0.run.id == run }?.run.resource }
    }

    func sent(run: String, step: Int, attempt: Int, call: PlannedCall, requestID: String, reaches: Bool) {
        state.withLock { state in
            state.order += 1
            state.sent.append(
                SentCall(
                    order: state.order, run: run, step: step, attempt: attempt, digest: call.digest, name: call.name,
                    requestID: requestID, reaches: reaches))
        }
    }

    /// A step was begun: the world is looked at as it is now.
    func begun(_ intent: StepIntent, typeCount: Int, opened: Timestamp?) {
        let resource = intent.run.resource
        let now = clock.cloudTime()
        let world = cloud.with { state, _ in
            (
                touches: state.touches[resource] ?? [],
                backlog: state.backlog["\(resource) \(BegunStep.place(of: intent.call))"],
                truth: state.truth[resource] ?? .null
            )
        }
        let environment = setup.environment(of: intent.run.context.account)
        state.withLock { state in
            state.order += 1
            let journaled = world.touches.map(\.event).filter { event in
                state.journaled[event].map { $0 < now } ?? false
            }
            state.begun.append(
                BegunStep(
                    order: state.order, at: intent.at, truly: now, run: intent.run, call: intent.call,
                    planDigest: intent.decision.planDigest, touches: world.touches, journaled: Set(journaled),
                    newestRead: state.reads[resource],
                    tags: (world.truth["Tags"]?.array ?? []).compactMap { $0["Key"]?.string },
                    isBacklog: world.backlog.map { $0.isEmpty || journaled.contains($0) } ?? false,
                    isExempt: setup.isExempt(intent.run.rule, resource, at: intent.at),
                    opened: opened,
                    haltFile: state.haltFile, typeCount: typeCount, environment: environment,
                    mode: setup.mode(of: environment), section: Ledger.section(of: world.truth, resource)))
        }
    }

    /// What playbooks of a type write.
    static func section(of truth: JSON, _ resource: ResourceID) -> JSON {
        switch resource.type {
        case FakeCloud.Kind.bucket: truth["PublicAccessBlockConfiguration"] ?? .null
        case FakeCloud.Kind.trail: truth["IsLogging"] ?? .null
        default:
            .array(
                (truth["SecurityGroupIngress"]?.array ?? []).map { rule in
                    // A rule that is made again has another id.
                    ["from": rule["FromPort"] ?? .null, "to": rule["ToPort"] ?? .null, "cidr": rule["CidrIp"] ?? .null]
                }.sorted { $0.canonicalText < $1.canonicalText })
        }
    }
}
