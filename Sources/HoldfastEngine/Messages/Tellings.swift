package import HoldfastCore
internal import HoldfastJSON

/// A telling with what became of it.
package struct StoredTelling: Sendable, Hashable {
    package var telling: Telling
    package var state: Telling.State
    /// Of the message that has it; empty while it waits.
    package var message: String
    /// When that message was made.
    package var sent: Timestamp?
    /// When the channel took it.
    package var told: Timestamp?

    package init(
        telling: Telling, state: Telling.State = .waiting, message: String = "", sent: Timestamp? = nil,
        told: Timestamp? = nil
    ) {
        self.telling = telling
        self.state = state
        self.message = message
        self.sent = sent
        self.told = told
    }
}

extension Policy {
    /// The people who are told of a drift for which a plan asks that: who made it, and with a grace who answers for the
    /// resource. Those that no channel reaches are among them.
    func concerned(by finding: Finding, tellsActor: Bool, hasGrace: Bool) -> [Concerned] {
        let cause = finding.cause
        let actors = cause.isBaseline ? [] : ([cause.actor] + cause.chain).flatMap(people.people(behind:))
        let owners = people.people(owning: classification.owner(of: finding.context))
        let told = Set((tellsActor || hasGrace ? actors : []) + (hasGrace ? owners : []))
        return told.sorted().map {
            Concerned(person: $0, isActor: actors.contains($0), isOwner: owners.contains($0))
        }
    }

    /// Somebody whom a drift concerns.
    struct Concerned {
        var person: String
        var isActor: Bool
        var isOwner: Bool
    }

    /// Whether those who may object to a fix have heard of it: one who answers for the resource, or where nobody does,
    /// who made the change.
    func hearing(
        of finding: Finding, tellsActor: Bool, told: [StoredTelling]
    ) -> GuardFacts.Hearing {
        let all = concerned(by: finding, tellsActor: tellsActor, hasGrace: true)
            .filter { people.reach(of: $0.person) != nil }
        let asked = all.contains(where: \.isOwner) ? all.filter(\.isOwner) : all
        let heard = asked.map { concerned in told.first { $0.telling.person == concerned.person } }
        if let first = heard.compactMap({ $0?.told }).min() { return .told(at: first) }
        return heard.contains { $0?.state != .failed } ? .pending : .nobody
    }
}

extension Deciding {
    /// Queues what people are to hear of a plan, once for each drift: where nothing else than their own word, or
    /// somebody's approval, keeps it from being carried out.
    func tell(
        _ assessment: Assessment, _ plan: Plan, _ facts: GuardFacts, in step: inout Step
    ) throws(JournalError) {
        guard plan.tellsActor || plan.grace != nil, facts.campaign == nil, facts.drill == nil,
            let occasion = facts.opened
        else { return }
        var without = facts
        without.plan.grace = nil
        let outcome = guards(without).outcome
        guard outcome != .refuse else { return }
        let known = try journal.tellings(of: assessment.finding.id, since: occasion)
        let fate: Telling.Fate =
            outcome == .ask ? .approval : facts.grace == .none ? .now : plan.grace.map { .grace($0) } ?? .now
        let concerned = policy.concerned(
            by: assessment.finding, tellsActor: plan.tellsActor, hasGrace: plan.grace != nil)
        for person in concerned
        where policy.people.reach(of: person.person) != nil
            && !known.contains(where: { $0.telling.person == person.person })
        {
            step.transaction.messages.tellings.append(
                StoredTelling(
                    telling: Telling(
                        assessment.finding, to: person.person, isActor: person.isActor, isOwner: person.isOwner,
                        occasion: occasion, fix: plan.title, fate: fate, queued: now)))
        }
    }
}

/// Telling people what is for them alone.
extension Keeper {
    /// Tellings that are looked at in one transaction.
    static let tellingsAtOnce = 2000

    /// Makes messages of what waits to be told: one for each person, of everything that came within the time in which
    /// their channel gathers, and no more in an hour than the channel takes.
    package func tell(now: Timestamp) throws(JournalError) {
        let waiting = try journal.tellings(in: .waiting, limit: Keeper.tellingsAtOnce)
        guard !waiting.isEmpty else { return }
        var step = Step(policy: policy, journal: journal, now: now)
        let byPerson = Dictionary(grouping: waiting.map(\.telling), by: \.person)
        for (person, tellings) in byPerson.sorted(by: { $0.key < $1.key }) {
            guard let reach = policy.people.reach(of: person), let pace = policy.messages.channels[reach.channel] else {
                fail(tellings, in: &step)
                continue
            }
            guard let first = tellings.map(\.queued).min(), first + pace.gather <= now,
                try journal.messages(to: person, since: now - Span(seconds: 3600)) < pace.perHour
            else { continue }
            let id = "\(reach.channel)-to-\(person)-\(now.nanoseconds)"
            guard let message = TellingMessage.make(id: id, of: tellings, by: reach, now: now) else { continue }
            step.transaction.messages.outgoing.append(OutgoingMessage(message: message, due: now))
            step.transaction.messages.tellings += tellings.map {
                StoredTelling(telling: $0, state: .sent, message: id, sent: now)
            }
        }
        guard !step.transaction.messages.isEmpty else { return }
        try commit(step, lease: nil)
    }

    private func fail(_ tellings: [Telling], in step: inout Step) {
        step.transaction.messages.tellings += tellings.map { StoredTelling(telling: $0, state: .failed) }
        step.transaction.remediation.candidates += tellings.map { Candidate(finding: $0.finding, due: step.now) }
    }

    /// What a message for one person told, or failed to, with what is decided anew by that.
    func settle(_ message: Message, as state: Telling.State, in step: inout Step) throws(JournalError) {
        guard message.kind == .personal else { return }
        let told = state == .told ? step.now : nil
        for var stored in try journal.tellings(inMessage: message.id) {
            (stored.state, stored.told) = (state, told)
            step.transaction.messages.tellings.append(stored)
            step.transaction.remediation.candidates.append(Candidate(finding: stored.telling.finding, due: step.now))
        }
    }
}

extension StoredTelling {
    /// Who heard what, when; no address.
    var json: JSON {
        [
            "person": .string(telling.person), "actor": .bool(telling.isActor), "owner": .bool(telling.isOwner),
            "state": .string(state.rawValue), "queued": .string(telling.queued.description),
            "told": told.map { .string($0.description) } ?? .null,
        ]
    }
}
