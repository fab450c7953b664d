import HoldfastCore
import HoldfastCrypto
import Testing

@Suite struct PlaybookLoadTests {
    /// A sound playbook, one part of which each case spoils.
    static let sound = """
        remedies: [shop/policy-ours]
        for: Shop::Store
        risk: low
        edits: {policy: {from: $resource.Policy, remove: offending}}
        steps:
          - do: shop.PutPolicy
            with: {StoreName: $resource.StoreName, Policy: $edits.policy}
            if-match: $resource.Revision
            undo: restore
        tests: []
        """

    /// The call of the sound playbook, whole.
    static let call = """
        do: shop.PutPolicy
            with: {StoreName: $resource.StoreName, Policy: $edits.policy}
            if-match: $resource.Revision
        """

    struct Fault: CustomTestStringConvertible, Sendable {
        var part: String
        var spoilt: String
        /// From the column on: `5:9: unknown key …`.
        var message: String
        var testDescription: String { message }
        init(_ part: String, _ spoilt: String, _ message: String) {
            self.part = part
            self.spoilt = spoilt
            self.message = message
        }
    }

    static let faults: [Fault] = [
        Fault("steps:", "stpes:", "5:1: unknown key \"stpes\"; did you mean \"steps\"?"),
        Fault("risk: low", "risk: tiny", "3:7: unknown word \"tiny\"; known here: high, low, medium"),
        Fault("Shop::Store", "Shop::Stone", "2:6: unknown type \"Shop::Stone\"; did you mean \"Shop::Store\"?"),
        Fault(
            "shop/policy-ours", "shop/policy-our",
            "1:12: unknown rule \"shop/policy-our\"; did you mean \"shop/policy-ours\"?"),
        Fault(
            "shop/policy-ours", "shop/alarm-loud",
            "1:12: rule shop/alarm-loud does not judge Shop::Store; it judges Shop::Alarm"),
        Fault(
            "do: shop.PutPolicy", "do: shop.PutThePolicy",
            "6:9: unknown call \"shop.PutThePolicy\"; aws/shop has DeletePolicy, PutPolicy"),
        Fault("do: shop.PutPolicy", "do: shap.Put", "6:9: unknown call \"shap.Put\""),
        Fault(
            "$resource.StoreName", "$resource.StorName",
            "7:23: Shop::Store has no property \"StorName\"; did you mean \"StoreName\"?"),
        Fault(
            "$resource.StoreName", "$resorce.StoreName",
            "7:23: \"$resorce.StoreName\" refers to nothing; did you mean \"resource\"?"),
        Fault(
            "$resource.StoreName", "$resource",
            "7:23: \"$resource\" names nothing below $resource; write $resource.NAME"),
        Fault("$edits.policy", "$edits.policies", "7:52: $edits.policies names no edit; known here: policy"),
        Fault("$edits.policy", "$item.before", "7:52: $item.before needs a for-each: there is no item here"),
        Fault("$edits.policy", "$last.Policy", "7:52: $last.Policy needs \"needs: {last-observed: TYPE}\""),
        Fault("$edits.policy", "$result.Policy", "7:52: $result.Policy is known only in an undo"),
        Fault("$edits.policy", "$chosen.policy", "7:52: $chosen.policy names no choice"),
        Fault("$edits.policy", "$params.widest", "7:52: rule shop/policy-ours has no parameter \"widest\""),
        Fault(
            "$edits.policy", "$lists.our-account",
            "7:52: $lists.our-account names no list; did you mean \"our-accounts\"?"),
        Fault("Policy: $edits", "Polcy: $edits", "7:44: shop.PutPolicy takes no \"Polcy\"; did you mean \"Policy\"?"),
        Fault(
            "from: $resource.Policy", "from: $resource.Polcy",
            "4:9: Shop::Store has no property \"Polcy\"; did you mean \"Policy\"?"),
        Fault("from: $resource.Policy", "from: Policy", "4:24: \"Policy\" cannot stand here; expected a reference"),
        Fault(
            "remove: offending", "add: {Statement: [1]}, only: {Who: x}",
            "4:71: only says what of an element to remove; add remove: offending"),
        Fault(
            "remove: offending", "remove: offending, only: {$resource.Policy: x}",
            "4:68: $resource.Policy cannot stand here; name what is in the element"),
        Fault(
            "Policy: $edits.policy", "Policy: {$jsn: $edits.policy}",
            "7:53: \"$jsn\" cannot be a key here; the operators are {$join: [text, ...]} and {$json: value}"),
        Fault(", remove: offending", "", "4:9: the edit changes nothing; give it remove, add or merge"),
        Fault("    undo: restore\n", "", "6:5: \"undo\" is missing"),
        Fault(
            "undo: restore", "undo: {grade: exact}", "9:11: the undo has no call; give it do, or {irreversible: reason}"
        ),
        Fault(
            "undo: restore", "undo: {do: shop.DeletePolicy, with: {StoreName: $resource.StoreName}}",
            "9:11: \"grade\" is missing"),
        Fault(
            "undo: restore", "undo: {do: shop.DeletePolicy, with: {}, grade: equivalent}",
            "9:11: an equivalent undo must say what it loses"),
        Fault(
            "undo: restore", "undo: {do: shop.DropPolicy, with: {}, grade: exact}",
            "9:11: unknown call \"shop.DropPolicy\"; aws/shop has DeletePolicy, PutPolicy"),
        Fault(
            "do: shop.PutPolicy", "for-each: {of: offending, at-most: 0}\n    do: shop.PutPolicy",
            "6:40: \"0\" cannot stand here; expected a whole number from 1 to 10000"),
        Fault(
            "do: shop.PutPolicy", "when: {Locked: {more: 1}}\n    do: shop.PutPolicy",
            "6:21: Shop::Store Locked has no property \"more\""),
        Fault(
            "do: shop.PutPolicy", "when: {$edit.policy: empty}\n    do: shop.PutPolicy",
            "6:12: \"$edit.policy\" refers to nothing; did you mean \"edits\"?"),
        Fault(
            "tests: []", "tests: [{given: store-opn, nothing: x}]",
            "10:9: Shop::Store has no sample \"store-opn\"; did you mean \"store-open\"?"),
        Fault(
            "tests: []", "tests: [{given: store-open, id: corner, nothing: x}]",
            "10:9: \"corner\" is no id of Shop::Store, such as shop:111122223333:eu-west-1:corner"),
        Fault(
            "tests: []", "tests: [{given: {Windw: {Open: true}}, nothing: x}]",
            "10:9: Shop::Store has no property \"Windw\"; did you mean \"Window\"?"),
        Fault(
            "Policy: $edits.policy", "Policy: $resource.Policy",
            "4:9: no step sends $edits.policy; use it, or leave it out"),
        Fault(
            "from: $resource.Policy", "from: \"$resource.Plans[].Text\"",
            "4:24: Plans[].Text names many things; one is meant, without []"),
        Fault(
            "do: shop.PutPolicy", "for-each: {of: offending, in: \"Plans[].Text\"}\n    do: shop.PutPolicy",
            "6:35: Plans[].Text names many things"),
        Fault(
            "risk: low", "risk: low\nneeds: {last-observed: Shop::Alarm}",
            "4:8: no step names $last; use it, or leave needs out"),
        Fault("tests: []", "tests: [{given: store-open}]", "10:9: the test expects nothing"),
        Fault(
            "tests: []", "tests: [{given: store-open, nothing: x, plans: [a]}]",
            "10:9: a test in which there is nothing to do can expect no calls"),
        Fault(
            call,
            "do: shop.LockStore\n    with: {StoreName: $resource.StoreName}\n    if-match: $resource.Revision",
            "6:9: shop.LockStore takes no precondition; leave if-match out"),
        Fault(
            call,
            "do: shop.CreateAlarm\n    with: {StoreName: $resource.StoreName}",
            "8:11: shop.CreateAlarm states in the catalog no section that it writes"),
        Fault(
            call,
            "do: shop.SetCode\n    with: {StoreName: $resource.StoreName}",
            "8:11: shop.SetCode writes Code, which is secret and never kept"),
        Fault(
            call,
            "do: shop.PutWindow\n    with: {Window: {Open: false}}",
            "6:9: shop.PutWindow needs \"StoreName\", which with does not give"),
    ]

    @Test("A playbook without a fault loads with no problem")
    func soundFileLoads() {
        #expect(Workshop.problems(Self.sound) == [])
    }

    @Test("A fault is named with its place and what would do", arguments: faults)
    func faultIsNamed(_ fault: Fault) {
        #expect(Self.sound.contains(fault.part))
        let problems = Workshop.problems(Self.sound.replacingFirst(fault.part, with: fault.spoilt))
        #expect(problems.contains { $0.hasPrefix("playbooks/a.yaml:\(fault.message)") }, "\(problems)")
    }

    @Test("Two playbooks for one rule and type are an error, unless one takes over")
    func competitorsAreRefused() {
        func load(_ more: String) -> (playbooks: Playbooks, problems: [Problem]) {
            Playbooks.load(
                [
                    ("b", Workshop.node(more + Self.sound, "playbooks/b.yaml")),
                    ("a", Workshop.node(Self.sound, "playbooks/a.yaml")),
                ], vocabulary: Workshop.vocabulary)
        }
        let both = load("").problems
        #expect(
            both.map(\.description) == [
                "playbooks/b.yaml:1:12: a already remedies shop/policy-ours for Shop::Store; "
                    + "add \"instead-of: a\", or take the rule out of one of them"
            ])
        let replaced = load("instead-of: a\n")
        #expect(replaced.problems == [])
        #expect(replaced.playbooks.playbook(for: "shop/policy-ours", type: "Shop::Store")?.id == "b")
        #expect(load("instead-of: c\n").problems.first?.description.contains("unknown playbook \"c\"") == true)
    }

    @Test("A file with problems leaves the others in force")
    func brokenFileIsLeftOut() {
        let (playbooks, problems) = Playbooks.load(
            [("a", Workshop.node(Self.sound, "a.yaml")), ("b", Workshop.node("remedies: 1", "b.yaml"))],
            vocabulary: Workshop.vocabulary)
        #expect(playbooks.all.map(\.id) == ["a"])
        #expect(!problems.isEmpty)
    }

    @Test("Two files of one name are an error")
    func idsAreUnique() {
        let (_, problems) = Playbooks.load(
            [("x/a", Workshop.node(Self.sound, "x/a.yaml")), ("y/a", Workshop.node(Self.sound, "y/a.yaml"))],
            vocabulary: Workshop.vocabulary)
        #expect(problems.map(\.description) == ["y/a.yaml:1:1: the id a is taken by x/a.yaml; rename one of the files"])
    }

    @Test("The digest is over what is done, not over what is said about it")
    func digestCoversDeeds() {
        func digest(_ text: String) -> String? {
            Playbooks.load([("a", Workshop.node(text, "a.yaml"))], vocabulary: Workshop.vocabulary)
                .playbooks["a"]?.digest.description
        }
        let before = digest(Self.sound)
        #expect(before != nil)
        #expect(digest("# a comment\ntitle: Other words\ntell-actor: true\ngrace: 1h\n" + Self.sound) == before)
        #expect(digest(Self.sound.replacingFirst("risk: low", with: "risk: high")) == before)
        #expect(
            digest(Self.sound.replacingFirst("tests: []", with: "tests: [{given: store-open, nothing: x}]")) == before)
        #expect(digest(Self.sound.replacingFirst("  - do", with: "  - why: because\n    do")) == before)
        #expect(
            digest(Self.sound.replacingFirst("StoreName: $resource.StoreName", with: "StoreName: corner")) != before)
        #expect(digest(Self.sound.replacingFirst("undo: restore", with: "undo: inverse-edit")) != before)
    }
}

extension String {
    func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return replacingCharacters(in: range, with: other)
    }

    private func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
