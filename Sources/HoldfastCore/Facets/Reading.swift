internal import HoldfastJSON

/// A value taken from a state: known, or not with the reason as a phrase.
enum Reading<Value> {
    case known(Value)
    case unknown(String)

    var value: Value? { if case .known(let value) = self { value } else { nil } }
    var reason: String? { if case .unknown(let reason) = self { reason } else { nil } }

    func map<Other>(_ transform: (Value) -> Reading<Other>) -> Reading<Other> {
        switch self {
        case .known(let value): transform(value)
        case .unknown(let reason): .unknown(reason)
        }
    }
}
extension Reading: Sendable where Value: Sendable {}

extension StateValue {
    /// The member of a map; `absent` in anything else that is known.
    subscript(member name: String) -> StateValue {
        switch self {
        case .map(let map): map[name]
        case .unknown: self
        default: .absent
        }
    }

    /// A scalar as text, `nil` where it is absent.
    func text(_ what: String) -> Reading<String?> {
        switch self {
        case .unknown(let reason): .unknown(reason)
        case .absent: .known(nil)
        case .scalar(let json): .known(json.scalarText)
        case .list, .map: .unknown("\(what) is not a text")
        }
    }

    /// A whole number, which may be written as text.
    func int(_ what: String) -> Reading<Int?> {
        text(what).map { text in
            guard let text else { return .known(nil) }
            guard let int = JSONNumber(unchecked: text).int else { return .unknown("\(what) “\(text)” is no number") }
            return .known(int)
        }
    }

    /// `true` and `false`, which may be written as text; absent is the default.
    func bool(_ what: String, default ifAbsent: Bool) -> Reading<Bool> {
        text(what).map { text in
            switch text?.lowercased() {
            case nil: .known(ifAbsent)
            case "true"?: .known(true)
            case "false"?: .known(false)
            default: .unknown("\(what) “\(text ?? "")” is neither true nor false")
            }
        }
    }

    /// A text or a list of texts; absent is none.
    func texts(_ what: String) -> Reading<[String]> {
        guard case .list(let list) = self else { return text(what).map { .known($0.map { [$0] } ?? []) } }
        if let reason = list.openBecause { return .unknown(reason) }
        var texts: [String] = []
        for element in list.elements {
            switch element.value.text(what) {
            case .unknown(let reason): return .unknown(reason)
            case .known(let text): if let text { texts.append(text) }
            }
        }
        return .known(texts)
    }

    /// The elements of a list, with why there may be others. Absent is an empty list; a single value is a list of
    /// one, with no index in its path.
    func elements(at path: PropertyPath) -> (elements: [(source: FacetSource, value: StateValue)], open: String?) {
        switch self {
        case .unknown(let reason): return ([], reason)
        case .absent: return ([], nil)
        case .scalar, .map: return ([(FacetSource(path: path, key: nil, actual: json), self)], nil)
        case .list(let list):
            return (
                list.elements.enumerated().map { index, element in
                    let path = path.appending(.index(index))
                    return (FacetSource(path: path, key: element.key, actual: element.value.json), element.value)
                }, list.openBecause
            )
        }
    }
}
