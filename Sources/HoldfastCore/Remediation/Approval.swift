/// How many people must agree, and who may.
package struct ApprovalRules: Sendable, Hashable {
    /// Risk -> environment -> approvals needed.
    package var table: [PlaybookRisk: [String: Int]] = [:]
    /// Roles that are asked, one after the other where nobody answers.
    package var chain = ["approver"]
    /// How long each of them has before the next is asked.
    package var answerWithin = Span(seconds: 3600)
    /// How long an approval may be used after it was given.
    package var expiry = Span(seconds: 4 * 3600)

    package init() {}

    /// Without a table: none for low risk; one for medium risk in the last environment; one for high risk anywhere, and
    /// two in the last environment. An environment that the table leaves out gets its row's strictest number.
    package func needed(_ risk: PlaybookRisk, environment: String, isLast: Bool) -> Int {
        if let row = table[risk] { return row[environment] ?? row.values.max() ?? 1 }
        switch risk {
        case .low: return 0
        case .medium: return isLast ? 1 : 0
        case .high: return isLast ? 2 : 1
        }
    }
}

/// One person's word on one plan digest.
package struct Approval: Sendable, Hashable {
    package enum Word: String, Sendable, Hashable, CaseIterable {
        case approve, refuse
        /// Not now: asked again when it ends.
        case hold
    }
    /// The plan's digest, or that of a list of plans.
    package var digest: String
    package var word: Word
    package var person: String
    package var roles: [String]
    package var reason: String
    package var at: Timestamp
    /// From when it counts no more.
    package var expires: Timestamp
    /// `unix-socket`, `oidc`, `token`, `session`.
    package var via: String

    package init(
        digest: String, word: Word, person: String, roles: [String], reason: String, at: Timestamp, expires: Timestamp,
        via: String
    ) {
        self.digest = digest
        self.word = word
        self.person = person
        self.roles = roles
        self.reason = reason
        self.at = at
        self.expires = expires
        self.via = via
    }
}

/// Whether enough of the right people have agreed to one digest.
package struct ApprovalStanding: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        case notNeeded
        case met(by: [String])
        /// Of `needed`, these have agreed.
        case waiting(needed: Int, by: [String])
        case refused(by: String, reason: String)
        case held(by: String, until: Timestamp)
        /// Nobody's word can count, and why.
        case impossible(String)
    }
    package var state: State
    /// Words that do not count, and why.
    package var passedOver: [String] = []
    /// When the word that stops it ends.
    package var again: Timestamp?

    package init(_ state: State) { self.state = state }
}

extension ApprovalRules {
    /// Who is asked about one plan, and who must not decide it.
    package struct Question: Sendable {
        package var digest: String
        package var needed: Int
        /// Everybody who had a hand in it, each with those that led to them: names from the cloud's log, nearest first.
        package var hands: [[String]]
        /// In the last environment a hand that nobody is mapped to leaves four eyes unmet.
        package var mustKnowActor: Bool
        /// When it drifted as it does now: what was agreed to before was another occasion.
        package var since = Timestamp.distantPast
        /// What somebody said against it: another person must agree after that.
        package var objection: Objection?
        /// Everybody whose objection stands, the newest being ``objection``: they do not overrule each other.
        package var objectors: Set<String> = []

        package init(digest: String, needed: Int, hands: [[String]], mustKnowActor: Bool) {
            self.digest = digest
            self.needed = needed
            self.hands = hands
            self.mustKnowActor = mustKnowActor
        }
    }

    /// What the words that were given come to. One refusal is enough; one person counts once.
    package func standing(
        of question: Question, words: [Approval], people: People, now: Timestamp
    ) -> ApprovalStanding {
        guard question.needed > 0 else { return ApprovalStanding(.notNeeded) }
        let causers = Set(question.hands.flatMap { $0.flatMap(people.people(behind:)) })
        let unknown = question.hands.first { $0.allSatisfy { people.people(behind: $0).isEmpty } }
        if question.mustKnowActor, let name = unknown?.first {
            return ApprovalStanding(
                .impossible(
                    "nobody is mapped to \(name), so that four eyes cannot be told from two; add the "
                        + "actor to a person under identities:"))
        }
        var standing = ApprovalStanding(.notNeeded)
        var agreed: Set<String> = []
        for word in words.sorted(by: { ($0.at, $0.person) < ($1.at, $1.person) })
        where word.digest == question.digest {
            if word.expires <= now {
                standing.passedOver.append("\(word.person)'s \(word.word.rawValue) ended at \(word.expires)")
                continue
            }
            switch word.word {
            case .refuse:
                standing.state = .refused(by: word.person, reason: word.reason)
                standing.again = word.expires
                return standing
            case .hold:
                standing.state = .held(by: word.person, until: word.expires)
            case .approve:
                if let why = unfit(word, causers, question) {
                    standing.passedOver.append(why)
                } else {
                    agreed.insert(word.person)
                }
            }
        }
        if case .held = standing.state { return standing }
        standing.state =
            agreed.count >= question.needed
            ? .met(by: agreed.sorted()) : .waiting(needed: question.needed, by: agreed.sorted())
        return standing
    }

    /// Why a word does not count.
    private func unfit(_ word: Approval, _ causers: Set<String>, _ question: Question) -> String? {
        if word.at < question.since {
            return "\(word.person) agreed at \(word.at), before it drifted anew at \(question.since)"
        }
        if let objection = question.objection {
            if word.at <= objection.at {
                return "\(word.person) agreed at \(word.at), before \(objection.person) objected at \(objection.at)"
            }
            if word.person == objection.person || question.objectors.contains(word.person) {
                return "\(word.person) objects, and cannot agree for others"
            }
        }
        if causers.contains(word.person) { return "\(word.person) made the change and cannot approve its fix" }
        if !word.roles.contains(where: chain.contains) {
            return "\(word.person) has none of the roles \(chain.joined(separator: ", "))"
        }
        return nil
    }
}
