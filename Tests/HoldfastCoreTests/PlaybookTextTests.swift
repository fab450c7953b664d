import HoldfastCore
import HoldfastCrypto
import HoldfastJSON
import Testing

@Suite struct PlaybookTextTests {
    private static let playbook = Workshop.playbook(
        remedies: "shop/policy-ours",
        "title: Take strangers out of the store's policy\ntell-actor: true\ngrace: 2h\n" + PlaybookEditTests.removing)

    @Test("The text says what is done, what changes and the way back")
    func textIsForPeople() throws {
        let outcome = Self.playbook.plan(Workshop.request("shop/policy-ours"))
        let plan = try #require(outcome.plan)
        #expect(
            outcome.text == """
                Take strangers out of the store's policy (low risk)
                  resource   Shop::Store shop:111122223333:eu-west-1:corner
                  where      aws, 111122223333, eu-west-1
                  finding    f1 of shop/policy-ours
                  playbook   a
                  first      whoever caused it is told, who then has 2h to put it right

                1. shop.PutPolicy
                     Policy: {"Statement":[{"Sid":"ours","Who":"us"}]}
                     StoreName: corner
                   Why: Take strangers out of the store's policy.
                   Only if $resource.Revision is still r7.
                   Done when: shop/policy-ours passes when the resource is read again.
                   Undo: equivalent, loses the order of the elements that are put back; the edit policy, reversed
                  + Statement[1]: {"Sid":"all","Who":"*"}

                What changes in Policy:
                  - Policy.Statement[1]: {"Sid":"all","Who":"*"}

                Way back: equivalent, loses the order of the elements that are put back.
                Digest: \(plan.digest)

                """)
    }

    @Test("The JSON holds the same as the text")
    func jsonIsWhole() throws {
        let json = Self.playbook.plan(Workshop.request("shop/policy-ours")).json
        #expect(json["outcome"] == "plan")
        let step = try #require(json["plan"]?["steps"]?.array?.first)
        #expect(step["call"] == "shop.PutPolicy")
        #expect(
            step["parameters"] == ["StoreName": "corner", "Policy": ["Statement": [["Sid": "ours", "Who": "us"]]]])
        #expect(step["ifMatch"] == ["reference": "$resource.Revision", "value": "r7"])
        #expect(step["undo"]?["grade"] == "equivalent")
        #expect(step["undo"]?["changes"] == [["path": "Statement[1]", "after": ["Sid": "all", "Who": "*"]]])
        #expect(json["plan"]?["grace"] == "2h")
        #expect(json["plan"]?["digest"]?.string?.utf8.count == 64)
    }

    @Test("A proposal and nothing say why")
    func reasonsAreSaid() {
        let unknown = Self.playbook.plan(Workshop.request("shop/policy-ours", without: ["Policy"]))
        #expect(unknown.text == "A person must decide: Policy is not known: never read.\n")
        #expect(unknown.json == ["outcome": "proposal", "reason": "Policy is not known: never read", "plan": .null])
        let absent = Self.playbook.plan(Workshop.request("shop/policy-ours", with: ["Policy": .null]))
        #expect(absent.text == "There is nothing to do: there is no Policy.\n")
        #expect(absent.json["reason"] == "there is no Policy")
    }
}
