import Testing

@testable import HoldfastCore

@Suite("Approvals")
struct ApprovalTests {
    private let now = Remediating.now
    private let rules = ApprovalRules()
    private var people: People {
        var people = People()
        people.identities = [
            Identity(person: "ada", actors: ["arn:aws:iam::*:user/ada", "arn:aws:sts::*:assumed-role/admin/ada"]),
            Identity(person: "ben", actors: ["arn:aws:iam::*:user/ben"]), Identity(person: "cleo"),
        ]
        return people
    }

    private func word(
        _ person: String, _ word: Approval.Word = .approve, digest: String = "d1", roles: [String] = ["approver"],
        at: Int = 0, expires: Int = 100
    ) -> Approval {
        Approval(
            digest: digest, word: word, person: person, roles: roles, reason: "because", at: now + Span(seconds: at),
            expires: now + Span(seconds: expires), via: "session")
    }

    private func standing(
        _ words: [Approval], needed: Int = 1, hands: [[String]] = [["arn:aws:iam::1:user/eve"]], mustKnow: Bool = false,
        since: Int? = nil, at: Int = 10
    ) -> ApprovalStanding {
        var question = ApprovalRules.Question(digest: "d1", needed: needed, hands: hands, mustKnowActor: mustKnow)
        if let since { question.since = now + Span(seconds: since) }
        return rules.standing(of: question, words: words, people: people, now: now + Span(seconds: at))
    }

    @Test("Over an objection counts only what another agreed to after it")
    func objections() {
        var question = ApprovalRules.Question(digest: "d1", needed: 1, hands: [], mustKnowActor: false)
        question.objection = Objection(
            finding: "f-1", person: "ada", reason: "a demo", at: now + Span(seconds: 5), via: "session")
        func standing(_ words: [Approval]) -> ApprovalStanding {
            rules.standing(of: question, words: words, people: people, now: now + Span(seconds: 10))
        }
        #expect(standing([word("ben", at: 4)]).passedOver.first?.contains("before ada objected") == true)
        #expect(standing([word("ada", at: 6)]).passedOver.first?.contains("ada objects") == true)
        #expect(standing([word("ben", at: 4), word("cleo", at: 6)]).state == .met(by: ["cleo"]))
        question.objectors = ["ada", "cleo"]
        #expect(standing([word("cleo", at: 6)]).passedOver.first?.contains("cleo objects") == true)
        #expect(standing([word("cleo", at: 6), word("ben", at: 7)]).state == .met(by: ["ben"]))
    }

    @Test("Nobody is asked where nobody is needed")
    func notNeeded() { #expect(standing([], needed: 0).state == .notNeeded) }

    @Test("As many people as are needed, and one person counts once")
    func counts() {
        #expect(standing([word("ada")]).state == .met(by: ["ada"]))
        #expect(standing([word("ada"), word("ada")], needed: 2).state == .waiting(needed: 2, by: ["ada"]))
        #expect(standing([word("ben"), word("ada")], needed: 2).state == .met(by: ["ada", "ben"]))
    }

    @Test("A word counts for its own digest alone")
    func digest() {
        #expect(standing([word("ada", digest: "d2")]).state == .waiting(needed: 1, by: []))
    }

    @Test("A word ends with its time, also a refusal")
    func expiry() {
        let ended = standing([word("ada", expires: 10)])
        #expect(ended.state == .waiting(needed: 1, by: []))
        #expect(ended.passedOver.count == 1)
        #expect(standing([word("ben", .refuse, expires: 10), word("ada")]).state == .met(by: ["ada"]))
    }

    @Test("Who made the change cannot approve its fix, under whatever name, nor one who had a part in it")
    func fourEyes() {
        for hands in [
            [["arn:aws:iam::1:user/ada"]], [["arn:aws:sts::1:assumed-role/admin/ada"]],
            [["arn:aws:sts::1:assumed-role/x/y", "arn:aws:iam::1:user/ada"]],
            [["arn:aws:iam::1:user/eve"], ["arn:aws:iam::1:user/ada"]],
        ] {
            let standing = standing([word("ada")], hands: hands)
            #expect(standing.state == .waiting(needed: 1, by: []), "\(hands)")
            #expect(standing.passedOver == ["ada made the change and cannot approve its fix"])
            #expect(self.standing([word("ada"), word("ben")], hands: hands).state == .met(by: ["ben"]))
        }
    }

    @Test("In the last environment each hand must lead to somebody")
    func unknownHand() {
        let known = [["arn:aws:iam::1:user/ada"]]
        let unknown = known + [["arn:aws:iam::1:user/eve"]]
        #expect(standing([word("ben")], hands: known, mustKnow: true).state == .met(by: ["ben"]))
        guard case .impossible(let why) = standing([word("ben")], hands: unknown, mustKnow: true).state else {
            Issue.record("an unknown hand was let pass")
            return
        }
        #expect(why.contains("arn:aws:iam::1:user/eve"))
        #expect(standing([word("ben")], hands: unknown, mustKnow: false).state == .met(by: ["ben"]))
    }

    @Test("Roles that are not asked do not count")
    func roles() {
        #expect(standing([word("cleo", roles: ["reader"])]).state == .waiting(needed: 1, by: []))
    }

    @Test("One refusal is enough, whatever others say, and says until when")
    func refusal() {
        let refused = standing([word("ada"), word("ben", .refuse), word("cleo")])
        #expect(refused.state == .refused(by: "ben", reason: "because"))
        #expect(refused.again == now + Span(seconds: 100))
    }

    @Test("A hold stops what is approved until it ends")
    func hold() {
        let words = [word("ada"), word("ben", .hold, expires: 50)]
        #expect(standing(words).state == .held(by: "ben", until: now + Span(seconds: 50)))
        #expect(standing(words, at: 50).state == .met(by: ["ada"]))
    }

    @Test("What was agreed to before it drifted anew was another occasion; a refusal stands")
    func occasion() {
        #expect(standing([word("ada", at: 1)], since: 2).state == .waiting(needed: 1, by: []))
        #expect(standing([word("ada", at: 2)], since: 2).state == .met(by: ["ada"]))
        #expect(standing([word("ben", .refuse, at: 1)], since: 2).state == .refused(by: "ben", reason: "because"))
    }

    @Test("Without a table risk and the last environment decide; a row's strictest holds for what it leaves out")
    func table() {
        #expect(rules.needed(.low, environment: "production", isLast: true) == 0)
        #expect(rules.needed(.medium, environment: "dev", isLast: false) == 0)
        #expect(rules.needed(.medium, environment: "production", isLast: true) == 1)
        #expect(rules.needed(.high, environment: "dev", isLast: false) == 1)
        #expect(rules.needed(.high, environment: "production", isLast: true) == 2)
        var own = ApprovalRules()
        own.table = [.low: ["dev": 0, "production": 3]]
        #expect(own.needed(.low, environment: "dev", isLast: false) == 0)
        #expect(own.needed(.low, environment: "staging", isLast: false) == 3)
    }
}
