import HoldfastCore
import HoldfastFiles
import HoldfastJSON

/// A small catalog of types that no cloud has, for tests of the rule language.
enum Toy {
    static let now = Timestamp(seconds: 1_767_225_600)  // 2026-01-01T00:00:00Z

    private static let catalogText = """
        types:
          Toy::Box:
            id: "toy:{account}:{Name}"
            example: toy:111122223333:a
            scope: regional
            properties: cloudformation
            paths:
              - Name
              - Size
              - Made
              - Lid.{Open,Colour}
              - "Items[].{Id,Weight,Kind,Parts[].Id}"
              - "Words[]"
              - "Tags[].{Key,Value}"
              - Document.*
              - ShelfId
            unordered: {Items: [Id], "Items[].Parts": [Id], Tags: [Key]}
            relations:
              shelf: {to: Toy::Shelf, by: ShelfId}
              stickers: {from: Toy::Sticker, by: BoxName}
            read: {call: toy.GetBox, fills: [Name, Size, Made, Lid, Items, Words, Tags, Document, ShelfId]}
            samples:
              box: {Name: a, Size: 3, Lid: {Open: false}, Items: [], ShelfId: s}
          Toy::Shelf:
            id: "toy:{account}:shelf/{ShelfId}"
            example: toy:111122223333:shelf/s
            scope: regional
            properties: cloudformation
            paths: [ShelfId, Height]
            read: {call: toy.GetShelf, fills: [ShelfId, Height]}
          Toy::Sticker:
            id: "toy:{account}:sticker/{StickerId}"
            example: toy:111122223333:sticker/s
            scope: regional
            properties: cloudformation
            paths: [StickerId, BoxName, Text]
            read: {call: toy.GetSticker, fills: [StickerId, BoxName, Text]}
          Toy::Ghost:
            id: "toy:{account}:ghost/{Name}"
            example: toy:111122223333:ghost/s
            scope: regional
            properties: cloudformation
            paths: [Name, Sheet]
        calls:
          toy.GetBox: {reads: ".", protocol: json-1.1, permission: toy:GetBox}
          toy.GetShelf: {reads: ".", protocol: json-1.1, permission: toy:GetShelf}
          toy.GetSticker: {reads: ".", protocol: json-1.1, permission: toy:GetSticker}
        """

    static let catalog: Catalog = {
        guard let node = try? YAMLReader.read(catalogText, file: "toy.yaml") else { fatalError("toy.yaml is broken") }
        let (catalog, problems) = Catalog.load([("aws/toy", node)], operations: nil)
        precondition(problems.isEmpty, "\(problems)")
        return catalog
    }()

    /// A rule's file about boxes with this predicate.
    static func file(expect: String, more: String = "", type: String = "Toy::Box") -> String {
        """
        type: \(type)
        title: A box is as it should be
        severity: high
        maturity: stable
        why: Boxes matter.
        tests: []
        \(more)
        expect: \(expect)
        """
    }

    static func load(
        _ files: [(kind: BaselineFile.Kind, name: String, text: String)], lists: Set<String> = []
    ) throws(Problem) -> (baseline: Baseline, problems: [Problem]) {
        var nodes: [BaselineFile] = []
        for file in files {
            let name = "\(file.kind.rawValue)/\(file.name).yaml"
            nodes.append(
                BaselineFile(kind: file.kind, name: file.name, node: try YAMLReader.read(file.text, file: name)))
        }
        return Baseline.load(
            nodes, catalog: catalog, lists: lists, environments: ["dev", "staging", "production"], now: now)
    }

    /// What is wrong with a rule about boxes, as texts without their places.
    static func problems(expect: String, more: String = "", type: String = "Toy::Box") -> [String] {
        do {
            return try load([(.rules, "toy/a", file(expect: expect, more: more, type: type))]).problems.map(\.message)
        } catch {
            return [error.message]
        }
    }

    static func rule(expect: String, more: String = "") throws -> Rule {
        let (baseline, problems) = try load(
            [(.rules, "toy/a", file(expect: expect, more: more))], lists: ["words", "strangers"])
        guard let rule = baseline.rule("toy/a") else { throw problems[0] }
        return rule
    }

    static let box = ResourceID(type: "Toy::Box", id: "toy:111122223333:a")

    static func context(
        lists: [String: [String]] = [:], labels: StateValue = .map(StateMap([])),
        related: [String: RelatedResources] = [:]
    ) -> EvaluationContext {
        EvaluationContext(
            now: now, environment: "production",
            place: ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1"), labels: labels,
            lists: lists
        ) { read in related[read.name] ?? RelatedResources(openBecause: "not read") }
    }

    /// A body in YAML as a state: the word `unknown` stands for a value that is not known, and a list whose last
    /// element is `...` is open.
    static func state(_ yaml: String) throws(Problem) -> StateValue {
        let json = try YAMLReader.read(yaml, file: "given").json
        guard let type = catalog.type("Toy::Box") else { fatalError("no box") }
        return marked(json).keyed(by: type)
    }

    private static func marked(_ json: JSON) -> StateValue {
        switch json {
        case .string("unknown"): return .unknown("never read")
        case .null: return .absent
        case .array(let elements):
            let open = elements.last == .string("...")
            let known = open ? Array(elements.dropLast()) : elements
            return .list(
                StateList(known.map { .init(value: marked($0)) }, openBecause: open ? "only partly read" : nil))
        case .object(let object):
            return .map(StateMap(object.members.map { ($0.name, marked($0.value)) }))
        default: return .scalar(json)
        }
    }

    /// The verdict of one predicate on one body.
    static func verdict(_ expect: String, on yaml: String) throws -> Verdict {
        try rule(expect: expect).evaluate(
            state(yaml), of: box, in: context(lists: ["words": ["red", "blue"]])
        ).verdict
    }
}
