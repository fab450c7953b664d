internal import HoldfastCrypto
package import HoldfastJSON

/// One plan that is carried out, from its first call to its end: a saga whose every move is one of these functions.
/// A move that its phase does not have is refused, so that no crash and no message that comes twice can make another.
package struct Run: Sendable, Hashable {
    package enum Phase: String, Sendable, Hashable, CaseIterable {
        /// The next call may be begun.
        case ready
        /// A call was begun and its outcome is not known here.
        case writing
        /// A call may have been made: the resource is read before anything else.
        case uncertain
        /// The cloud has taken a call on and works.
        case accepted
        /// All calls were made, and the rule must pass when the resource is read.
        case verifying
        /// It passed.
        case verified
        /// All that was done was undone.
        case undone
        /// A person must look: nothing more is done.
        case stuck
        /// Nothing was written, and nothing will be.
        case abandoned

        package var isEnd: Bool { [.verified, .undone, .stuck, .abandoned].contains(self) }
    }
    package enum Direction: String, Sendable, Hashable {
        case forward, back
    }

    package var id: String
    package var finding: String
    package var rule: String
    package var resource: ResourceID
    package var incarnation: String
    package var context: ResourceContext
    package var environment: String
    package var playbook: String
    package var playbookDigest: String
    package var planDigest: String
    package var risk: PlaybookRisk
    /// The campaign that it belongs to, or empty.
    package var campaign: String
    package var steps: [RunStep]
    package var opened: Timestamp

    /// The drill that it belongs to, or empty.
    package var drill = ""
    /// It makes the drift that a drill is about.
    package var plants = false

    package internal(set) var phase = Phase.ready
    package internal(set) var direction = Direction.forward
    /// The step that is made or undone next.
    package internal(set) var cursor = 0
    /// Attempts of the present call.
    package internal(set) var attempts = 0
    /// When the present call was begun.
    package internal(set) var begun: Timestamp?
    /// Nothing is to be done before.
    package internal(set) var notBefore: Timestamp
    /// When verifying, reading or waiting must have come to an end.
    package internal(set) var deadline: Timestamp?
    package internal(set) var operation: AcceptedOperation?
    /// Why it is undone, stuck or abandoned.
    package internal(set) var reason = ""
    /// A call of it was refused for good, or did not bring about what it was for.
    package internal(set) var hasFailed = false
    /// What it waits for, where something holds it up.
    package internal(set) var waiting = ""
    /// Who asked for the undo; empty where the service did of its own accord.
    package internal(set) var undoneBy = ""
    /// What its undo would take away of other people's work: it is stuck until a person has said that this may be.
    package internal(set) var conflict: UndoConflict?
    /// The digest of the conflict that a person has seen and let go.
    package internal(set) var accepted = ""
    package internal(set) var ended: Timestamp?
    /// The present call may have been made, and nobody knows.
    package internal(set) var isInDoubt = false

    /// Attempts of one call that was surely not made.
    package static let attemptLimit = 5

    package init(
        id: String, finding: Finding, plan: Plan, steps: [RunStep], campaign: String = "", opened: Timestamp
    ) {
        self.id = id
        self.finding = finding.id
        rule = finding.rule
        resource = finding.resource
        incarnation = plan.incarnation
        context = finding.context
        environment = finding.environment
        playbook = plan.playbook
        playbookDigest = plan.playbookDigest.description
        planDigest = plan.digest.description
        risk = plan.risk
        self.campaign = campaign
        self.steps = steps
        self.opened = opened
        notBefore = opened
    }

    /// A move that the phase does not have.
    package struct IllegalMove: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
    }

    /// Times that moves need.
    package struct Pace: Sendable, Hashable {
        /// How long after a call a read is sure to see it.
        package var margin: Span
        /// How long a permit may be used: until then a call that was begun may still be made.
        package var permitExpiry: Span
        package var verifyWithin: Span
        package init(margin: Span, permitExpiry: Span, verifyWithin: Span) {
            self.margin = margin
            self.permitExpiry = permitExpiry
            self.verifyWithin = verifyWithin
        }
    }

    // MARK: Moves

    private func require(_ phases: Phase..., move: String) throws(IllegalMove) {
        guard phases.contains(phase) else {
            throw IllegalMove(description: "run \(id) is \(phase.rawValue) (\(direction.rawValue)) and cannot \(move)")
        }
    }

    /// The present step's call goes out.
    package mutating func begin(
        _ call: PlannedCall, isIdempotent: Bool, at now: Timestamp
    ) throws(IllegalMove) {
        try require(.ready, move: "begin a call")
        guard steps.indices.contains(cursor) else {
            throw IllegalMove(description: "run \(id) has no step \(cursor + 1)")
        }
        phase = .writing
        attempts += 1
        begun = now
        waiting = ""
        steps[cursor].lastCall = call
        steps[cursor].lastCallIsIdempotent = isIdempotent
    }

    /// The process that made the call is gone: nobody knows how it ended.
    package mutating func lose(pace: Pace) throws(IllegalMove) {
        try require(.writing, move: "lose its outcome")
        phase = .uncertain
        isInDoubt = true
        // The call may be made until the permit ends, and be seen a margin later.
        notBefore = (begun ?? notBefore) + pace.permitExpiry + pace.margin
        deadline = notBefore + pace.verifyWithin
    }

    /// How the call ended.
    package mutating func take(_ outcome: WriteOutcome, at now: Timestamp, pace: Pace) throws(IllegalMove) {
        try require(.writing, .accepted, move: "take an outcome")
        if !outcome.requestID.isEmpty { steps[cursor].requests.append(outcome.requestID) }
        switch outcome {
        case .done(let answer, _): finishStep(answer: answer, at: now, pace: pace)
        case .alreadyDone: finishStep(answer: .null, at: now, pace: pace)
        case .accepted(let operation, _):
            if phase == .writing { deadline = now + (steps[cursor].waitAtMost ?? pace.verifyWithin) }
            phase = .accepted
            self.operation = operation
            notBefore = now + operation.askAfter
            if let deadline, now >= deadline { becomeUncertain(at: now, pace: pace) }
        case .refused(let code, let message, let wait):
            operation = nil
            if let wait, attempts < Run.attemptLimit {
                phase = .ready
                notBefore = now + wait
            } else {
                fail("\(steps[cursor].lastCall?.name ?? "the call") was refused: \(code): \(message)", at: now)
            }
        case .unknown: becomeUncertain(at: now, pace: pace)
        }
    }

    private mutating func becomeUncertain(at now: Timestamp, pace: Pace) {
        phase = .uncertain
        isInDoubt = true
        operation = nil
        notBefore = now + pace.margin
        deadline = notBefore + pace.verifyWithin
    }

    private mutating func finishStep(answer: JSON, at now: Timestamp, pace: Pace) {
        operation = nil
        isInDoubt = false
        attempts = 0
        notBefore = now
        switch direction {
        case .forward:
            steps[cursor].state = .done
            // Answers may hold secrets: kept only where the undo needs something of them.
            if steps[cursor].undo.needsAnswer { steps[cursor].answer = answer }
            cursor += 1
            if cursor < steps.count {
                phase = .ready
            } else {
                phase = .verifying
                notBefore = now + pace.margin
                deadline = notBefore + pace.verifyWithin
            }
        case .back:
            steps[cursor].state = .undone
            goBack(at: now)
        }
    }

    /// To the step before that was done, or to the end of the way back.
    private mutating func goBack(at now: Timestamp) {
        attempts = 0
        if let index = steps.lastIndex(where: { $0.state == .done }) {
            cursor = index
            phase = .ready
            notBefore = now
        } else {
            end(.undone, reason, at: now)
        }
    }

    /// A call cannot be made: what was done before it is undone; on the way back a person must look.
    private mutating func fail(_ why: String, at now: Timestamp) {
        guard direction == .forward else { return end(.stuck, why, at: now) }
        reason = why
        hasFailed = true
        guard steps.contains(where: { $0.state == .done }) else { return end(.abandoned, why, at: now) }
        direction = .back
        goBack(at: now)
    }

    private mutating func end(_ phase: Phase, _ why: String, at now: Timestamp) {
        self.phase = phase
        reason = why
        waiting = ""
        deadline = nil
        ended = now
    }

    /// What a read says of a call that may have been made; `nil` where it cannot tell.
    package mutating func learn(stepIsDone: Bool?, at now: Timestamp, pace: Pace) throws(IllegalMove) {
        try require(.uncertain, move: "learn how its call ended")
        let name = steps[cursor].lastCall?.name ?? "the call"
        switch stepIsDone {
        case true?: finishStep(answer: .null, at: now, pace: pace)
        case false? where steps[cursor].lastCallIsIdempotent && attempts < Run.attemptLimit:
            phase = .ready
            isInDoubt = false
            notBefore = now
        case false?: end(.stuck, "\(name) may have been made, shows no effect, and must not be made twice", at: now)
        case nil:
            guard let deadline, now >= deadline else {
                notBefore = now + Span(seconds: 5)
                return
            }
            end(.stuck, "\(name) may have been made, and no read can tell", at: now)
        }
    }

    /// What the rule says of a read that is sure to have seen the last call; `nil` where it cannot tell.
    package mutating func verify(passes: Bool?, at now: Timestamp) throws(IllegalMove) {
        try require(.verifying, move: "verify")
        if passes == true { return end(.verified, "", at: now) }
        guard let deadline, now >= deadline else {
            notBefore = now + Span(seconds: 2)
            return
        }
        hasFailed = true
        reason = passes == nil ? "whether it helped could not be told in time" : "the rule did not pass in time"
        direction = .back
        goBack(at: now)
    }

    /// What a read after the last call showed of what each step wrote: later an undo tells by it what others changed.
    package mutating func note(written: [JSON]) {
        for (index, sections) in written.enumerated() where steps.indices.contains(index) {
            steps[index].written = sections
        }
    }

    /// A person wants it undone.
    ///
    /// - Parameter accepting: the digest of the conflict that they have seen; empty: none.
    package mutating func undo(
        by person: String, reason why: String, accepting: String = "", at now: Timestamp
    ) throws(IllegalMove) {
        try require(.ready, .verifying, .verified, .stuck, move: "be undone")
        guard direction == .forward || phase == .stuck else {
            throw IllegalMove(description: "run \(id) is being undone already")
        }
        if phase == .stuck, direction == .forward, steps.indices.contains(cursor), isInDoubt {
            // It may have been made: its undo finds out whether there is anything to take back.
            steps[cursor].state = .done
        }
        direction = .back
        undoneBy = person
        accepted = accepting
        conflict = nil
        reason = why
        isInDoubt = false
        ended = nil
        deadline = nil
        goBack(at: now)
    }

    /// The present step's undo has nothing to do: all is as it was.
    package mutating func skipUndo(at now: Timestamp) throws(IllegalMove) {
        try require(.ready, move: "skip an undo")
        guard direction == .back else { throw IllegalMove(description: "run \(id) is not being undone") }
        steps[cursor].state = .undone
        goBack(at: now)
    }

    /// The present step has nothing to do any more; the next may have.
    package mutating func skip(at now: Timestamp, pace: Pace) throws(IllegalMove) {
        try require(.ready, move: "skip a step")
        guard direction == .forward else { throw IllegalMove(description: "run \(id) is on its way back") }
        cursor += 1
        attempts = 0
        if cursor >= steps.count { try passOver(at: now, pace: pace) }
    }

    /// The steps that are left have nothing to do any more.
    package mutating func passOver(at now: Timestamp, pace: Pace) throws(IllegalMove) {
        try require(.ready, move: "pass over steps")
        guard direction == .forward else { throw IllegalMove(description: "run \(id) is on its way back") }
        guard steps.contains(where: { $0.state == .done }) else {
            return end(.abandoned, "there was nothing to do", at: now)
        }
        cursor = steps.count
        phase = .verifying
        notBefore = now + pace.margin
        deadline = notBefore + pace.verifyWithin
    }

    /// A person must look.
    ///
    /// - Parameter conflict: what they are asked, where a word of theirs lets it go on.
    package mutating func getStuck(
        _ why: String, over conflict: UndoConflict? = nil, at now: Timestamp
    ) throws(IllegalMove) {
        guard !phase.isEnd else { throw IllegalMove(description: "run \(id) has ended as \(phase.rawValue)") }
        end(.stuck, why, at: now)
        self.conflict = conflict
    }

    /// What it was made for is gone before anything was written: the finding was resolved, or the plan is another.
    package mutating func abandon(_ why: String, at now: Timestamp) throws(IllegalMove) {
        try require(.ready, move: "be abandoned")
        guard direction == .forward, !steps.contains(where: { $0.state == .done }) else {
            throw IllegalMove(description: "run \(id) has written and cannot be abandoned")
        }
        end(.abandoned, why, at: now)
    }

    /// Nothing is done before.
    package mutating func rest(until time: Timestamp) { notBefore = max(notBefore, time) }

    /// Something holds it up: it looks again then.
    package mutating func wait(for what: String, until time: Timestamp) {
        waiting = what
        rest(until: time)
    }

    // MARK: What is to be done

    /// What whoever carries the run out must do next.
    package enum Action: Sendable, Hashable {
        /// Read the resource, then ask the guards and begin the present call.
        case prepare
        /// Read the resource: did the call that may have been made work?
        case find
        case poll(AcceptedOperation)
        /// Read the resource: does the rule pass?
        case check
        case nothing
    }

    package var action: Action {
        switch phase {
        case .ready: .prepare
        case .uncertain: .find
        case .accepted: operation.map(Action.poll) ?? .find
        case .verifying: .check
        case .writing, .verified, .undone, .stuck, .abandoned: .nothing
        }
    }

    /// Whether any call may have reached the cloud.
    package var hasWritten: Bool { steps.contains { $0.lastCall != nil } }
}
