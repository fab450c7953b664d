internal import HoldfastCore

/// What the steps of one writer found and left, so that the next need not read and decode it again. Only for a journal
/// that nobody else writes to: what it holds is never looked for anew.
final class StepMemory {
    private var subjects: [ResourceID: Step.Subject] = [:]
    private var findings: [ResourceID: [String: Finding]] = [:]
    private var links: [String: SessionLink?] = [:]

    /// Entries of each kind; all are forgotten together when there are more.
    private static let limit = 4_000

    func subject(_ id: ResourceID) -> Step.Subject? { subjects[id] }

    /// `nil` where it is not known whether there are any.
    func findings(of id: ResourceID) -> [String: Finding]? { findings[id] }

    /// Who opened a session; `nil` where that was never asked.
    func link(of session: String) -> (link: SessionLink?, Void)? { links[session].map { ($0, ()) } }

    func keep(_ link: SessionLink?, of session: String) {
        if links.count >= Self.limit { links.removeAll(keepingCapacity: true) }
        links[session] = .some(link)
    }

    /// What was asked about sessions before these were opened is void.
    func forget(_ sessions: [SessionLink]) { for link in sessions { links[link.session] = nil } }

    /// As it is once the step's transaction is committed.
    func keep(_ step: Step) {
        for (id, known) in step.subjects where known.changed || !known.isNew {
            if subjects.count >= Self.limit { subjects.removeAll(keepingCapacity: true) }
            var subject = known
            subject.before = known.after
            subject.earlier = known.view
            subject.isNew = false
            subject.touched = []
            subject.heard = []
            subjects[id] = subject
        }
        for (id, known) in step.findings {
            if findings.count >= Self.limit { findings.removeAll(keepingCapacity: true) }
            findings[id] = known
        }
    }
}
