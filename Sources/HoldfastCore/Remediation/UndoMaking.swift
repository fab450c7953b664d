package import HoldfastJSON

/// How a step is undone.
package enum UndoMaking: Sendable, Hashable {
    case call(PlannedCall)
    /// All is as it was before the step.
    case nothing
    /// And why.
    case impossible(String)
}

extension Playbook {
    /// The call that undoes a step, by what was captured before it and what is there now.
    ///
    /// - Parameters:
    ///   - captured: the answers of the reads before the step, as ``RawAnswer/json`` has them.
    ///   - now: the resource as it was read just now.
    package func undo(_ step: RunStep, captured: JSON?, now: StateValue) -> UndoMaking {
        let answers = captured?.array?.compactMap { RawAnswer(json: $0) } ?? []
        do {
            let action = try undo(of: step).action(
                captured: answers, answer: step.answer, written: step.written.isNull ? nil : step.written, now: now)
            switch action {
            case .call(let call): return .call(call)
            case .nothing: return .nothing
            }
        } catch {
            return .impossible(error.description)
        }
    }

    /// What is to be kept of a read before a step, for ``undo(_:captured:now:)``: a list of ``RawAnswer/json``.
    package func capture(for step: RunStep, of answers: [RawAnswer]) -> JSON {
        .array(undo(of: step).capture(answers).map(\.json))
    }

    /// What of a resource a step has written, as it is read after it: kept with the run, so that an undo can tell
    /// whether it still stands there.
    package func written(by step: RunStep, in state: StateValue) -> JSON { undo(of: step).sections(of: state) }

    private func undo(of step: RunStep) -> StepUndo {
        StepUndo(step.call, writes: step.writes, undo: step.undo, of: type, calls: calls)
    }
}
