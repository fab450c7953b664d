import Testing

@testable import HoldfastCore

@Suite("Rollout")
struct RolloutTests {
    private let now = Remediating.now
    private var rules: RolloutRules {
        var rules = RolloutRules()
        rules.runs = 2
        rules.soak = Span(seconds: 100)
        return rules
    }

    private func standing(verified: Int, first: Timestamp?) -> RolloutStanding {
        var standing = RolloutStanding()
        standing.before.verified = verified
        standing.before.firstVerified = first
        return standing
    }

    @Test("The first environment lacks nothing")
    func first() {
        #expect(RolloutStanding().lack(rules, before: nil, now: now) == nil)
    }

    @Test("The next environment opens after the runs, and the soak that began with the first of them")
    func opens() throws {
        let few = try #require(standing(verified: 1, first: now).lack(rules, before: "dev", now: now))
        #expect(few.what == "1 more verified runs in dev")
        #expect(few.until == nil)
        let fresh = try #require(
            standing(verified: 2, first: now).lack(rules, before: "dev", now: now + Span(seconds: 99)))
        #expect(fresh.until == now + Span(seconds: 100))
        #expect(standing(verified: 2, first: now).lack(rules, before: "dev", now: now + Span(seconds: 100)) == nil)
    }

    @Test("Two people open an environment by hand, and one does not")
    func byHand() {
        var standing = RolloutStanding()
        standing.openedBy = ["ada"]
        #expect(standing.lack(rules, before: "dev", now: now) != nil)
        standing.openedBy = ["ada", "ben"]
        #expect(standing.lack(rules, before: "dev", now: now) == nil)
    }

    @Test("An undo that is under way closes what people have opened")
    func undo() {
        var standing = standing(verified: 9, first: now - Span(seconds: 1000))
        standing.openedBy = ["ada", "ben"]
        standing.isBeingUndone = true
        #expect(standing.lack(rules, before: "dev", now: now)?.until != nil)
    }
}
