internal import HoldfastJSON

/// The ways by which a resource can be reached, as far as its state tells: what is open in its network rules, what its
/// policies and lists grant, and its switches that have "public" in their names. What a change adds to these made
/// something more reachable, whether a rule knows it or not.
package struct Exposure: Sendable, Hashable {
    /// One way in.
    package struct Way: Sendable, Hashable, Comparable {
        /// A phrase for people: `tcp 22 from 0.0.0.0/0`, `anyone may s3:GetObject`.
        package var text: String
        /// Anyone on the internet, or anyone with an account of the cloud.
        package var isPublic: Bool

        package static func < (a: Way, b: Way) -> Bool { a.text.precedesInUTF8(b.text) }
    }

    /// Sorted, each once.
    package let ways: [Way]

    /// - Parameter document: of a resource that is there.
    package init(of document: StateValue, type: String, context: FacetContext = FacetContext()) {
        var found: Set<Way> = []
        if !Openings.reads[type, default: []].isEmpty {
            found.formUnion(Exposure.openings(Openings.value(of: document, type: type, context)))
        }
        if !Grants.defaults(type).isEmpty {
            found.formUnion(Exposure.grants(Grants.value(of: document, type: type, path: nil, context)))
        }
        Exposure.switches(document, at: [], into: &found)
        ways = found.sorted()
    }

    private init(ways: [Way]) { self.ways = ways }

    /// Nothing leads to a resource that is not there.
    package static let none = Exposure(ways: [])

    package var isPublic: Bool { ways.contains(where: \.isPublic) }

    /// What this has and an earlier one had not.
    package func opened(since earlier: Exposure) -> [Way] {
        let before = Set(earlier.ways)
        return ways.filter { !before.contains($0) }
    }

    // MARK: Network rules

    private static func openings(_ value: FacetValue) -> [Way] {
        guard case .items(let items, _) = value else { return [] }
        return items.compactMap { item in
            guard case .map(let map) = item.value, map["direction"] == .scalar("ingress") else { return nil }
            let peers = map["from"].knownTexts
            let text = "\(map["protocol"].phrase) \(map["ports"].phrase) from \(map["from"].phrase)"
            return Way(
                text: text.replacing("  ", with: " "), isPublic: peers.contains { everywhere.contains($0) })
        }
    }

    private static let everywhere: Set<String> = ["0.0.0.0/0", "::/0", "internet", "Internet", "*", "Any"]

    // MARK: Policies

    private static func grants(_ value: FacetValue) -> [Way] {
        guard case .items(let items, _) = value else { return [] }
        return items.compactMap { item in
            guard case .map(let map) = item.value else { return nil }
            let principal = map["principal"].knownTexts.first ?? ""
            let who = principal.isEmpty ? "who holds it" : names[principal] ?? principal
            var text = "\(who) may \(map["action"].phrase)"
            if case .list = map["resource"] { text += " on \(map["resource"].phrase)" }
            let conditions = map["conditions"].knownTexts
            if !conditions.isEmpty { text += " if \(conditions.joined(separator: ", "))" }
            return Way(text: text, isPublic: names[principal] != nil && conditions.isEmpty)
        }
    }

    private static let names = [
        "*": "anyone", "authenticated": "anyone with an account", "allUsers": "anyone",
        "allAuthenticatedUsers": "anyone with an account",
    ]

    // MARK: Switches and lists

    /// Lists whose elements each let somebody in, or let the resource do something.
    private static let lists: Set<String> = ["ManagedPolicyArns", "Groups", "CreateVolumePermissions"]

    private static func switches(_ value: StateValue, at names: [String], into found: inout Set<Way>) {
        guard names.count < 5, case .map(let map) = value else { return }
        for member in map.members {
            let path = names + [member.name]
            if lists.contains(member.name), case .list(let list) = member.value {
                for element in list.elements where element.value.unknownReason == nil {
                    let text = element.value.json.canonicalText
                    found.insert(Way(text: "\(member.name): \(text)", isPublic: text.contains("\"all\"")))
                }
            } else if speaksOfPublic(member.name), let way = way(path, member.value) {
                found.insert(way)
            }
            switches(member.value, at: path, into: &found)
        }
    }

    /// Whether a name has "public" in it, in whatever case.
    private static func speaksOfPublic(_ name: String) -> Bool {
        var rest = name.utf8[...]
        while rest.count >= 6 {
            if rest.prefix(6).elementsEqual("public".utf8, by: { $0 | 0x20 == $1 }) { return true }
            rest.removeFirst()
        }
        return false
    }

    private static let closers = ["block", "restrict", "ignore", "prevent", "deny", "disable"]
    private static let ons: Set<String> = ["true", "enabled", "on", "allow", "allowed"]
    private static let offs: Set<String> = ["false", "disabled", "off", "inherited", "unblocked", "none"]

    private static func way(_ path: [String], _ value: StateValue) -> Way? {
        let name = path.joined(separator: ".")
        let closes = closers.contains { path[path.count - 1].lowercased().contains($0) }
        switch value {
        case .absent: return closes ? Way(text: "\(name) is not set", isPublic: false) : nil
        case .scalar(let json):
            guard let text = json.scalarText else { return nil }
            let word = text.lowercased()
            if closes { return offs.contains(word) ? Way(text: "\(name) is off", isPublic: false) : nil }
            if ons.contains(word) { return Way(text: "\(name) is on", isPublic: true) }
            let isAddress = text.contains(".") && text.utf8.allSatisfy { (46...57).contains($0) }
            return isAddress ? Way(text: "\(name) is \(text)", isPublic: true) : nil
        case .unknown, .list, .map: return nil
        }
    }
}

extension StateValue {
    /// The texts that are known: of a text itself, of a list its elements'.
    fileprivate var knownTexts: [String] {
        switch self {
        case .scalar(let json): json.scalarText.map { [$0] } ?? []
        case .list(let list): list.elements.flatMap(\.value.knownTexts)
        case .unknown, .absent, .map: []
        }
    }

    /// At most six of the texts, for people.
    fileprivate var phrase: String {
        if case .unknown = self { return "(not known)" }
        let texts = knownTexts
        let rest = texts.count > 6 ? ", … (\(texts.count) in all)" : ""
        return texts.prefix(6).joined(separator: ", ") + rest
    }
}
