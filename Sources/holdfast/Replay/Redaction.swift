import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

/// Takes the names of people, accounts and addresses out of a text: each becomes a word of its own, the same wherever
/// it stands. What is replaced by what does not depend on the order in which names were met.
struct Redaction {
    private var words: [String: String] = [:]

    init(_ done: ReplayRun.Done) throws {
        var people: Set<String> = []
        var accounts: Set<String> = []
        var addresses: Set<String> = []
        try done.spool.forEach(in: .rows) { entry in
            guard let row = try? JSON.parse(entry.body) else { return }
            if let account = row["account"]?.string { accounts.insert(account) }
            if let address = row["source-ip"]?.string { addresses.insert(address) }
            let chain = row["chain"]?.array?.compactMap(\.string) ?? []
            for name in [row["actor"]?.string, row["origin"]?.string].compactMap({ $0 }) + chain {
                people.formUnion(Self.tokens(ofActor: name))
            }
        }
        for strip in done.report.coverage.strips(done.report.window) { accounts.insert(strip.account) }
        add(accounts, as: "account")
        add(addresses, as: "address")
        add(people, as: "person")
    }

    private mutating func add(_ names: Set<String>, as kind: String) {
        let names = names.filter { $0.count > 2 && !$0.hasSuffix(".amazonaws.com") && words[$0] == nil }
        for (index, name) in names.sorted().enumerated() {
            words[name] = "\(kind)-\(String(repeating: "0", count: max(0, 3 - "\(index + 1)".count)))\(index + 1)"
        }
    }

    /// The parts of an actor's name that are theirs alone: of an ARN what stands behind its kind.
    private static func tokens(ofActor name: String) -> [String] {
        guard name.contains("/") else { return name.contains(":") ? [] : [name] }
        let parts = name.split(separator: "/").dropFirst().map(String.init)
        // Roles are no people; who used one is named by the session.
        return name.contains(":assumed-role/") ? Array(parts.dropFirst()) : parts
    }

    /// Members whose values are words of the product.
    private static let ours: Set<String> = [
        "kind", "state", "severity", "effect", "change", "time", "from", "to", "last", "since", "event", "cloud",
        "evidence", "outcome", "says", "guard", "via", "digest", "sha256", "rule", "versions",
    ]

    /// The tree with every name replaced in its texts; the names of members stay.
    func redact(_ json: JSON) -> JSON {
        switch json {
        case .string(let text): .string(redact(text))
        case .array(let elements): .array(elements.map(redact))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map { member in
                        (member.name, Self.ours.contains(member.name) ? member.value : redact(member.value))
                    }))
        case .null, .bool, .number: json
        }
    }

    /// The text with every name replaced that stands in it as a word.
    func redact(_ text: String) -> String {
        var out: [UInt8] = []
        var word: [UInt8] = []
        func flush() {
            guard !word.isEmpty else { return }
            let plain = String(decoding: word, as: UTF8.self)
            out.append(contentsOf: (words[plain] ?? plain).utf8)
            word.removeAll(keepingCapacity: true)
        }
        for byte in text.utf8 {
            if Self.isWord(byte) {
                word.append(byte)
            } else {
                flush()
                out.append(byte)
            }
        }
        flush()
        return String(decoding: out, as: UTF8.self)
    }

    /// Letters, digits, `. _ @ - + =`: what names of people and IPv4 addresses are made of.
    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 128...255: true
        case 46, 95, 64, 45, 43, 61: true
        default: false
        }
    }
}
