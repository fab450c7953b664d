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
    ///   - captured: the answers of the reads before the step, by call, as the provider gave them.
    ///   - now: the resource as it was read just now.
    ///   - answers: the answers of that read, by call.
    package func undo(
        _ step: RunStep, captured: JSON?, now: StateValue, answers: JSON
    ) -> UndoMaking {
        switch step.undo.means {
        case .call(let call): return .call(call)
        case .none: return .impossible("\(step.call.name) cannot be undone: \(step.undo.grade)")
        case .restore, .inverseEdit: return .impossible("not yet")
        }
    }
}
