import HoldfastCore
import HoldfastCrypto
import HoldfastJSON
import Testing

@Suite struct PlaybookEditTests {
    static let removing = """
        edits: {policy: {from: $resource.Policy, remove: offending}}
        steps:
          - when: {$edits.policy.Statement: {not: empty}}
            do: shop.PutPolicy
            with: {StoreName: $resource.StoreName, Policy: $edits.policy}
            if-match: $resource.Revision
            undo: inverse-edit
          - when: {$edits.policy.Statement: empty}
            do: shop.DeletePolicy
            with: {StoreName: $resource.StoreName}
            undo: restore
        """

    private static func edited(_ edit: String) -> Playbook {
        Workshop.playbook(
            remedies: "shop/policy-ours",
            """
            edits: {policy: {from: $resource.Policy, \(edit)}}
            steps:
              - do: shop.PutPolicy
                with: {StoreName: $resource.StoreName, Policy: $edits.policy}
                undo: inverse-edit
            """)
    }

    private static func request(_ policy: JSON, offending: [String]) -> PlanRequest {
        var request = Workshop.request("shop/policy-ours", with: ["Policy": policy])
        request.offending = offending.compactMap { PropertyPath($0) }.map {
            Offending(path: $0, actual: .null, expected: "")
        }
        return request
    }

    @Test("Only the offending statement is taken out, and put back by the inverse")
    func removesOneStatement() throws {
        let playbook = Workshop.playbook(remedies: "shop/policy-ours", Self.removing)
        let outcome = playbook.plan(Workshop.request("shop/policy-ours"))
        #expect(
            outcome.calls == [
                #"shop.PutPolicy {"Policy":{"Statement":[{"Sid":"ours","Who":"us"}]},"StoreName":"corner"}"#
            ])
        let plan = try #require(outcome.plan)
        let change = try #require(plan.edits.first?.changes.first)
        #expect(plan.edits.map(\.changes.count) == [1])
        #expect(change.path == PropertyPath([.name("Statement"), .index(1)]))
        #expect(change.before == ["Sid": "all", "Who": "*"] && change.after == nil)
        guard case .inverseEdit("policy", let inverse) = plan.steps[0].undo.means else {
            Issue.record("the undo is no inverse edit")
            return
        }
        #expect(inverse.map(\.after) == [["Sid": "all", "Who": "*"]])
        #expect(plan.steps[0].precondition?.value == "r7")
    }

    @Test("A policy with nothing left in it is taken away")
    func removesAll() {
        let playbook = Workshop.playbook(remedies: "shop/policy-ours", Self.removing)
        let request = Workshop.request(
            "shop/policy-ours", with: ["Policy": ["Statement": [["Sid": "all", "Who": "*"]]]])
        #expect(playbook.plan(request).calls == [#"shop.DeletePolicy {"StoreName":"corner"}"#])
    }

    struct Removal: CustomTestStringConvertible, Sendable {
        var promise: String
        var before: String
        var offending: [String]
        var after: String
        var testDescription: String { promise }
    }

    static let removals = [
        Removal(
            promise: "a member leaves its binding", before: #"{"b":[{"m":["a","b"],"r":"x"}]}"#,
            offending: ["b[0].m[0]"], after: #"{"b":[{"m":["b"],"r":"x"}]}"#),
        Removal(
            promise: "a binding without members goes", before: #"{"b":[{"m":["a","b"],"r":"x"},{"m":["c"],"r":"y"}]}"#,
            offending: ["b[0].m[0]", "b[0].m[1]"], after: #"{"b":[{"m":["c"],"r":"y"}]}"#),
        Removal(
            promise: "a principal leaves its statement", before: #"{"s":[{"p":{"AWS":["a","b"],"Service":"c"}}]}"#,
            offending: ["s[0].p.AWS[1]"], after: #"{"s":[{"p":{"AWS":["a"],"Service":"c"}}]}"#),
        Removal(
            promise: "the last principal of a kind leaves the others",
            before: #"{"s":[{"p":{"AWS":["a"],"Service":"c"}}]}"#,
            offending: ["s[0].p.AWS[0]"], after: #"{"s":[{"p":{"Service":"c"}}]}"#),
        Removal(
            promise: "a statement without a principal goes", before: #"{"s":[{"p":{"AWS":"a"},"e":"Allow"}]}"#,
            offending: ["s[0].p.AWS"], after: #"{"s":[]}"#),
        Removal(
            promise: "a member of an element takes the element with it", before: #"{"s":[{"p":"*","c":1},{"p":"b"}]}"#,
            offending: ["s[0].c"], after: #"{"s":[{"p":"b"}]}"#),
        Removal(
            promise: "elements go whatever their order", before: #"{"s":[1,2,3,4]}"#,
            offending: ["s[3]", "s[0]", "s[2]"], after: #"{"s":[2]}"#),
        Removal(
            promise: "an element and something in it is one removal", before: #"{"s":[{"p":["a"]},{"p":["b"]}]}"#,
            offending: ["s[0]", "s[0].p[0]"], after: #"{"s":[{"p":["b"]}]}"#),
        Removal(
            promise: "a single statement is a list of one", before: #"{"s":{"p":"*"}}"#,
            offending: ["s[0]"], after: #"{"s":[]}"#),
        Removal(
            promise: "an empty list that did not offend stays", before: #"{"s":[{"p":["a"],"q":[]},{"p":["b"]}]}"#,
            offending: ["s[1]"], after: #"{"s":[{"p":["a"],"q":[]}]}"#),
    ]

    @Test("Taking out leaves what did not offend", arguments: removals)
    func removal(_ removal: Removal) throws {
        let request = Self.request(try JSON.parse(removal.before), offending: removal.offending.map { "Policy." + $0 })
        let plan = try #require(Self.edited("remove: offending").plan(request).plan)
        #expect(plan.edits[0].after.canonicalText == (try JSON.parse(removal.after)).canonicalText)
    }

    @Test("Of an offending element only that is taken out of which the condition holds")
    func removesParts() {
        let playbook = Self.edited("remove: offending, only: {Who.AWS: {outside: $lists.our-accounts}, How: strange}")
        func policy(_ before: JSON, lists: [String: [String]] = ["our-accounts": ["111122223333"]]) -> String? {
            var request = Self.request(["Statement": [before]], offending: ["Policy.Statement[0]"])
            request.lists = lists
            let outcome = playbook.plan(request)
            return outcome.plan?.edits.first?.after["Statement"]?.canonicalText ?? outcome.summary
        }
        #expect(
            policy(["Who": ["AWS": ["111122223333", "999988887777"]], "How": "well"])
                == #"[{"How":"well","Who":{"AWS":["111122223333"]}}]"#)
        #expect(policy(["Who": ["AWS": "999988887777"]]) == "[]")
        #expect(policy(["Who": "*"]) == "[]", "where it holds of nothing, the element goes")
        let listed = Self.edited("remove: offending, only: {Who: {in: $lists.our-networks}}")
        #expect(
            listed.plan(Self.request(["Statement": [["Who": "a"]]], offending: ["Policy.Statement[0]"])).summary
                == "proposal: what of Statement[0] offends cannot be told: "
                + "Statement[0].Who: list our-networks is not in the configuration")
    }

    @Test("A document that is a text is sent as a text")
    func textStaysText() {
        let request = Self.request(#"{"Statement": [{"Sid": "a"}, {"Sid": "b"}]}"#, offending: ["Policy.Statement[0]"])
        let playbook = Self.edited("remove: offending")
        #expect(
            playbook.plan(request).calls == [
                #"shop.PutPolicy {"Policy":"{\"Statement\":[{\"Sid\":\"b\"}]}","StoreName":"corner"}"#
            ])
    }

    @Test(
        "What cannot be taken out is a person's",
        arguments: [
            (["Policy"], "proposal: all of Policy offends, and no element of it that could be taken out"),
            (["Policy.Statement[7]"], "proposal: what offends in Policy is no longer there"),
            (["Policy.Nothing"], "proposal: what offends in Policy is no longer there"),
        ] as [([String], String)])
    func irremovable(paths: [String], reason: String) {
        let request = Self.request(["Statement": [["Sid": "a"]]], offending: paths)
        #expect(Self.edited("remove: offending").plan(request).summary == reason)
    }

    @Test("A text that is no JSON, and a document that is not known, are a person's")
    func unreadable() {
        let playbook = Self.edited("remove: offending")
        let broken = playbook.plan(Self.request("{", offending: []))
        #expect(broken.summary.hasPrefix("proposal: Policy is a text that is not JSON: "))
        let unknown = playbook.plan(Workshop.request("shop/policy-ours", without: ["Policy"]))
        #expect(unknown.summary == "proposal: Policy is not known: never read")
        let absent = playbook.plan(Workshop.request("shop/policy-ours", with: ["Policy": .null]))
        #expect(absent.summary == "nothing: there is no Policy")
    }

    @Test("An element is added once, and never over another of the same key")
    func addition() {
        let playbook = Self.edited(
            "when-absent: {Version: \"1\", Statement: []}, "
                + "add: {Statement: [{Sid: tls, Of: {$join: [$resource.id, /*]}}]}"
        )
        let tls = #"{"Of":"shop:111122223333:eu-west-1:corner/*","Sid":"tls"}"#
        let absent = playbook.plan(Workshop.request("shop/policy-ours", with: ["Policy": .null]))
        #expect(
            absent.calls == [
                #"shop.PutPolicy {"Policy":{"Statement":[\#(tls)],"Version":"1"},"StoreName":"corner"}"#
            ])
        let beside = playbook.plan(Self.request(["Statement": [["Sid": "a"]]], offending: []))
        #expect(
            beside.calls == [
                #"shop.PutPolicy {"Policy":{"Statement":[{"Sid":"a"},\#(tls)]},"StoreName":"corner"}"#
            ])
        let there = playbook.plan(
            Self.request(
                ["Statement": [["Sid": "tls", "Of": "shop:111122223333:eu-west-1:corner/*"]]], offending: []))
        #expect(there.summary == "nothing: shop.PutPolicy: the document is already as it should be")
        let other = playbook.plan(Self.request(["Statement": [["Sid": "tls", "Of": "else"]]], offending: []))
        #expect(other.summary == "proposal: Policy: Statement has an element \"tls\" that says something else")
    }

    @Test("A merge sets what it names and leaves the rest")
    func merging() throws {
        let playbook = Self.edited("merge: {a: {b: 2}, e: [3]}")
        let plan = try #require(playbook.plan(Self.request(["a": ["b": 1, "c": 1], "d": 1], offending: [])).plan)
        #expect(plan.edits[0].after.canonicalText == #"{"a":{"b":2,"c":1},"d":1,"e":[3]}"#)
        #expect(plan.edits[0].changes.map { "\($0.path) \($0.before?.canonicalText ?? "-")" } == ["a.b 1", "e -"])
    }
}
