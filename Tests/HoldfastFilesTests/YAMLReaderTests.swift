import HoldfastCore
import HoldfastFiles
import Testing

@Suite("Reading YAML")
struct YAMLReaderTests {
    private func read(_ text: String) throws -> Node { try YAMLReader.read(text, file: "a.yaml") }

    private func problem(_ text: String) -> String {
        do throws(Problem) {
            _ = try YAMLReader.read(text, file: "a.yaml")
            return "no problem"
        } catch {
            return "\(error)"
        }
    }

    @Test("Every node and key knows its line and column, counted from 1")
    func places() throws {
        let node = try read(
            """
            # a comment
            type: A
            expect:
              - é: {in: [x,
                         "y"]}
              -   z
            """)
        #expect("\(node.place)" == "a.yaml:2:1")
        #expect(
            node.entries?.map { "\($0.key) \($0.keyPlace.line):\($0.keyPlace.column)" } == ["type 2:1", "expect 3:1"])
        #expect("\(try #require(node["type"]).place)" == "a.yaml:2:7")
        let list = try #require(node["expect"]?.list)
        #expect(list.map { "\($0.place.line):\($0.place.column)" } == ["4:5", "6:7"])
        let values = try #require(list[0]["é"]?["in"]?.list)
        #expect(values.map { "\($0.text ?? "") \($0.place.line):\($0.place.column)" } == ["x 4:14", "y 5:14"])
    }

    @Test(
        "No scalar is guessed at: each stays the text that it is",
        arguments: [
            "on", "yes", "2012-10-17", "012345670123", "22:22", "1e3", "0x1F", ".inf", "null", "~", "true", "=",
            "1_000",
        ])
    func scalars(text: String) throws {
        let node = try read("plain: \(text)\nquoted: '\(text)'\nlist: [\(text)]\n")
        guard case .scalar(text, quoted: false) = try #require(node["plain"]).content,
            case .scalar(text, quoted: true) = try #require(node["quoted"]).content
        else {
            Issue.record("\(node)")
            return
        }
        #expect(node["list"]?.texts == [text])
    }

    @Test("Texts over several lines are texts, and keys keep their order")
    func blocks() throws {
        let node = try read("z: |\n  one\n  two\na: >\n  three\n  four\nm: \"\\u00e9\\n\"\nempty:\n")
        #expect(node.entries?.map(\.key) == ["z", "a", "m", "empty"])
        #expect(node.entries?.map(\.value.text) == ["one\ntwo\n", "three four\n", "é\n", ""])
    }

    @Test("A mark of byte order and lines as Windows ends them change nothing")
    func windows() throws {
        let node = try read("\u{FEFF}a: 1\r\nb: [x]\r\n")
        #expect(node.entries?.map(\.key) == ["a", "b"])
        #expect(node["a"]?.text == "1")
        #expect(node["b"]?.place.line == 2)
    }

    @Test(
        "What is not known here is refused at its place",
        arguments: [
            (
                "a: 1\nb: 2\na: 3\n",
                "a.yaml:1:1: the key \"a\" stands here and again further down in the same map; keep one"
            ),
            (
                "x:\n  - b: 1\n    'b': 2\n",
                "a.yaml:2:5: the key \"b\" stands here and again further down in the same map; keep one"
            ),
            ("a: &name 1\nb: 2\n", "a.yaml:1:4: an anchor (&name) is not known here; write the value out"),
            ("a: &name [1]\nb: *name\n", "a.yaml:1:4: an anchor (&name) is not known here; write the value out"),
            ("&name a: 1\n", "a.yaml:1:1: an anchor (&name) is not known here; write the value out"),
            ("a: *name\n", "a.yaml:1:4: an alias (*name) cannot stand here; write the value out"),
            ("a: 1\n<<: {b: 1}\n", "a.yaml:2:1: a merge key (<<) is not known here; write the keys out"),
            ("a: !Ref b\n", "a.yaml:1:4: a tag (!Ref) is not known here; write the value out"),
            (
                "a: !!binary aGk=\n",
                "a.yaml:1:4: a tag (tag:yaml.org,2002:binary) is not known here; write the value out"
            ),
            ("? [a, b]\n: 1\n", "a.yaml:1:3: a key must be a text, not a list or a map"),
            ("a: 1\n---\nb: 2\n", "a.yaml:2:1: a second document begins here; a file holds one, so split it"),
            ("", "a.yaml:1:1: the file is empty; nothing to load"),
            ("# only a comment\n", "a.yaml:1:1: the file is empty; nothing to load"),
        ])
    func refused(text: String, message: String) {
        #expect(problem(text) == message)
    }

    @Test(
        "Broken YAML is told with the place where it broke",
        arguments: [
            ("a: [1, 2\nb: 3\n", "a.yaml:2:2: broken YAML: "),
            (
                "a:\n\tb: 1\n",
                "a.yaml:2:1: broken YAML: found character that cannot start any token; a tab cannot indent, blanks can"
            ),
            ("a: \"open\n", "a.yaml:2:1: broken YAML: found unexpected end of stream"),
            ("a: 1\n b: 2\n", "a.yaml:2:3: broken YAML: mapping values are not allowed in this context"),
            ("a: 1\nb\nc: 2\n", "a.yaml:3:1: broken YAML: could not find expected ':'"),
            (
                "a: 1\n- b\n",
                "a.yaml:2:1: broken YAML: did not find expected key (while parsing a block mapping that begins at 1:1)"
            ),
            ("a: 1\nb: é\u{1}x\n", "a.yaml:2:5: broken YAML: control characters are not allowed"),
            ("a: }\n", "a.yaml:1:4: broken YAML: "),
            ("a: @b\n", "a.yaml:1:4: broken YAML: found character that cannot start any token"),
            ("%YAML 9.9\n---\na: 1\n", "a.yaml:1:1: broken YAML: found incompatible YAML document"),
        ])
    func broken(text: String, message: String) {
        #expect(problem(text).hasPrefix(message), "\(problem(text))")
    }

    @Test(
        "A file that nests without end is refused, and one that nests deeply is read",
        arguments: ["[", "{a: ", "- ", "? "])
    func depth(opening: String) throws {
        #expect(
            problem(String(repeating: opening, count: 200_000)).contains("lists and maps nest deeper than 1000 levels"))
        let closing = ["[": "]", "{a: ": "}"][opening] ?? ""
        let deep = String(repeating: opening, count: 300) + "x" + String(repeating: closing, count: 300)
        let found = problem(deep)
        #expect(found == "no problem" || found == "a.yaml:1:3: a key must be a text, not a list or a map")
    }

    @Test("Anchors that would fill the memory cost nothing", .timeLimit(.minutes(10)))
    func bomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<40 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
        }
        #expect(problem(text).contains("an anchor (&a0) is not known here"))
    }

    @Test("A file greater than the limit is refused before it is read, and one below it is read")
    func huge() throws {
        let folder = try TemporaryFolder()
        let limit = 4 << 20
        for size in [limit, limit + 1] {
            try folder.write("\(size).yaml", "a: " + String(repeating: "x", count: size - 3))
        }
        #expect(try DataFolder.readFile(folder.at("\(limit).yaml"))["a"]?.text?.utf8.count == limit - 3)
        let problem = #expect(throws: Problem.self) { try DataFolder.readFile(folder.at("\(limit + 1).yaml")) }
        #expect(
            problem.map { folder.short("\($0)") }?.hasPrefix("4194305.yaml:1:1: the file has 4194305 bytes") == true)
    }

    @Test("A file that is not UTF-8 is refused")
    func notUTF8() throws {
        let folder = try TemporaryFolder()
        try folder.write("a.yaml", bytes: Array("a: ".utf8) + [0xFF, 0xFE])
        #expect(throws: Problem.self) { try DataFolder.readFile(folder.at("a.yaml")) }
    }
}
