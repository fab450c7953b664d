import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// What becomes of discovery where things are not as they should be; the rest is tested in the catalog's own files.
@Suite("The discovery of accounts")
struct DiscoveryTests {
    private static let catalog = """
        discovery:
          aws-organization:
            path: ou
            roots: {call: o.Roots, each: "Roots[]", id: Id}
            containers: {call: o.Units, with: {ParentId: {variable: container}}, each: "Units[]", id: Id, name: Name}
            accounts: {call: o.Accounts, with: {ParentId: {variable: container}}, each: "Accs[]", id: Id, name: Name}
            tags: {call: o.Tags, with: {ResourceId: {variable: account}}, tags: Tags}
        calls:
          o.Roots: {protocol: json-1.1, permission: "o:Roots"}
          o.Units: {protocol: json-1.1, permission: "o:Units", parameters: [ParentId]}
          o.Accounts: {protocol: json-1.1, permission: "o:Accounts", parameters: [ParentId]}
          o.Tags: {protocol: json-1.1, permission: "o:Tags", parameters: [ResourceId]}
        """

    private static func plan(_ text: String = catalog) throws -> (plan: DiscoveryPlan?, problems: [String]) {
        let node = try YAMLReader.read(text, file: "catalog/aws/o.yaml")
        let (catalog, problems) = Catalog.load([(name: "aws/o", node: node)], operations: nil)
        return (catalog.discoveries["aws-organization"], problems.map(\.message))
    }

    /// Answers calls until none is asked for.
    private func run(
        wantsTags: Bool = true, _ answer: (String, String) -> ReadRun.Outcome
    ) throws -> (run: DiscoveryRun, asked: [String]) {
        let plan = try #require(try Self.plan().plan)
        var run = DiscoveryRun(plan, root: "", wantsTags: wantsTags)
        var asked: [String] = []
        while case let requests = run.next(), !requests.isEmpty {
            for request in requests {
                let of = (request.parameters["ParentId"] ?? request.parameters["ResourceId"])?.string ?? ""
                asked.append("\(request.call) \(of)")
                run.take(answer(request.call, of), for: request)
            }
        }
        return (run, asked)
    }

    private func organisation(_ call: String, _ of: String) -> JSON {
        switch (call, of) {
        case ("o.Roots", _): ["Roots": [["Id": "r"]]]
        // A circle, as no organisation has one.
        case ("o.Units", "r"): ["Units": [["Id": "a", "Name": "A"]]]
        case ("o.Units", "a"): ["Units": [["Id": "r", "Name": "R"], ["Id": "a", "Name": "A"]]]
        case ("o.Accounts", "a"): ["Accs": [["Id": "012345670123", "Name": "pay"], ["Name": "no id"]]]
        case ("o.Tags", _): ["Tags": [["Key": "stage", "Value": "dev"]]]
        default: .object(JSONObject())
        }
    }

    @Test("Each container is entered once, whatever the answers say, and ids stay texts")
    func circle() throws {
        let (run, asked) = try run { .answer(organisation($0, $1)) }
        #expect(run.isWhole && run.failures.isEmpty)
        #expect(run.accounts.map(\.id) == ["012345670123"])
        #expect(run.accounts[0].facts == ["name": "pay", "ou": "A", "ou-id": "a", "tag:stage": "dev"])
        #expect(asked == ["o.Roots ", "o.Units r", "o.Accounts r", "o.Units a", "o.Accounts a", "o.Tags 012345670123"])
    }

    @Test("Where nobody asks for tags, no call is made for them")
    func withoutTags() throws {
        let (run, asked) = try run(wantsTags: false) { .answer(organisation($0, $1)) }
        #expect(!asked.contains { $0.hasPrefix("o.Tags") })
        #expect(run.accounts[0].facts["tag:stage"] == nil && run.accounts[0].facts["unread"] == nil)
    }

    @Test("A container that cannot be listed leaves the rest found, and nothing is said of what is missing")
    func denied() throws {
        let failure = ReadFailure(code: "o:Units in 1", message: "o.Units is denied", isDenied: true)
        let (run, _) = try run { $0 == "o.Units" && $1 == "a" ? .failed(failure) : .answer(organisation($0, $1)) }
        #expect(run.accounts.count == 1)
        #expect(!run.isWhole)
        #expect(run.failures == [failure])
    }

    @Test("Tags that cannot be read are told of as a fact, and the organisation is whole all the same")
    func tagsDenied() throws {
        let (run, _) = try run { $0 == "o.Tags" ? .refused(code: "AccessDenied") : .answer(organisation($0, $1)) }
        #expect(run.isWhole)
        #expect(run.failures.count == 1)
        #expect(run.accounts[0].facts["unread"] == "o.Tags was refused: AccessDenied")
    }

    @Test("What lies deeper than any cloud allows is not followed")
    func depth() throws {
        let (run, asked) = try run { call, of in
            .answer(call == "o.Units" ? ["Units": [["Id": .string("\(of)x"), "Name": "x"]]] : organisation(call, of))
        }
        #expect(!run.isWhole)
        #expect(run.failures.map(\.code) == ["too-deep"])
        #expect(asked.count < 50)
    }

    @Test(
        "A catalog file that cannot be meant is told of",
        arguments: [
            ("o.Units, with", "o.Unit, with", "unknown call \"o.Unit\"; did you mean \"o.Units\"?"),
            (
                "{ParentId: {variable: container}}, each: \"Units", "{Parent: {value: 1}}, each: \"Units",
                "takes no parameter"
            ),
            ("{variable: account}", "{variable: acount}", "no variable \"acount\" is known here; account is"),
            ("path: ou", "paths: ou", "unknown key \"paths\""),
        ])
    func problems(old: String, new: String, message: String) throws {
        let (_, problems) = try Self.plan(Self.catalog.replacing(old, with: new))
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }

    @Test("A test in a catalog file that does not come out is told with what came out")
    func catalogTest() throws {
        let tests = """
                tests:
                  - root: r
                    answers:
                      - {call: o.Units, given: {}}
                      - {call: o.Accounts, given: {Accs: [{Id: "1"}]}}
                      - {call: o.Tags, given: {}}
                    finds: {"2": {}}
            """
        let node = try YAMLReader.read(
            Self.catalog.replacing("calls:", with: tests + "\ncalls:"), file: "catalog/aws/o.yaml")
        let (catalog, problems) = Catalog.load([(name: "aws/o", node: node)], operations: nil)
        #expect(problems.isEmpty, "\(problems)")
        #expect(catalog.testCount == 1)
        #expect(catalog.runTests().map(\.message).first?.contains("it finds {\"1\":") == true)
    }
}
