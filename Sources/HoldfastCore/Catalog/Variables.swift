/// The values of an id's variables, and of its surroundings. There are few, so that a list is quicker than a table.
package struct Variables: Sendable, ExpressibleByDictionaryLiteral {
    /// Most ids have one variable of their own: it needs no list.
    private var first: (name: String, value: String)?
    private var pairs: [(name: String, value: String)] = []
    /// What stands for the account, the subscription or the project where none is named.
    var account = ""
    var region = ""

    package init() {}
    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self[name] = value }
    }

    package subscript(name: String) -> String? {
        get {
            if let first, first.name == name { return first.value }
            for pair in pairs where pair.name == name { return pair.value }
            switch name {
            case "account", "subscription", "project": return account.isEmpty ? nil : account
            case "region": return region.isEmpty ? nil : region
            case "partition": return ResourceType.partition(of: self["region"] ?? "")
            default: return nil
            }
        }
        set {
            if first?.name == name { first = nil }
            if !pairs.isEmpty { pairs.removeAll { $0.name == name } }
            guard let newValue else { return }
            if first == nil { first = (name, newValue) } else { pairs.append((name, newValue)) }
        }
    }

    /// Those of another one count where both have a value.
    mutating func merge(_ other: Variables) {
        if let pair = other.first { self[pair.name] = pair.value }
        for pair in other.pairs { self[pair.name] = pair.value }
    }
}
