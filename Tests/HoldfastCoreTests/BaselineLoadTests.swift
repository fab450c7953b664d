import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

@Suite("What is wrong with a rule is said at load, with its place and what would do")
struct BaselineLoadTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var expect: String
        var more = ""
        var type = "Toy::Box"
        var says: String
        var testDescription: String { "\(expect) \(more)" }
    }

    static let faults: [Fault] = [
        .init(expect: "{Naame: a}", says: "Toy::Box has no property \"Naame\"; did you mean \"Name\"?"),
        .init(expect: "{Lid.Opne: true}", says: "Toy::Box Lid has no property \"Opne\"; did you mean \"Open\"?"),
        .init(expect: "{Lid: {Opne: true}}", says: "Toy::Box Lid has no property \"Opne\""),
        .init(expect: "{Items: {any: {Kin: x}}}", says: "no property \"Kin\"; did you mean \"Kind\"?"),
        .init(expect: "{Items.Kind: x}", says: "Items is a list; Kind is of its elements"),
        .init(expect: "{'Name[].x': {any: y}}", says: "Toy::Box Name is no list"),
        .init(expect: "{Items: x}", says: "cannot be compared with a list"),
        .init(expect: "{Lid: x}", says: "cannot be compared with a map"),
        .init(expect: "{Lid: {any: {Open: true}}}", says: "any takes a list, and this is a map"),
        .init(expect: "{Name: {any: x}}", says: "any takes a list, and this is one value"),
        .init(expect: "{Words: {in: [a]}}", says: "in takes one value, and this is a list"),
        .init(expect: "{'Items[].Kind': x}", says: "cannot be compared with a list"),
        .init(expect: "{Name: [a, b]}", says: "a list cannot stand here"),
        .init(expect: "{Name: {}}", says: "an empty map says nothing"),
        .init(expect: "{Name: null}", says: "write absent"),
        .init(expect: "{Name: {not: a, in: [b]}}", says: "either properties or one operator"),
        .init(expect: "{Name: a, not: {Size: 1}}", says: "either properties or one operator"),
        .init(expect: "{Name: {in: a}}", says: "expected a list of texts or numbers"),
        .init(expect: "{Size: {more-than: big}}", says: "expected a number"),
        .init(expect: "{Made: {older-than: 90 days}}", says: "expected a time such as 30s"),
        .init(expect: "{Name: {overlap: [ssh]}}", says: "expected ports"),
        .init(expect: "{Words: {cidr-within: 10.0.0.0/99}}", says: "expected address ranges"),
        .init(expect: "{Words: {reaches: intranet}}", says: "reaches takes internet or outside-our-networks"),
        .init(expect: "{Name: $params.colour}", says: "the rule has no param \"colour\""),
        .init(expect: "{Name: $params.colors}", more: "params: {colour: red}", says: "did you mean \"colour\"?"),
        .init(expect: "{Name: $params.c}", more: "params: {c: [a]}", says: "param \"c\" cannot stand here"),
        .init(expect: "{Name: a}", more: "params: {c: b}", says: "param \"c\" is never read"),
        .init(expect: "{Name: {in: $lists.our-acounts}}", says: "did you mean \"our-accounts\"?"),
        .init(expect: "{Name: $resource.Name}", says: "unknown reference \"$resource.Name\""),
        .init(expect: "{Words: {count: {at-least: 1, at-most: 2}}}", says: "count takes a number or one of"),
        .init(expect: "{Words: {count: {at-lest: 1}}}", says: "did you mean \"at-least\"?"),
        .init(
            expect: "{related: {shelfs: {any: {Height: 1}}}}", says: "no relation \"shelfs\"; did you mean \"shelf\"?"),
        .init(expect: "{related: {shelf: {Height: 1}}}", says: "expected one of any, all, none, count"),
        .init(expect: "{related: {shelf: {any: {Heigth: 1}}}}", says: "did you mean \"Height\"?"),
        .init(
            expect: "{related: {x: {from: Toy::Stick, by: BoxName, any: {Text: a}}}}",
            says: "unknown type \"Toy::Stick\"; did you mean \"Toy::Sticker\"?"),
        .init(expect: "{related: {x: {from: Toy::Sticker, by: Box, any: {Text: a}}}}", says: "no property \"Box\""),
        .init(expect: "{openings: {none: {from: x}}}", says: "Toy::Box has no openings"),
        .init(expect: "{grants: {none: {principal: x}}}", says: "Toy::Box has no grants"),
        .init(expect: "{Name: a}", type: "Toy::Bax", says: "unknown type \"Toy::Bax\"; did you mean \"Toy::Box\"?"),
        .init(expect: "{Sheet: white}", type: "Toy::Ghost", says: "no event and no read fills Sheet of Toy::Ghost"),
        .init(expect: "{Name: a}", more: "wehre: {Size: 1}", says: "unknown key \"wehre\"; did you mean \"where\"?"),
        .init(expect: "{tag: owner}", says: "expected a map from a tag's name to a predicate"),
    ]

    @Test("A fault is one problem that says what would do", arguments: faults)
    func fault(_ fault: Fault) {
        let problems = Toy.problems(expect: fault.expect, more: fault.more, type: fault.type)
        #expect(problems.count == 1)
        #expect(problems.contains { $0.contains(fault.says) }, "\(problems)")
    }

    @Test("All problems of a file come at once, each with its line and column")
    func allAtOnce() throws {
        let text = Toy.file(expect: "{Nmae: a, Lid: {Opne: true}, Size: {more-than: big}}")
        let problems = try Toy.load([(.rules, "toy/a", text)]).problems
        #expect(problems.map(\.place.line) == [8, 8, 8])
        #expect(Set(problems.map(\.place.column)).count == 3)
        #expect(problems[0].description.hasPrefix("rules/toy/a.yaml:8:"))
    }

    @Test("A quoted name is always a property, and a broken rule keeps no other from loading")
    func quotedNamesAndTheRest() throws {
        let (baseline, problems) = try Toy.load([
            (.rules, "toy/a", Toy.file(expect: "{Document: {'\"not\"': x}}")),
            (.rules, "toy/b", Toy.file(expect: "{Nmae: x}")),
        ])
        #expect(baseline.ruleIDs == ["toy/a"])
        #expect(problems.count == 1)
    }

    @Test("A renamed rule answers to its old id, and no two rules have one id")
    func renamed() throws {
        let (baseline, problems) = try Toy.load([
            (.rules, "toy/a", Toy.file(expect: "{Name: a}", more: "was: [toy/old]")),
            (.rules, "toy/b", Toy.file(expect: "{Name: b}", more: "was: [toy/old]")),
            (.rules, "toy/c", Toy.file(expect: "{Name: b}", more: "was: [toy/a]")),
        ])
        #expect(baseline.rule("toy/old")?.id == "toy/a")
        #expect(problems.map(\.message).count { $0.contains("cannot be an earlier id") } == 2)
        let twice = try Toy.load([
            (.rules, "toy/a", Toy.file(expect: "{Name: a}")), (.rules, "toy/a", Toy.file(expect: "{Name: b}")),
        ])
        #expect(twice.problems.map(\.message) == ["rule \"toy/a\" is here twice; the first stands in rules/toy/a.yaml"])
    }

    @Test("A rule's tests are run, and one that fails says what came out")
    func tests() throws {
        let text = Toy.file(expect: "{Size: {at-most: $params.most}}", more: "params: {most: 5}")
            .replacing(
                "tests: []",
                with: """
                    tests:
                      - {given: box, verdict: pass}
                      - {given: box, with: {Size: 6}, verdict: drift, offending: [Size]}
                      - {given: box, with: {Size: 6}, params: {most: 6}, verdict: pass}
                      - {given: {Name: a}, verdict: unknown}
                      - {given: box, without: [Size], verdict: pass}
                      - {given: box, with: {Size: 6}, verdict: drift, offending: [Lid]}
                      - {given: bax, verdict: pass}
                      - {given: {Naem: a}, verdict: pass}
                      - {given: box, with: {Szie: 1}, verdict: pass}
                      - {given: box, params: {least: 6}, verdict: pass}
                    """)
        let (baseline, problems) = try Toy.load([(.rules, "toy/a", text)])
        #expect(problems.isEmpty)
        #expect(baseline.testCount == 10)
        let failed = baseline.runTests(catalog: Toy.catalog)
        #expect(failed.map(\.place.line) == [11, 12, 13, 14, 15, 16])
        #expect(failed[0].message.contains("the verdict is unknown (Size: left out by the test); expected pass"))
        #expect(failed[1].message.contains("offending are Size; expected Lid"))
        #expect(failed[2].message.contains("did you mean \"box\"?"))
    }

    @Test("Every kind of file has a JSON Schema that closes its maps", arguments: BaselineFile.Kind.allCases)
    func schemas(kind: BaselineFile.Kind) {
        let schema = BaselineFile.shape(of: kind).jsonSchema
        let record = schema["anyOf"]?.array?[0] ?? schema
        #expect(record["additionalProperties"] == false)
        #expect(record["required"]?.array?.isEmpty == false)
    }

    @Test("A file's place below the baseline says what it is")
    func places() {
        #expect(BaselineFile.place(ofPath: "rules/aws/s3/a.yaml")?.name == "aws/s3/a")
        #expect(BaselineFile.place(ofPath: "rules/aws/s3/a.yaml")?.kind == .rules)
        #expect(BaselineFile.place(ofPath: "exemptions/2026/x.yml")?.name == "2026/x")
        #expect(BaselineFile.place(ofPath: "notes/a.yaml") == nil)
        #expect(BaselineFile.place(ofPath: "rules") == nil)
    }
}
