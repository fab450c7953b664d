package import HoldfastCrypto
package import HoldfastJSON

/// What a playbook is asked to plan for: one finding, with the resource as it is known.
package struct PlanRequest: Sendable {
    /// Tries the rule on another state of the resource.
    package typealias Trial = @Sendable (StateValue) -> Verdict.Outcome

    /// State of a resource that is gone.
    package struct LastObserved: Sendable {
        package var state: StateValue
        package var at: Timestamp
        package init(state: StateValue, at: Timestamp) {
            self.state = state
            self.at = at
        }
    }
    /// The finding's id.
    package var finding: String
    /// The rule that opened it.
    package var rule: String
    package var resource: ResourceID
    package var incarnation: String
    package var context: ResourceContext
    package var document: StateValue
    /// What made the resource drift.
    package var offending: [Offending]
    /// The paths that the rule reads of this type.
    package var ruleReads: [PropertyPath]
    package var params: [String: JSON]
    package var lists: [String: [String]]
    package var lastObserved: LastObserved?
    package var now: Timestamp
    /// For playbooks that choose what passes the rule; without one they can only propose.
    package var trial: Trial?

    package init(
        finding: String, rule: String, resource: ResourceID, incarnation: String, context: ResourceContext,
        document: StateValue, offending: [Offending], ruleReads: [PropertyPath] = [], params: [String: JSON] = [:],
        lists: [String: [String]] = [:], lastObserved: LastObserved? = nil, now: Timestamp, trial: Trial? = nil
    ) {
        self.finding = finding
        self.rule = rule
        self.resource = resource
        self.incarnation = incarnation
        self.context = context
        self.document = document
        self.offending = offending
        self.ruleReads = ruleReads
        self.params = params
        self.lists = lists
        self.lastObserved = lastObserved
        self.now = now
        self.trial = trial
    }
}

/// What a playbook makes of a finding.
package enum PlanOutcome: Sendable {
    case plan(Plan)
    /// A person must decide, and why; with the plan where there is one that could be carried out.
    case proposal(String, Plan?)
    /// There is nothing to do, and why.
    case nothing(String)
}

/// Exactly what would be done about one finding. Rendered only; making one changes nothing.
package struct Plan: Sendable {
    package var finding: String
    package var rule: String
    package var resource: ResourceID
    package var incarnation: String
    package var context: ResourceContext
    package var playbook: String
    package var playbookDigest: SHA256Digest
    package var title: String
    package var risk: PlaybookRisk
    package var edits: [RenderedEdit]
    package var steps: [PlannedStep]
    /// What a person should know before saying yes.
    package var warnings: [String]
    /// Other fixes of the same finding, each with its own digest; only a person may choose one.
    package var alternatives: [Plan]
    package var tellsActor: Bool
    package var grace: Span?
    /// What an approval is for: incarnation, playbook, ordered calls and edits, and the values that the rule read and
    /// the steps write. Preconditions and unrelated members are not in it.
    package var digest: SHA256Digest

    /// The worst of its steps.
    package var undo: UndoGrade { steps.map(\.undo.grade).max() ?? .exact }
}

/// A call with every parameter filled in.
package struct PlannedCall: Sendable, Hashable {
    package var name: String
    /// `PATCH https://…/{project}/…`; empty where the operation's name says all.
    package var request: String
    /// What the caller must be allowed.
    package var permission: String
    package var parameters: JSONObject
}

/// One call of a plan, with what it is for and the way back.
package struct PlannedStep: Sendable {
    package var call: PlannedCall
    package var why: String
    /// The offending element that this call is about, by path, where the step is done for each.
    package var item: String?
    /// The sections of the resource that the call changes.
    package var writes: [PropertyPath]
    /// What must not have changed since it was read, and its value as it is known now, null where it is not known; it
    /// is read again before the call is made.
    package var precondition: (reference: String, value: JSON)?
    /// How it is seen that the step has done its work.
    package var verify: String
    package var undo: PlannedUndo
}

/// How a step is undone, and how well.
package struct PlannedUndo: Sendable, Hashable {
    package enum Means: Sendable, Hashable {
        case call(PlannedCall)
        /// The sections as they were captured before the step, written back with one call, or taken away with the
        /// other where there was nothing; `before` is what is known of them now, `nil` where that is not known.
        case restore([PropertyPath], with: String, whenAbsent: String?, before: JSON?)
        /// The edit turned round and applied to the document as it is then.
        case inverseEdit(String, [EditChange])
        case none
    }
    package var grade: UndoGrade
    package var means: Means
}

/// A document before and after an edit.
package struct RenderedEdit: Sendable {
    package var name: String
    package var section: PropertyPath
    /// `nil` where there was none.
    package var before: JSON?
    package var after: JSON
    package var changes: [EditChange]
    /// It is kept as JSON in a text, and sent so.
    package var isText: Bool
}

/// One thing that an edit changes in a document.
package struct EditChange: Sendable, Hashable {
    /// In the document: `Statement[1]`.
    package var path: PropertyPath
    /// `nil` where it is added.
    package var before: JSON?
    /// `nil` where it is removed.
    package var after: JSON?

    /// The change that takes this one back.
    var inverse: EditChange { EditChange(path: path, before: after, after: before) }
}
