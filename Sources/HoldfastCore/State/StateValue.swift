package import HoldfastJSON

/// What is known of a property: rules read these, never plain JSON, so that what nobody has read stays *unknown* and
/// can neither pass nor be fixed.
package indirect enum StateValue: Sendable, Hashable {
    /// Not known, with the reason as a phrase: "never read", "two events in one second".
    case unknown(String)
    /// Known not to be there.
    case absent
    /// Null, a boolean, a number or a text.
    case scalar(JSON)
    case list(StateList)
    case map(StateMap)
}

/// The elements of a list that are known.
package struct StateList: Sendable, Hashable {
    package struct Element: Sendable, Hashable {
        /// The catalog's key of the element (`sgr-0a1b`, a statement's Sid), where the list has keys.
        package var key: String?
        package var value: StateValue
        package init(key: String? = nil, value: StateValue) {
            self.key = key
            self.value = value
        }
    }
    package var elements: [Element]
    /// `nil` where these are all the elements; else why there may be others.
    package var openBecause: String?

    package init(_ elements: [Element], openBecause: String? = nil) {
        self.elements = elements
        self.openBecause = openBecause
    }
}

/// The members of a map that are known.
package struct StateMap: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: StateValue
    }
    /// Sorted by the bytes of the name, each name once.
    package private(set) var members: [Member]
    /// `nil` where these are all the members; else why there may be others.
    package var openBecause: String?

    package init(_ pairs: some Sequence<(String, StateValue)>, openBecause: String? = nil) {
        members = pairs.map { Member(name: $0.0, value: $0.1) }.sorted { $0.name.precedesInUTF8($1.name) }
        self.openBecause = openBecause
    }

    /// The member's value; where there is none, `absent` in a closed map and `unknown` in an open one.
    package subscript(name: String) -> StateValue {
        get {
            if let member = members.first(where: { $0.name == name }) { return member.value }
            return openBecause.map(StateValue.unknown) ?? .absent
        }
        set {
            if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].value = newValue
            } else {
                let index = members.firstIndex { name.precedesInUTF8($0.name) } ?? members.endIndex
                members.insert(Member(name: name, value: newValue), at: index)
            }
        }
    }
}

extension StateValue {
    /// A value all of which is known. JSON's null is `absent`: clouds use both for "not set".
    package init(known json: JSON) {
        switch json {
        case .null: self = .absent
        case .bool, .number, .string: self = .scalar(json)
        case .array(let elements): self = .list(StateList(elements.map { .init(value: StateValue(known: $0)) }))
        case .object(let object):
            self = .map(StateMap(object.members.map { ($0.name, StateValue(known: $0.value)) }))
        }
    }

    /// A resource's configuration as a snapshot gives it: a top-level property that it does not name was not read and
    /// is unknown, one that is null is absent, and within a property everything is known.
    package init(snapshot json: JSON) {
        let members = json.object?.members.map { ($0.name, StateValue(known: $0.value)) } ?? []
        self = .map(StateMap(members, openBecause: "not in the snapshot"))
    }

    /// The value at a path of names and indexes; `absent` below a scalar or past a list's end.
    package subscript(path: PropertyPath) -> StateValue {
        var value = self
        for step in path.steps {
            switch (step, value) {
            case (_, .unknown), (_, .absent): return value
            case (.name(let name), .map(let map)): value = map[name]
            case (.index(let index), .list(let list)):
                if index < list.elements.count {
                    value = list.elements[index].value
                } else {
                    value = list.openBecause.map(StateValue.unknown) ?? .absent
                }
            default: return .absent
            }
        }
        return value
    }

    /// The value as JSON, with unknown and absent members left out: for messages, plans and findings.
    package var json: JSON {
        switch self {
        case .unknown, .absent: .null
        case .scalar(let json): json
        case .list(let list): .array(list.elements.map(\.value.json))
        case .map(let map):
            .object(
                JSONObject(
                    map.members.compactMap { member in
                        switch member.value {
                        case .unknown, .absent: nil
                        default: (member.name, member.value.json)
                        }
                    }))
        }
    }

    /// Why something in here is not known, or `nil` where all of it is.
    package var unknownReason: String? {
        switch self {
        case .unknown(let reason): reason
        case .absent, .scalar: nil
        case .list(let list): list.openBecause ?? list.elements.lazy.compactMap(\.value.unknownReason).first
        case .map(let map): map.openBecause ?? map.members.lazy.compactMap(\.value.unknownReason).first
        }
    }
}
