import Foundation
import Testing

@Suite("The house rules")
struct HouseTests {
    /// Target -> what it may import of our own modules, C modules and packages. Foundation is listed where it may be.
    static let mayImport: [String: Set<String>] = [
        "HoldfastJSON": [],
        "HoldfastCrypto": ["COpenSSL"],
        "HoldfastCore": ["HoldfastJSON", "HoldfastCrypto"],
        "HoldfastEngine": ["HoldfastCore", "HoldfastJSON", "HoldfastCrypto", "Synchronization"],
        "HoldfastFiles": [
            "HoldfastEngine", "HoldfastCore", "HoldfastCrypto", "HoldfastJSON", "CZlib", "Yams", "Foundation", "Glibc",
            "Synchronization",
        ],
        "HoldfastStore": [
            "HoldfastEngine", "HoldfastCore", "HoldfastJSON", "HoldfastCrypto", "GRDB", "Foundation", "Glibc",
            "Synchronization",
        ],
        "HoldfastKafka": [
            "HoldfastEngine", "HoldfastCore", "CRdKafka", "Synchronization", "Glibc", "Dispatch", "Foundation",
        ],
        "HoldfastHTTP": [
            "HoldfastCrypto", "HoldfastJSON", "CCurl", "Foundation", "Glibc", "Synchronization", "Dispatch",
        ],
        "HoldfastCloud": [
            "HoldfastHTTP", "HoldfastEngine", "HoldfastCore", "HoldfastJSON", "HoldfastCrypto", "Foundation", "Glibc",
            "Synchronization",
        ],
        "HoldfastServer": [
            "HoldfastEngine", "HoldfastCore", "HoldfastJSON", "HoldfastCrypto", "Hummingbird", "HummingbirdCore",
            "JWTKit", "NIOCore",
            "HTTPTypes", "Logging", "ServiceLifecycle", "Synchronization", "Foundation", "Glibc",
        ],
        "HoldfastSimulation": [
            "HoldfastEngine", "HoldfastCore", "HoldfastJSON", "HoldfastCrypto", "HoldfastFiles", "HoldfastStore",
            "Synchronization", "Foundation", "Glibc",
        ],
    ]

    @Test("A module imports only what stands below it", arguments: House.sources)
    func arrowsPointDown(file: SourceFile) throws {
        guard file.target != "holdfast" else { return }
        let allowed = try #require(Self.mayImport[file.target], "\(file.target) has no line in the import rules")
        for module in file.imports {
            #expect(allowed.contains(module), "\(file.path) imports \(module)")
        }
    }

    @Test("A C module is imported by one module only")
    func cModulesHaveOneOwner() {
        for module in ["CCurl", "CRdKafka", "COpenSSL", "CZlib"] {
            let owners = Set(House.sources.filter { $0.imports.contains(module) }.map(\.target))
            #expect(owners.count <= 1, "\(module) is imported by \(owners.sorted())")
        }
    }

    @Test("Lines, functions and files stay readable", arguments: House.all)
    func sizes(file: SourceFile) {
        #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count) lines; the limit is 400")
        for (index, line) in file.lines.enumerated() {
            #expect(line.count <= 120, "\(file.path):\(index + 1) has \(line.count) characters; the limit is 120")
        }
        for (start, length) in functionLengths(file) {
            #expect(length <= 70, "\(file.path):\(start): the function has \(length) lines; the limit is 70")
        }
    }

    /// The first line and the length of each function, by the indentation of its closing brace.
    private func functionLengths(_ file: SourceFile) -> [(start: Int, length: Int)] {
        var found: [(Int, Int)] = []
        for (index, line) in file.lines.enumerated() {
            let indent = line.prefix { $0 == " " }
            let declares = line.contains("func ") || line.dropFirst(indent.count).hasPrefix("init")
            guard declares, !line.hasSuffix("}"), !line.dropFirst(indent.count).hasPrefix("//") else { continue }
            let closing = file.lines[(index + 1)...].firstIndex {
                $0.hasPrefix(indent + "}") && $0.count <= indent.count + 2
            }
            let sameLevel = file.lines[(index + 1)...].firstIndex {
                $0.hasPrefix(indent) && $0.contains("func ") && $0.prefix { $0 == " " }.count <= indent.count
            }
            if let closing, closing < (sameLevel ?? .max) { found.append((index + 1, closing - index + 1)) }
        }
        return found
    }

    @Test("Core and Engine start no stray task, read no wall clock and roll no dice", arguments: House.sources)
    func decisionsAreDeterministic(file: SourceFile) {
        guard ["HoldfastCore", "HoldfastEngine"].contains(file.target) else { return }
        let banned = [
            " Task {", "=Task {", "Task.detached", "Task.sleep", "Date()", "UUID()", "DispatchQueue", ".random(",
            "SystemClock",
            "ContinuousClock()", "getenv", "FileManager",
        ]
        for (number, text) in file.code {
            for call in banned {
                #expect(!text.contains(call), "\(file.path):\(number) uses \(call)")
            }
        }
    }

    @Test("A Begun is made by journals only", arguments: House.sources)
    func begunIsMadeByJournals(file: SourceFile) {
        guard file.target != "HoldfastStore" else { return }
        for (number, text) in file.code {
            #expect(!text.contains("Begun("), "\(file.path):\(number) makes a Begun")
        }
    }

    /// By type, not by a flag: `Replay` takes a journal and a spool, and what a writer needs is made elsewhere.
    @Test("A replay can be given nothing that reads or writes a resource of a cloud", arguments: House.sources)
    func replayHasNoWriter(file: SourceFile) {
        guard file.path.contains("/Replay/") else { return }
        let banned = [
            "StateReader", "StateLister", "ChangeWriter", "CloudReader", "CloudWriter", "Permit", "Begun", ".reader",
            "RemediationTools",
        ]
        for (number, text) in file.code {
            for name in banned {
                #expect(!text.contains(name), "\(file.path):\(number) names \(name)")
            }
        }
    }

    @Test("Every type, function and property shared between modules says what it is", arguments: House.sources)
    func packageDeclarationsAreDocumented(file: SourceFile) {
        for (index, line) in file.lines.enumerated() where line.hasPrefix("package ") {
            let words = line.split(separator: " ")
            guard words.count > 1,
                ["struct", "enum", "protocol", "actor", "func", "final", "indirect"].contains(words[1])
            else { continue }
            var above = index - 1
            while above >= 0, file.lines[above].hasPrefix("@") { above -= 1 }
            #expect(above >= 0 && file.lines[above].hasPrefix("///"), "\(file.path):\(index + 1) has no doc comment")
        }
    }

    @Test("Nothing is public, and no module has a drawer for odds and ends", arguments: House.sources)
    func names(file: SourceFile) {
        for (number, text) in file.code {
            #expect(!text.hasPrefix("public "), "\(file.path):\(number) is public; sharing is `package`")
        }
        let name = file.path.split(separator: "/").last.map(String.init) ?? ""
        for drawer in ["Utils", "Helper", "Manager", "Common"] {
            #expect(!name.contains(drawer), "\(file.path) is named as a drawer")
        }
    }

    @Test("Every notice has a runbook, and every runbook a notice or a place in the index")
    func noticesAndRunbooks() throws {
        let source = try House.text("Sources/HoldfastEngine/NoticeCode.swift")
        let codes = source.matches(of: /case \w+ = "([a-z-]+)"/).map { String($0.1) }
        #expect(!codes.isEmpty)
        let pages = House.files(under: "runbooks", ending: ".md").map { $0.dropFirst("runbooks/".count).dropLast(3) }
        let index = try House.text("runbooks/README.md")
        for code in codes {
            #expect(pages.contains { $0 == code }, "the notice \(code) has no runbook")
        }
        for page in pages where page != "README" {
            #expect(codes.contains(String(page)) || index.contains("(\(page).md)"), "runbooks/\(page).md is not found")
        }
    }

    @Test("No file names a machine's path or a registry's host", arguments: House.all)
    func noMachinePaths(file: SourceFile) {
        for (index, line) in file.lines.enumerated() where !file.path.hasPrefix("Tests/HouseTests") {
            #expect(!line.contains("/work/") && !line.contains("/root/"), "\(file.path):\(index + 1)")
        }
    }
}
