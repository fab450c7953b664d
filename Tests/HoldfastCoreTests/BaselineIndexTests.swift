import HoldfastCore
import HoldfastJSON
import Testing

@Suite("What a rule reads, and what must be evaluated again")
struct BaselineIndexTests {
    static let files: [(kind: BaselineFile.Kind, name: String, text: String)] = [
        (.rules, "toy/size", Toy.file(expect: "{Size: 3}")),
        (.rules, "toy/lid", Toy.file(expect: "{Lid.Open: false}", more: "where: {Name: {not: b}}")),
        (.rules, "toy/tag", Toy.file(expect: "{tag: {owner: present}}")),
        (.rules, "toy/age", Toy.file(expect: "{Made: {not: {older-than: 30d}}}")),
        (.rules, "toy/shelf", Toy.file(expect: "{related: {shelf: {all: {Height: {at-most: 2}}}}}")),
        (.rules, "toy/sticker", Toy.file(expect: "{related: {stickers: {any: {Text: ok}}}}")),
        (
            .rules, "toy/inline",
            Toy.file(expect: "{related: {labels: {from: Toy::Sticker, by: BoxName, none: {Text: bad}}}}")
        ),
        (.rules, "toy/ours", Toy.file(expect: "{Words: {not: {reaches: outside-our-networks}}}")),
    ]

    static func baseline() throws -> Baseline {
        let (baseline, problems) = try Toy.load(files)
        #expect(problems.isEmpty)
        return baseline
    }

    @Test("A changed property leads to the rules that read it, and to no other")
    func properties() throws {
        let index = try Self.baseline().index
        #expect(index.rules(of: "Toy::Box", touching: ["Size"]) == ["toy/size"])
        #expect(index.rules(of: "Toy::Box", touching: ["Lid", "Name"]) == ["toy/lid"])
        #expect(index.rules(of: "Toy::Box", touching: ["Tags"]) == ["toy/tag"])
        #expect(index.rules(of: "Toy::Box", touching: ["ShelfId"]) == ["toy/shelf"])
        #expect(index.rules(of: "Toy::Box", touching: ["Document"]).isEmpty)
        #expect(index.rules(of: "Toy::Box").count == 8)
        #expect(index.rules(of: "Toy::Shelf").isEmpty)
        #expect(index.clockRules == ["toy/age"])
        #expect(index.rules(readingList: "our-networks") == ["toy/ours"])
    }

    @Test("A changed resource leads to those that hang on it")
    func dependents() throws {
        let index = try Self.baseline().index
        let byHeight = index.dependents(of: "Toy::Shelf", touching: ["Height"])
        #expect(byHeight.map(\.rules) == [["toy/shelf"]])
        #expect(byHeight.first?.type == "Toy::Box")
        #expect(byHeight.first?.relation.isReverse == false)
        #expect(index.dependents(of: "Toy::Shelf", touching: ["ShelfId"]).isEmpty)
        #expect(
            index.dependents(of: "Toy::Sticker", touching: ["Text"]).flatMap(\.rules).sorted() == [
                "toy/inline", "toy/sticker",
            ])
        #expect(index.dependents(of: "Toy::Sticker", touching: ["BoxName"]).count == 2)
        #expect(index.dependents(of: "Toy::Sticker").allSatisfy { $0.relation.isReverse })
        #expect(index.relatedTypes == ["Toy::Shelf", "Toy::Sticker"])
    }

    @Test("A rule about related resources is unknown until all are read, and one that offends decides it")
    func related() throws {
        let baseline = try Self.baseline()
        func outcome(_ rule: String, _ related: [String: RelatedResources]) throws -> Verdict {
            try baseline.evaluate(
                rule, Toy.state("{Name: a, ShelfId: s}"), of: Toy.box, in: Toy.context(related: related)
            ).verdict
        }
        func sticker(_ text: String) -> RelatedResources.Member {
            .init(
                id: ResourceID(type: "Toy::Sticker", id: "toy:1:sticker/\(text)"),
                document: .map(StateMap([("Text", .scalar(.string(text)))])))
        }
        #expect(try outcome("toy/sticker", [:]).outcome == .unknown)
        #expect(try outcome("toy/sticker", ["stickers": .init([])]).outcome == .drift)
        #expect(try outcome("toy/sticker", ["stickers": .init([sticker("ok")], openBecause: "x")]).outcome == .pass)
        #expect(try outcome("toy/inline", ["labels": .init([sticker("ok")], openBecause: "x")]).outcome == .unknown)
        let bad = try outcome("toy/inline", ["labels": .init([sticker("bad")], openBecause: "x")])
        #expect(bad.outcome == .drift)
        #expect(bad.offending.map(\.key) == ["toy:1:sticker/bad"])
    }

    @Test("A rule that reads the clock says when it must be asked again, and then it turns")
    func clock() throws {
        let rule = try #require(try Self.baseline().rule("toy/age"))
        let state = try Toy.state("{Made: '2025-12-20T00:00:00Z'}")
        let first = rule.evaluate(state, of: Toy.box, in: Toy.context())
        #expect(first.verdict.outcome == .pass)
        #expect(first.nextChange == Timestamp("2026-01-19T00:00:00Z"))
        var later = Toy.context()
        later.now = try #require(first.nextChange)
        let second = rule.evaluate(state, of: Toy.box, in: later)
        #expect(second.verdict.outcome == .drift)
        #expect(second.nextChange == nil)
        later.now = later.now - Span(nanoseconds: 1)
        #expect(rule.evaluate(state, of: Toy.box, in: later).verdict.outcome == .pass)
    }

    @Test("A resource that the rule is not about does not apply; one of which that is not known is unknown")
    func scope() throws {
        let baseline = try Self.baseline()
        func outcome(_ yaml: String) throws -> Verdict.Outcome {
            try baseline.evaluate("toy/lid", Toy.state(yaml), of: Toy.box, in: Toy.context()).verdict.outcome
        }
        #expect(try outcome("{Name: b, Lid: {Open: true}}") == .notApplicable)
        #expect(try outcome("{Name: unknown, Lid: {Open: true}}") == .unknown)
        #expect(try outcome("{Name: a, Lid: {Open: true}}") == .drift)
    }
}
