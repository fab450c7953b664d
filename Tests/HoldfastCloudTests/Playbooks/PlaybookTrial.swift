import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import TestOracles

@testable import HoldfastCloud

/// One playbook from drift to fix and back, in a cloud that stands for the true one: what the engine does between, and
/// nothing of the engine.
struct PlaybookTrial<C: HoldfastClock> {
    typealias Write = (PlannedCall, ResourceContext) async -> WriteOutcome

    /// Where it failed, and how.
    struct Failure: Error, CustomStringConvertible {
        var stage: Stage
        var description: String
    }
    enum Stage: String {
        case drift, plan, write, promise, verify, undo, restore
    }

    let playbook: Playbook
    let drift: PlantedDrift
    let reader: CloudReader<C>
    let writer: CloudWriter<MachineClock>
    let write: Write

    /// - Parameter meddling: somebody else changes something between the fix and its undo.
    /// - Throws: ``Failure`` at the first stage that is not as the playbook says.
    /// - Returns: whether there was something to meddle with, where that was asked for.
    @discardableResult
    func run(meddling: Bool = false) async throws -> Bool {
        var (before, last) = (drift.told["before"] ?? .null, PlanRequest.LastObserved?.none)
        if let vanishing = try drift.vanishing {
            last = .init(state: try await read(vanishing).document, at: drift.now)
            before = try await drift.vanish()
        }
        let (rule, verdict, found) = try await finding()
        let plan = try await plan(rule, verdict, found, last)
        let done = try await carryOut(plan)
        let promised = try await drift.promised(before)
        try expect(.promise, try await drift.shown(), promised)
        let after = try await judge(rule, read(drift.resource).document)
        guard after.outcome == .pass else {
            throw Failure(stage: .verify, description: "\(rule.id) is \(after.outcome) \(after.reason)")
        }
        if case .irreversible = plan.undo { return false }
        var wanted = try await drift.keeping(before)
        if meddling {
            guard let kept = try await drift.meddled(before) else { return false }
            wanted = kept
        }
        for (step, captured, answer, written) in done.reversed() {
            try await takeBack(step, captured: captured, answer: answer, written: written)
        }
        let restored = try await drift.keeping(drift.shown())
        try expect(.restore, restored, wanted)
        return true
    }

    private func expect(_ stage: Stage, _ found: JSON, _ wanted: JSON) throws {
        guard found != wanted else { return }
        let text = "the client reads \(found.canonicalText), and \(wanted.canonicalText) was promised"
        throw Failure(stage: stage, description: text)
    }

    // MARK: Reading

    private struct Read {
        var document: StateValue
        var answers: [RawAnswer]
    }

    private func read(_ resource: ResourceID) async throws -> Read {
        let description = try await reader.describe(resource, context: drift.context)
        guard case .sections = description.result, let type = Shipped.catalog.type(resource.type) else {
            throw Failure(stage: .drift, description: "\(resource) is not there: \(description.result)")
        }
        let document = StateValue(snapshot: description.tree).keyed(by: type)
        return Read(document: document, answers: description.answers)
    }

    /// The resources at the other end of a relation, as they are now.
    private func related(_ relation: RelatedRead, of document: StateValue) async throws -> RelatedResources {
        var found: [ResourceID] = []
        if relation.isReverse {
            for listed in try await reader.list(relation.type, at: drift.context) {
                let state = try await read(listed.resource).document
                let names = state.json.values(at: relation.by.steps[...]).compactMap(\.scalarText)
                let ids = names.compactMap {
                    Shipped.catalog.resource(type: drift.resource.type, named: $0, in: drift.context)
                }
                if ids.contains(drift.resource) { found.append(listed.resource) }
            }
        } else {
            found = document.json.values(at: relation.by.steps[...]).compactMap(\.scalarText).compactMap {
                Shipped.catalog.resource(type: relation.type, named: $0, in: drift.context)
            }
        }
        var members: [RelatedResources.Member] = []
        for id in found { members.append(.init(id: id, document: try await read(id).document)) }
        return RelatedResources(members)
    }

    private func judge(_ rule: Rule, _ document: StateValue) async throws -> Verdict {
        rule.evaluate(document, of: drift.resource, params: rule.params, in: try await context(rule, document)).verdict
    }

    private func context(_ rule: Rule, _ document: StateValue) async throws -> EvaluationContext {
        var related: [RelatedRead: RelatedResources] = [:]
        for relation in rule.reads.relations {
            related[relation.read] = try await self.related(relation.read, of: document)
        }
        let known = related
        return EvaluationContext(
            now: drift.now, environment: "dev", place: drift.context,
            labels: Labels.read(document, of: playbook.type), lists: drift.lists
        ) { known[$0] ?? RelatedResources(openBecause: "not read") }
    }

    // MARK: Finding and plan

    /// The first of the playbook's rules that finds drift.
    private func finding() async throws -> (Rule, Verdict, Read) {
        let found = try await read(drift.resource)
        var verdicts: [String] = []
        let named = drift.told["rule"]?.string.map { [$0] } ?? playbook.remedies
        for rule in named.compactMap(Shipped.data.baseline.rule) {
            let verdict = try await judge(rule, found.document)
            if verdict.outcome == .drift { return (rule, verdict, found) }
            verdicts.append("\(rule.id) is \(verdict.outcome) \(verdict.reason)")
        }
        throw Failure(stage: .drift, description: verdicts.joined(separator: "; "))
    }

    private func plan(
        _ rule: Rule, _ verdict: Verdict, _ found: Read, _ last: PlanRequest.LastObserved?
    ) async throws -> Plan {
        let context = try await context(rule, found.document)
        let resource = drift.resource
        let outcome = playbook.plan(
            PlanRequest(
                finding: "trial", rule: rule.id, resource: resource, incarnation: "-", context: drift.context,
                document: found.document, offending: verdict.offending, ruleReads: rule.reads.paths,
                params: rule.params, lists: drift.lists, lastObserved: last, now: drift.now,
                trial: { rule.evaluate($0, of: resource, params: rule.params, in: context).verdict.outcome }))
        guard case .plan(let plan) = outcome else {
            throw Failure(stage: .plan, description: outcome.text)
        }
        return plan
    }

    // MARK: Writing

    private typealias Done = (step: PlannedStep, captured: [RawAnswer], answer: JSON, written: JSON)

    private func carryOut(_ plan: Plan) async throws -> [Done] {
        var done: [Done] = []
        for step in plan.steps {
            let captured = try await read(drift.resource).answers
            let answer = try await finished(await write(step.call, drift.context), .write, step.call)
            let written = try await undo(step).sections(of: read(drift.resource).document)
            done.append((step, captured, answer, written))
        }
        return done
    }

    private func undo(_ step: PlannedStep) -> StepUndo {
        StepUndo(
            step.call, writes: step.writes, undo: step.undo, of: playbook.type.name, catalog: Shipped.catalog)
    }

    /// Asks until a long operation is over; from what the journal would have kept of it.
    private func finished(_ outcome: WriteOutcome, _ stage: Stage, _ call: PlannedCall) async throws -> JSON {
        var (outcome, answer) = (outcome, JSON.null)
        for _ in 0..<100 {
            switch outcome {
            case .done(let body, _): return body.isNull ? answer : body
            case .alreadyDone: return answer
            case .accepted(let operation, _):
                let token = try JSON.parse(operation.token.canonicalText)
                let kept = AcceptedOperation(token: token, askAfter: operation.askAfter)
                outcome = await writer.poll(kept, context: drift.context)
                answer = .null
            case .refused, .unknown:
                throw Failure(stage: stage, description: "\(call.name) \(call.parameters): \(outcome)")
            }
        }
        throw Failure(stage: stage, description: "\(call.name) does not end")
    }

    private func takeBack(
        _ step: PlannedStep, captured: [RawAnswer], answer: JSON, written: JSON
    ) async throws {
        let now = try await read(drift.resource).document
        let action: UndoAction
        do {
            action = try undo(step).action(captured: captured, answer: answer, written: written, now: now)
        } catch {
            throw Failure(stage: .undo, description: "\(error)")
        }
        guard case .call(let call) = action else { return }
        _ = try await finished(await write(call, drift.context), .undo, call)
    }
}
