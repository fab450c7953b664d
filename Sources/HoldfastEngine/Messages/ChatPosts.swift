package import HoldfastCore
internal import HoldfastJSON

/// A prompt that stands in a conversation, and what it says of its plan.
package struct ChatPost: Sendable, Hashable {
    package var digest: String
    package var channel: String
    /// The chat's own names of the conversation and the message.
    package var conversation: String
    package var message: String
    package var posted: Timestamp
    /// The prompt's sentence.
    package var about: String
    /// What it said last of how things stand.
    package var standing: String

    package init(
        digest: String, channel: String, conversation: String, message: String, posted: Timestamp, about: String,
        standing: String
    ) {
        self.digest = digest
        self.channel = channel
        self.conversation = conversation
        self.message = message
        self.posted = posted
        self.about = about
        self.standing = standing
    }
}

/// How a plan that people were asked about stands.
package struct PlanStanding: Sendable, Hashable {
    /// For people, one sentence.
    package var text: String
    /// It can still be decided.
    package var isOpen: Bool
    /// It was carried out, and a person may have it undone.
    package var verified: Run?
    package init(_ text: String, isOpen: Bool, verified: Run? = nil) {
        self.text = text
        self.isOpen = isOpen
        self.verified = verified
    }
}

/// A chat: messages that stand there are changed as things move on.
package protocol ChatChannel: MessageChannel {
    /// - Parameter prompt: `nil` where nobody is asked any more.
    func update(_ post: ChatPost, _ prompt: Prompt?, to standing: PlanStanding) async throws(DeliveryError)
}

extension Keeper {
    /// A prompt stands in a conversation from now on.
    package func posted(_ post: ChatPost) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: post.posted)
        step.transaction.messages.posts = [post]
        try commit(step, lease: nil)
    }

    /// Prompts of a channel that say something else than what is so, at most a week old.
    package func stalePosts(
        by channel: String, now: Timestamp
    ) throws(JournalError) -> [(post: ChatPost, prompt: Prompt?, standing: PlanStanding)] {
        let posts = try journal.posts(by: channel, since: now - Span(seconds: 7 * 86_400))
        guard !posts.isEmpty else { return [] }
        let asks = try journal.asks()
        var stale: [(post: ChatPost, prompt: Prompt?, standing: PlanStanding)] = []
        for post in posts {
            let ask = asks.first { $0.digest == post.digest }
            let standing = try standing(of: post.digest, isAsked: ask != nil)
            if standing.text != post.standing { stale.append((post, ask?.prompt, standing)) }
        }
        return stale
    }

    private func standing(of digest: String, isAsked: Bool) throws(JournalError) -> PlanStanding {
        let words = try journal.approvals(of: digest)
        let finding = try journal.plans(beginning: digest, limit: 1).first?.finding
        let run = try finding.flatMap { (id) throws(JournalError) in
            try journal.runs(of: id).first { $0.planDigest == digest }
        }
        if isAsked {
            let said = words.filter { $0.word == .approve }.map(\.person)
            let who = said.isEmpty ? "" : "; approved by \(Set(said).sorted().joined(separator: ", "))"
            return PlanStanding("Waits for approval\(who).", isOpen: true)
        }
        guard let run else {
            guard let last = words.last else { return PlanStanding("Void: it waits no more.", isOpen: false) }
            let word = [Approval.Word.approve: "Approved", .refuse: "Refused", .hold: "Put off"][last.word] ?? ""
            let reason = last.reason.isEmpty ? "" : ": \(last.reason)"
            return PlanStanding("\(word) by \(last.person)\(reason).", isOpen: false)
        }
        let approvers = Set(words.filter { $0.word == .approve }.map(\.person)).sorted().joined(separator: ", ")
        let by = approvers.isEmpty ? "" : " Approved by \(approvers)."
        switch run.phase {
        case .verified: return PlanStanding("Done and verified.\(by)", isOpen: false, verified: run)
        case .undone: return PlanStanding("Undone: \(run.reason).\(by)", isOpen: false)
        case .stuck: return PlanStanding("Stuck, a person must look: \(run.reason).\(by)", isOpen: false)
        case .abandoned: return PlanStanding("Nothing was written: \(run.reason).\(by)", isOpen: false)
        case .ready, .writing, .uncertain, .accepted, .verifying:
            return PlanStanding("\(run.direction == .back ? "Being undone" : "Being done").\(by)", isOpen: false)
        }
    }

    /// Somebody who was not let in asked for something: the audit log has it.
    package func refusedStranger(
        _ who: String, via: String, asked what: String, because reason: String, now: Timestamp
    ) throws(JournalError) {
        try note(audit: [
            AuditEntry(
                kind: "refused-request", at: now,
                body: [
                    "person": .string(who), "via": .string(via), "asked": .string(what), "reason": .string(reason),
                ])
        ])
    }
}
