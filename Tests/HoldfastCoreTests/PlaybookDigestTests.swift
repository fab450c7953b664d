import HoldfastCore
import HoldfastCrypto
import HoldfastJSON
import Testing

/// An approval is for one digest: what must make it void, and what must not.
@Suite struct PlaybookDigestTests {
    private static let playbook = Workshop.playbook(remedies: "shop/policy-ours", PlaybookEditTests.removing)

    private static func digest(
        _ change: (inout PlanRequest) -> Void = { _ in }, _ changes: [String: JSON] = [:]
    ) throws -> String {
        var request = Workshop.request("shop/policy-ours", with: changes)
        change(&request)
        return try #require(playbook.plan(request).plan).digest.description
    }

    @Test("The digest is the same for the same plan")
    func isStable() throws {
        #expect(try Self.digest() == Self.digest())
        #expect(try Self.digest().utf8.count == 64)
    }

    @Test("Another incarnation, resource or offending statement makes another digest")
    func changesWithThePlan() throws {
        let before = try Self.digest()
        #expect(try Self.digest { $0.incarnation = "i2" } != before)
        #expect(
            try Self.digest { $0.resource = ResourceID(type: "Shop::Store", id: "shop:111122223333:eu-west-1:other") }
                != before)
        let other: JSON = ["Statement": [["Sid": "ours", "Who": "us"], ["Sid": "all", "Who": "*", "If": "x"]]]
        #expect(try Self.digest({ _ in }, ["Policy": other]) != before)
        let more: JSON = [
            "Statement": [["Sid": "ours", "Who": "us"], ["Sid": "all", "Who": "*"], ["Sid": "b", "Who": "*"]]
        ]
        #expect(try Self.digest({ _ in }, ["Policy": more]) != before)
    }

    @Test("Preconditions, other statements and other properties leave the digest as it is")
    func ignoresTheUnrelated() throws {
        let before = try Self.digest()
        #expect(try Self.digest({ _ in }, ["Revision": "r8"]) == before)
        #expect(try Self.digest({ _ in }, ["Locked": true]) == before)
        let other: JSON = [
            "Statement": [["Sid": "new", "Who": "you"], ["Sid": "all", "Who": "*"], ["Sid": "ours", "Who": "we"]]
        ]
        #expect(try Self.digest({ _ in }, ["Policy": other]) == before)
        #expect(try Self.digest { $0.finding = "f2" } == before)
    }

    @Test("What the rule read and what the steps write is in the digest, and unknown is not absent")
    func coversValues() throws {
        func digest(_ changes: [String: JSON], without: [String] = []) throws -> String {
            var request = Workshop.request(with: changes, without: without)
            request.ruleReads = [PropertyPath(names: "Locked"), PropertyPath(names: "Window", "Open")]
            return try #require(Workshop.locking.plan(request).plan).digest.description
        }
        let before = try digest([:])
        #expect(try digest(["Locked": "half"]) != before)
        #expect(try digest(["Window.Open": false]) != before)
        #expect(try digest(["Window.Blind": "up"]) == before)
        #expect(try digest(["Window": .null]) != digest([:], without: ["Window"]))
    }

    @Test("Where a rule may read anything, what offends stands for it")
    func readsOfAll() throws {
        func digest(_ changes: [String: JSON]) throws -> String {
            var request = Workshop.request("shop/policy-ours", with: changes)
            request.ruleReads = [PropertyPath()]
            return try #require(Self.playbook.plan(request).plan).digest.description
        }
        let before = try digest([:])
        #expect(try digest(["Revision": "r8", "Locked": true]) == before)
        let other: JSON = ["Statement": [["Sid": "all", "Who": "*", "If": "x"]]]
        #expect(try digest(["Policy": other]) != before)
    }
}
