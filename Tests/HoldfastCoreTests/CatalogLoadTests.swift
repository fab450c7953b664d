import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

private func load(_ text: String, operations: [Cloud: Set<String>]? = nil) throws -> (Catalog, [String]) {
    let node = try YAMLReader.read(text, file: "x.yaml")
    let (catalog, problems) = Catalog.load([(name: "aws/x", node: node)], operations: operations)
    return (catalog, problems.map(\.description))
}

/// A file with one type and room for what a test adds to it.
private func file(type: String = "", rest: String = "") -> String {
    """
    types:
      AWS::X::Thing:
        id: "arn:{partition}:x:{region}:{account}:thing/{ThingId}"
        example: arn:aws:x:eu-west-1:111122223333:thing/a
        scope: regional
        properties: cloudformation
        paths: [ThingId, Name, "Rules[].{Port,Source}", "Tags[].{Key,Value}", Secret]
        secret: [Secret]
        unordered: {Tags: [Key]}
    \(type)
    \(rest)
    """
}

private func event(_ action: String, _ body: JSON, region: String = "eu-west-1") -> ChangeEvent {
    ChangeEvent(
        id: "1", cloud: .aws, time: Timestamp(seconds: 0), account: "111122223333", region: region,
        actor: Principal(name: "a"), sourceIP: "", action: action, outcome: .success, readOnly: false, via: .unknown,
        userAgent: "", body: body)
}

@Suite("Catalog files")
struct CatalogLoadTests {
    @Test(
        "A faulty event gives every fault with its place and the nearest right word",
        arguments: [
            (
                ["changes: AWS::X::Thin", "carries: {touched: Name}"],
                "x.yaml:13:14: unknown type \"AWS::X::Thin\"; did you mean \"AWS::X::Thing\"?"
            ),
            (
                ["changes: AWS::X::Thing", "carries: {set: {Nam: a.b}}"],
                "AWS::X::Thing has no path \"Nam\"; did you mean \"Name\"?"
            ),
            (
                ["changes: AWS::X::Thing", "carries: {put: Tags, value: {map: {Ky: a.b}}}"],
                "has no path \"Tags[].Ky\"; did you mean \"Tags[].Key\"?"
            ),
            (
                ["changes: AWS::X::Thing", "carries: {put: Rules, value: {map: {Port: a.b}}}"],
                "put: needs key:, or AWS::X::Thing an entry for Rules under unordered:"
            ),
            (
                ["changes: AWS::X::Thing", "nam: a", "carries: {touched: Name}"],
                "unknown key \"nam\"; did you mean \"name\"?"
            ),
            (
                ["name: a"],
                "an effect has exactly one of"
            ),
            (
                ["changes: AWS::X::Thing", "name: a"],
                "changes: needs carries:"
            ),
            (
                ["changes: AWS::X::Thing", "name: {upper-camle: a}", "carries: {touched: Name}"],
                "unknown word \"upper-camle\" in a source; did you mean \"upper-camel\"?"
            ),
        ])
    func eventFaults(lines: [String], expected: String) throws {
        let rest = "events:\n  x/Do:\n" + lines.map { "    \($0)\n" }.joined()
        let (_, problems) = try load(file(rest: rest))
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }

    @Test(
        "A faulty call gives every fault",
        arguments: [
            ("writes: Nmae", "no type of this file has the path \"Nmae\"; did you mean \"Name\"?"),
            ("inverse-when-absent: x.Putt", "unknown call \"x.Putt\"; did you mean \"x.Put\"?"),
            ("idempotent: maybe", "\"maybe\" cannot stand here; expected true or false"),
        ])
    func callFaults(rest: String, expected: String) throws {
        let (_, problems) = try load(file(rest: "calls:\n  x.Put: {protocol: query, permission: x, \(rest)}\n"))
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }

    @Test(
        "A faulty type gives every fault",
        arguments: [
            ("    samples: {s: {Nam: a}}", "has no path \"Nam\""),
            ("    samples: {s: {Rules: [{Prt: 1}]}}", "has no path \"Rules[].Prt\"; did you mean \"Rules[].Port\"?"),
            ("    ours: [any]", "\"any\" is a word of the rule language"),
            ("    known-by: {name: Nme}", "has no path \"Nme\""),
            ("    read: {call: x.Get, fills: [Name]}", "unknown call \"x.Get\""),
            ("    relations: {r: {to: AWS::X::Other, by: Name}}", "leads to the unknown type \"AWS::X::Other\""),
            ("    relations: {r: {from: AWS::X::Thing, by: Nme}}", "has no path \"Nme\""),
            ("    unknown: x", "unknown key \"unknown\""),
        ])
    func typeFaults(type: String, expected: String) throws {
        let (_, problems) = try load(file(type: type))
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }

    @Test("An operation that the cloud does not log is an error that names the nearest")
    func wrongOperation() throws {
        let rest = "events:\n  x/PutThin:\n    deletes: AWS::X::Thing\n    name: a\n"
        let (_, problems) = try load(file(rest: rest), operations: [.aws: ["x/PutThing", "x/DeleteThing"]])
        #expect(problems == ["x.yaml:12:3: aws logs no operation \"x/PutThin\"; did you mean \"x/PutThing\"?"])
    }

    @Test("A name that is there twice is an error that names the first place")
    func duplicates() throws {
        let a = try YAMLReader.read(file(type: "    samples: {s: {Name: a}}"), file: "a.yaml")
        let b = try YAMLReader.read(
            file(type: "    samples: {s: {Name: a}}").replacing("X::Thing", with: "X::Other"), file: "b.yaml")
        let problems = Catalog.load([("aws/a", a), ("aws/b", b)], operations: nil).problems
        let expected = #"b.yaml:10:15: sample "s" is here twice; the first stands at a.yaml:10:15"#
        #expect(problems.map(\.description) == [expected])
    }

    @Test("A secret never leaves the catalog")
    func secrets() throws {
        let rest = """
            events:
              x/Do: {changes: AWS::X::Thing, name: id, carries: {set: {Secret: s, Name: n}}}
            """
        let (catalog, problems) = try load(file(rest: rest))
        #expect(problems == [])
        let match = catalog.changes(for: event("x/Do", ["id": "a", "s": "hidden", "n": "shown"]))
        #expect(
            match.changes.first?.changes == [
                .touched(PropertyPath(names: "Secret")), .set(PropertyPath(names: "Name"), "shown"),
            ])
    }

    @Test("An id that should be there and is not gives a reason, never nothing")
    func unresolved() throws {
        let rest = "events:\n  x/Make:\n    creates: AWS::X::Thing\n    name: responseElements.id\n"
        let (catalog, _) = try load(file(rest: rest))
        let match = catalog.changes(for: event("x/Make", ["responseElements": .null]))
        guard case .known(let changes, let unresolved) = match else {
            Issue.record("the event is known")
            return
        }
        #expect(changes.isEmpty)
        #expect(unresolved.map(\.reason) == ["the event does not say ThingId"])
        guard case .unknownOperation = catalog.changes(for: event("x/Other", [:])) else {
            Issue.record("the event is not known")
            return
        }
    }

    @Test(
        "A region's partition is in the id",
        arguments: [
            ("cn-north-1", "arn:aws-cn:x:cn-north-1:111122223333:thing/a"),
            ("us-gov-west-1", "arn:aws-us-gov:x:us-gov-west-1:111122223333:thing/a"),
            ("me-central-3r", "arn:aws:x:me-central-3r:111122223333:thing/a"),
        ])
    func partitions(region: String, expected: String) throws {
        let rest = "events:\n  x/Gone:\n    deletes: AWS::X::Thing\n    name: id\n"
        let (catalog, _) = try load(file(rest: rest))
        let match = catalog.changes(for: event("x/Gone", ["id": "a"], region: region))
        #expect(match.changes.map(\.resource.id) == [expected])
    }

    @Test("A whole id in the event is taken as it is, and an id of something else is not")
    func wholeIDs() throws {
        let rest = "events:\n  x/Gone:\n    deletes: AWS::X::Thing\n    name: id\n"
        let (catalog, _) = try load(file(rest: rest))
        let whole = "arn:aws:x:us-east-1:444455556666:thing/b"
        let change = try #require(catalog.changes(for: event("x/Gone", ["id": .string(whole)])).changes.first)
        #expect(change.resource.id == whole)
        #expect(change.context == ResourceContext(cloud: .aws, account: "444455556666", region: "us-east-1"))
        let other = catalog.changes(for: event("x/Gone", ["id": "arn:aws:y:us-east-1:444455556666:other/b"]))
        #expect(other.changes.isEmpty)
    }

    @Test("A test in a file that does not hold is reported with what came out")
    func failingTests() throws {
        let rest = """
            events:
              x/Gone:
                deletes: AWS::X::Thing
                name: id
                tests:
                  - {given: {id: a}, affects: [b]}
            """
        let (catalog, problems) = try load(file(rest: rest))
        #expect(problems == [])
        #expect(
            catalog.runTests().map(\.description) == [
                "x.yaml:16:9: the test of x/Gone: affects arn:aws:x:eu-west-1:111122223333:thing/a; expected b"
            ])
    }
}

@Suite("docs/catalog.md")
struct CatalogDocumentTests {
    @Test("Every example in the page loads and its tests pass")
    func examples() throws {
        let page = ShippedCatalog.folder.deletingLastPathComponent().appending(path: "docs/catalog.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let blocks = text.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        #expect(blocks.count == 5)
        var files: [(name: String, node: Node)] = []
        for (name, block) in zip(["aws/type", "azure/events", "gcp/events", "aws/models"], blocks) {
            files.append((name, try YAMLReader.read(block, file: "\(name).yaml")))
        }
        let (catalog, problems) = Catalog.load(files, operations: nil)
        #expect(problems == [])
        #expect(catalog.runTests() == [])
        #expect(catalog.testCount == 4)
    }
}
