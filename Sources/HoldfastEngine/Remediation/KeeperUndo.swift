package import HoldfastCore
internal import HoldfastJSON

/// Undos: what a person asks for, and what is asked back where others changed the resource since.
extension Keeper {
    /// A person wants a run undone. Where others changed since what it wrote, and putting back what was before would
    /// overwrite their work, nothing is written until the person names the difference that they were shown.
    ///
    /// - Parameter accept: the digest of that difference; empty at first.
    /// - Throws: `impossible` with the difference, where it is known already; the run is stuck over it then.
    package func undo(
        _ id: String, by person: Person, reason: String, accepting accept: String = "", now: Timestamp
    ) throws(DeskRefusal) {
        try desk {
            guard var run = try journal.run(id: id) else { throw DeskRefusal(.unknown, "there is no run \(id)") }
            guard !memory.working.contains(id) else {
                throw DeskRefusal(.impossible, "run \(id) is making a call; ask again in a moment")
            }
            if let other = try busy(run.resource, besides: id) {
                throw DeskRefusal(.impossible, "\(other) works on this resource; ask again when it has ended")
            }
            try check(accept, on: run)
            do throws(Run.IllegalMove) {
                try run.undo(by: person.name, reason: reason, accepting: accept, at: now)
            } catch {
                throw DeskRefusal(.impossible, error.description)
            }
            var step = Step(policy: policy, journal: journal, now: now)
            let conflict = try knownConflict(of: run, in: &step)
            if let conflict {
                try move { () throws(Run.IllegalMove) in
                    try run.getStuck("\(conflict.reason); \(conflict.question)", over: conflict, at: now)
                }
            }
            note(run, "\(person.name) asked for its undo", in: &step)
            try follow(run, in: &step)
            if conflict == nil {
                step.transaction.closedNotices = [
                    NoticeClosing(code: NoticeCode.runStuck.rawValue, subject: id, at: now)
                ]
            }
            // First who asked, then where the run went by that.
            var body = JSONObject([
                ("what", .string(id)), ("person", .string(person.name)), ("via", .string(person.via)),
                ("reason", .string(reason)),
            ])
            if !accept.isEmpty { body["accepted"] = .string(accept) }
            step.transaction.audit.insert(AuditEntry(kind: "undo", at: now, body: .object(body)), at: 0)
            step.transaction.mustBeDurable = true
            try commit(step, lease: nil)
            if let conflict { throw DeskRefusal.asking(conflict, of: id) }
        }
    }

    /// A word on a difference is for just the one that the run is stuck over.
    private func check(_ accept: String, on run: Run) throws {
        guard !accept.isEmpty else { return }
        guard let conflict = run.conflict else {
            throw DeskRefusal(.impossible, "run \(run.id) asks nothing that could be accepted")
        }
        if accept != conflict.digest || conflict.call == nil { throw DeskRefusal.asking(conflict, of: run.id) }
    }

    /// What the next step's undo would overwrite, as far as the journal knows without another read.
    private func knownConflict(of run: Run, in step: inout Step) throws(JournalError) -> UndoConflict? {
        // Of what a drill has planted nothing need have been read yet.
        guard run.phase == .ready, run.direction == .back, !run.plants else { return nil }
        let subject = try step.subject(run.resource, context: run.context)
        guard !subject.view.isDeleted, subject.view.incarnation == run.incarnation,
            try !isWanted(run, in: &step), case .failure(let fault) = try undoing(run, subject)
        else { return nil }
        return try conflict(fault, of: run, subject)
    }

    /// How the present step of a run is undone, by what was captured before it and what is there now.
    func undoing(_ run: Run, _ subject: Step.Subject) throws(JournalError) -> Result<UndoAction, UndoFault> {
        let step = run.steps[run.cursor]
        let captured = try captured(run)
        do throws(UndoFault) {
            return .success(
                try undo(of: run).action(
                    captured: captured, answer: step.answer, written: step.written,
                    now: subject.view.document))
        } catch {
            // What a person has seen and let go is written over.
            let conflict = try conflict(error, of: run, subject)
            if let conflict, conflict.digest == run.accepted, let call = conflict.call {
                return .success(.call(call))
            }
            return .failure(error)
        }
    }

    func conflict(_ fault: UndoFault, of run: Run, _ subject: Step.Subject) throws(JournalError) -> UndoConflict? {
        undo(of: run).conflict(
            fault, step: run.cursor, captured: try captured(run), written: run.steps[run.cursor].written,
            now: subject.view.document)
    }

    private func undo(of run: Run) -> StepUndo {
        let step = run.steps[run.cursor]
        return StepUndo(
            step.call, writes: step.writes, undo: step.undo, of: run.resource.type, catalog: policy.catalog)
    }

    private func captured(_ run: Run) throws(JournalError) -> [RawAnswer] {
        let sealed = try journal.capture(run: run.id, step: run.cursor)
        let answers = sealed.flatMap(tools.open).flatMap { try? JSON.parse($0).array } ?? []
        return answers.compactMap(RawAnswer.init(json:))
    }
}

extension UndoConflict {
    /// What a person is asked.
    var question: String {
        call == nil
            ? "nothing can write back what was there before"
            : "what was there before is written over it when a person accepts the difference \(digest.prefix(12))"
    }
}

extension DeskRefusal {
    static func asking(_ conflict: UndoConflict, of run: String) -> DeskRefusal {
        DeskRefusal(
            .impossible, "run \(run) is not undone yet: \(conflict.reason); \(conflict.question)", conflict: conflict)
    }
}
