/// The values of an id's variables, and of its surroundings. There are few, so that a list is quicker than a table.
package struct Variables: Sendable, ExpressibleByDictionaryLiteral {
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
            for pair in pairs where pair.name == name { return pair.value }
            switch name {
            case "account", "subscription", "project": return account.isEmpty ? nil : account
            case "region": return region.isEmpty ? nil : region
            case "partition": return ResourceType.partition(of: self["region"] ?? "")
            default: return nil
            }
        }
        set {
            pairs.removeAll { $0.name == name }
            if let newValue { pairs.append((name, newValue)) }
        }
    }

    /// Those of another one count where both have a value.
    mutating func merge(_ other: Variables) {
        if pairs.isEmpty {
            pairs = other.pairs
        } else {
            for pair in other.pairs { self[pair.name] = pair.value }
        }
    }
}
