import HoldfastCore
import HoldfastJSON
import Testing

@Suite("Tune, exemptions, pins and frameworks")
struct BaselineTuningTests {
    static let rule = Toy.file(expect: "{Size: {at-most: $params.most}}", more: "params: {most: 5}\nwas: [toy/older]")

    func load(
        _ files: [(kind: BaselineFile.Kind, name: String, text: String)]
    ) throws -> (baseline: Baseline, problems: [Problem]) {
        try Toy.load([(.rules, "toy/a", Self.rule)] + files)
    }

    func outcome(
        _ baseline: Baseline, _ yaml: String, environment: String = "production", labels: [String: String] = [:]
    )
        throws -> Verdict.Outcome
    {
        var context = Toy.context(labels: .map(StateMap(labels.map { ($0.key, .scalar(.string($0.value))) })))
        context.environment = environment
        return try baseline.evaluate("toy/a", Toy.state(yaml), of: Toy.box, in: context).verdict.outcome
    }

    @Test("A tune changes values in its scope only, the later file wins, and each value names its file")
    func tune() throws {
        let (baseline, problems) = try load([
            (.tune, "a", "{rule: toy/a, params: {most: 7}, severity: low}"),
            (.tune, "b", "[{rule: toy/older, scope: {environment: dev}, params: {most: 9}}]"),
        ])
        #expect(problems.isEmpty)
        #expect(try outcome(baseline, "{Size: 6}") == .pass)
        #expect(try outcome(baseline, "{Size: 8}") == .drift)
        #expect(try outcome(baseline, "{Size: 8}", environment: "dev") == .pass)
        let rule = try #require(baseline.rule("toy/a"))
        let effective = baseline.effective(rule)
        #expect(effective.params["most"]?.value == 7)
        #expect(effective.params["most"]?.place.file == "tune/a.yaml")
        #expect(effective.severity.value == .low)
        #expect(effective.maturity.place.file == "rules/toy/a.yaml")
    }

    @Test("A rule is switched off with a reason, by label only where the label is known")
    func disable() throws {
        let (baseline, problems) = try load([
            (.tune, "a", "{rule: toy/a, scope: {labels: {kind: old}}, disable: being rebuilt}")
        ])
        #expect(problems.isEmpty)
        #expect(try outcome(baseline, "{Size: 6}", labels: ["kind": "old"]) == .notApplicable)
        #expect(try outcome(baseline, "{Size: 6}", labels: ["kind": "new"]) == .drift)
        let open = Toy.context(labels: .unknown("never read"))
        #expect(try baseline.evaluate("toy/a", Toy.state("{Size: 6}"), of: Toy.box, in: open).verdict.outcome == .drift)
    }

    @Test(
        "A tune that cannot hold is a problem",
        arguments: [
            ("{rule: toy/b, severity: low}", "did you mean \"toy/a\"?"),
            ("{rule: toy/a, params: {most: big}}", "takes a number"),
            ("{rule: toy/a, params: {mots: 5}}", "did you mean \"most\"?"),
            ("{rule: toy/a, severity: awful}", "unknown word \"awful\""),
            ("{rule: toy/a, scope: {environment: prodcution}, severity: low}", "did you mean \"production\"?"),
            ("{rule: toy/a, scope: {type: Toy::Bax}, severity: low}", "did you mean \"Toy::Box\"?"),
            ("{rule: toy/a, disable: ' '}", "the reason why"),
        ])
    func badTune(text: String, says: String) throws {
        let (baseline, problems) = try load([(.tune, "a", text)])
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains(says) == true, "\(problems)")
        #expect(problems.first?.message.contains("rule") == false || baseline.tunes.isEmpty || text.contains("scope"))
    }

    static func exemption(end: String = "2026-06-01", approver: String = "bo", rule: String = "toy/older") -> String {
        """
        rule: \(rule)
        resources: ["toy:*:a"]
        kind: accepted
        owner: al
        approver: \(approver)
        reason: It is being replaced.
        end: \(end)
        """
    }

    @Test("An exemption covers its resources until its end, under the rule's old id too, and the end is a timer")
    func exemptionEnds() throws {
        let (baseline, problems) = try load([(.exemptions, "a", Self.exemption())])
        #expect(problems.isEmpty)
        let end = try #require(Timestamp("2026-06-01T00:00:00Z"))
        #expect(baseline.exemption("toy/a", Toy.box, at: Toy.now)?.owner == "al")
        #expect(baseline.exemption("toy/a", Toy.box, at: end) == nil)
        #expect(baseline.exemption("toy/a", ResourceID(type: "Toy::Box", id: "toy:1:b"), at: Toy.now) == nil)
        let drifted = try baseline.evaluate("toy/a", Toy.state("{Size: 6}"), of: Toy.box, in: Toy.context())
        #expect(drifted.nextChange == end)
        let passed = try baseline.evaluate("toy/a", Toy.state("{Size: 5}"), of: Toy.box, in: Toy.context())
        #expect(passed.nextChange == nil)
    }

    @Test(
        "An exemption without a second person, too long or for no rule is a problem",
        arguments: [
            (BaselineTuningTests.exemption(approver: "Al"), "another person must"),
            (BaselineTuningTests.exemption(end: "2027-01-03"), "2027-01-02 is the latest now"),
            (BaselineTuningTests.exemption(end: "soon"), "is no time"),
            (BaselineTuningTests.exemption(rule: "toy/c"), "there is no rule \"toy/c\""),
        ])
    func badExemption(text: String, says: String) throws {
        let problems = try load([(.exemptions, "a", text)]).problems
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains(says) == true, "\(problems)")
    }

    static func pin(_ desired: String) -> String {
        "{title: The box, type: Toy::Box, resources: ['*:a'], desired: \(desired)}"
    }

    @Test(
        "A pin compares only the paths that it names, lists with keys in any order",
        arguments: [
            ("{Size: 3}", "{Size: 3, Name: a}", Verdict.Outcome.pass, [String]()),
            ("{Size: 3}", "{Size: 4}", .drift, ["Size"]),
            ("{Size: 3}", "{Size: unknown}", .unknown, []),
            ("{Size: null}", "{}", .pass, []),
            ("{Size: null}", "{Size: 1}", .drift, ["Size"]),
            ("{Lid: {Open: true}}", "{Lid: {Open: true, Colour: red}}", .pass, []),
            ("{Lid: {Open: true}, Size: 3}", "{Lid: {Open: false}, Size: unknown}", .drift, ["Lid.Open"]),
            ("{Items: [{Id: i}, {Id: j}]}", "{Items: [{Id: j}, {Id: i}]}", .pass, []),
            ("{Items: [{Id: i, Kind: x}]}", "{Items: [{Id: i, Kind: y}]}", .drift, ["Items[0].Kind"]),
            ("{Items: [{Id: i}]}", "{Items: [{Id: i}, {Id: j}, ...]}", .drift, ["Items"]),
            ("{Items: [{Id: i}]}", "{Items: [{Id: i}, ...]}", .unknown, []),
            ("{Words: [a, b]}", "{Words: [b, a]}", .drift, ["Words[0]", "Words[1]"]),
        ] as [(String, String, Verdict.Outcome, [String])])
    func pins(desired: String, given: String, outcome: Verdict.Outcome, offending: [String]) throws {
        let (baseline, problems) = try load([(.pins, "team/box", Self.pin(desired))])
        #expect(problems.isEmpty)
        let verdict = try baseline.evaluate("pin/team/box", Toy.state(given), of: Toy.box, in: Toy.context()).verdict
        #expect(verdict.outcome == outcome)
        #expect(verdict.offending.map(\.path.description) == offending)
    }

    @Test("A pin holds for what it selects, and a path that the type lacks is a problem")
    func pinScope() throws {
        let (baseline, _) = try load([(.pins, "box", Self.pin("{Size: 3}"))])
        let other = ResourceID(type: "Toy::Box", id: "toy:1:b")
        let verdict = try baseline.evaluate("pin/box", Toy.state("{Size: 1}"), of: other, in: Toy.context()).verdict
        #expect(verdict.outcome == .notApplicable)
        #expect(baseline.index.rules(of: "Toy::Box", touching: ["Size"]) == ["pin/box", "toy/a"])
        #expect(baseline.index.rules(of: "Toy::Box", touching: ["Name"]).isEmpty)
        let broken = try load([(.pins, "box", Self.pin("{Szie: 3}"))])
        #expect(broken.problems.first?.message.contains("did you mean \"Size\"?") == true)
    }

    @Test("A framework names rules that exist, or says why configuration cannot")
    func frameworks() throws {
        let text = """
            title: Toy controls
            version: "1"
            controls:
              - {id: "1.1", title: Small boxes, rules: [toy/a]}
              - {id: "1.2", title: Nice boxes, because: taste is no setting}
              - {id: "1.3", title: Nothing}
              - {id: "1.4", title: Typo, rules: [toy/aa]}
            """
        let (baseline, problems) = try load([(.frameworks, "toy", text)])
        #expect(problems.count == 2)
        #expect(baseline.controls(coveredBy: "toy/a") == ["toy 1.1"])
    }
}

@Suite("Environments")
struct ClassificationTests {
    static let classification = Classification(
        accounts: [
            .init(cloud: .aws, id: "1", environment: "dev"), .init(cloud: .aws, id: "2", environment: "staging"),
        ],
        lines: [.init(match: ["name": "sandbox-*"], environment: "dev")],
        facts: ["gcp/p": ["name": "sandbox-7"], "gcp/q": ["name": "shop"]])

    static func labels(_ value: String) -> StateValue {
        .map(StateMap([("Environment", .scalar(.string(value)))]))
    }

    @Test(
        "What is not classified counts as production, and a label makes stricter only",
        arguments: [
            (Cloud.aws, "1", StateValue.absent, "dev"), (.aws, "9", .absent, "production"),
            (.gcp, "1", .absent, "production"), (.gcp, "p", .absent, "dev"), (.gcp, "q", .absent, "production"),
            (.aws, "1", ClassificationTests.labels("production"), "production"),
            (.aws, "1", ClassificationTests.labels("STAGING"), "staging"),
            (.aws, "2", ClassificationTests.labels("dev"), "staging"),
            (.aws, "9", ClassificationTests.labels("dev"), "production"),
            (.aws, "1", ClassificationTests.labels("holiday"), "dev"), (.aws, "1", .unknown("never read"), "dev"),
        ])
    func byAccountAndLabel(cloud: Cloud, account: String, labels: StateValue, expected: String) {
        let place = ResourceContext(cloud: cloud, account: account, region: "")
        let answer = Self.classification.environment(of: place, labels: labels)
        #expect(answer.environment == expected)
        #expect(!answer.reason.isEmpty)
    }

    @Test("Trusted labels may loosen")
    func trusted() {
        var trusting = Self.classification
        trusting.trustsLabels = true
        let place = ResourceContext(cloud: .aws, account: "9", region: "")
        #expect(trusting.environment(of: place, labels: Self.labels("dev")).environment == "dev")
    }

    private static func organised(_ lines: [Classification.Line]) -> Classification {
        Classification(
            lines: lines,
            facts: [
                "aws/1": ["name": "core", "ou": "", "ou-id": "r-1"],
                "aws/2": ["name": "pay", "ou": "Workloads/Dev", "ou-id": "ou-2", "tag:stage": "dev"],
                "aws/3": ["name": "shop", "ou": "Workloads/Dev/Team", "ou-id": "ou-3", "unread": "denied"],
                "aws/4": ["name": "web", "ou": "Workloads/Development", "tag:stage": "staging"],
            ])
    }

    @Test(
        "An account is classified by its place in its organisation, its tags and its name; all of a line must fit",
        arguments: [
            (["ou": "Workloads/Dev/*"], ["2", "3"]), (["ou": "Workloads/Dev"], ["2"]),
            (["ou": "Workloads/*"], ["2", "3", "4"]), (["ou": "*"], ["1", "2", "3", "4"]), (["ou": "/"], ["1"]),
            (["ou": "*/Team"], ["3"]), (["ou-id": "ou-2"], ["2"]), (["name": "?????", "ou": "*"], []),
            (["name": "s*", "ou": "Workloads/Dev/*"], ["3"]), (["management-group": "*"], []), ([:], []),
            (["tag:stage": "dev", "ou": "Workloads/Dev/*"], ["2"]),
        ])
    func byOrganisation(match: [String: String], fitting: [String]) {
        let classification = Self.organised([.init(match: match, environment: "dev")])
        for account in ["1", "2", "3", "4"] {
            let answer = classification.environment(of: ResourceContext(cloud: .aws, account: account, region: ""))
            #expect(answer.environment == (fitting.contains(account) ? "dev" : "production"), "\(account)")
            #expect(answer.isClassified == fitting.contains(account), "\(account)")
        }
    }

    @Test("The first line that fits counts, and it is named; a line that hangs on unread tags leaves no looser one")
    func firstLine() {
        let place = SourcePlace(file: "holdfast.yaml", line: 12, column: 5)
        let classification = Self.organised([
            .init(match: ["tag:stage": "prod*"], environment: "production"),
            .init(match: ["tag:stage": "staging"], environment: "staging", place: place),
            .init(match: ["ou": "Workloads/*"], environment: "dev"),
        ])
        func answer(_ account: String) -> Classification.Answer {
            classification.environment(of: ResourceContext(cloud: .aws, account: account, region: ""))
        }
        #expect(answer("4").environment == "staging")
        #expect(answer("4").place == place)
        #expect(answer("2").environment == "dev")
        #expect(answer("3").environment == "production")
        #expect(!answer("3").isClassified)
        #expect(answer("3").reason.contains("tags"))
    }
}
