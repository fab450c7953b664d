internal import HoldfastJSON

/// Tags and labels, which every cloud keeps in its own way, as one map from name to text.
package enum Labels {
    /// Where a type may keep them; the first that it has counts.
    static let paths = [
        PropertyPath(names: "Tags"), PropertyPath(names: "tags"), PropertyPath(names: "labels"),
        PropertyPath(names: "settings", "userLabels"),
    ]

    /// The path at which a type keeps them, or `nil` where it has none.
    package static func path(in type: ResourceType) -> PropertyPath? { paths.first { type.has($0) } }

    /// The labels of a resource: a map, or unknown. A type that keeps none has an empty map.
    package static func read(_ document: StateValue, of type: ResourceType) -> StateValue {
        guard let path = path(in: type) else { return .map(StateMap([])) }
        switch document[path] {
        case .unknown(let reason): return .unknown(reason)
        case .absent, .scalar: return .map(StateMap([]))
        case .map(let map): return .map(map)
        case .list(let list): return read(list)
        }
    }

    /// AWS writes a list of `{Key, Value}`, or `{TagKey, TagValue}`.
    private static func read(_ list: StateList) -> StateValue {
        var pairs: [(String, StateValue)] = []
        var openBecause = list.openBecause
        for element in list.elements {
            guard case .map(let map) = element.value else {
                openBecause = openBecause ?? element.value.unknownReason
                continue
            }
            let isShort = map["Key"] != .absent
            guard case .scalar(let name) = map[isShort ? "Key" : "TagKey"], let text = name.scalarText else {
                openBecause = openBecause ?? element.value.unknownReason
                continue
            }
            pairs.append((text, map[isShort ? "Value" : "TagValue"]))
        }
        return .map(StateMap(pairs, openBecause: openBecause))
    }
}

extension StateValue {
    /// The same with each element of a list that has a key by the catalog carrying it.
    package func keyed(by type: ResourceType) -> StateValue { keyed(by: type.keys, at: PropertyPath()) }

    private func keyed(by keys: ListKeys, at path: PropertyPath) -> StateValue {
        switch self {
        case .unknown, .absent, .scalar: return self
        case .list(let list):
            let elements = list.elements.map { element in
                StateList.Element(
                    key: element.key ?? keys.key(of: element.value.json, in: path),
                    value: element.value.keyed(by: keys, at: path.appending(.each)))
            }
            return .list(StateList(elements, openBecause: list.openBecause))
        case .map(let map):
            let members = map.members.map { ($0.name, $0.value.keyed(by: keys, at: path.appending(.name($0.name)))) }
            return .map(StateMap(members, openBecause: map.openBecause))
        }
    }

    /// The same with another value at a path of names and indexes; maps are made where there are none, and an index
    /// one past a list's end appends.
    package func setting(_ value: StateValue, at path: PropertyPath) -> StateValue { setting(value, path.steps[...]) }

    private func setting(_ value: StateValue, _ steps: ArraySlice<PropertyPath.Step>) -> StateValue {
        switch (steps.first, self) {
        case (nil, _): return value
        case (.name(let name)?, .map(var map)):
            map[name] = map[name].setting(value, steps.dropFirst())
            return .map(map)
        case (.name(let name)?, _):
            return .map(StateMap([(name, StateValue.absent.setting(value, steps.dropFirst()))]))
        case (.index(let index)?, .list(var list)):
            if index < list.elements.count {
                list.elements[index].value = list.elements[index].value.setting(value, steps.dropFirst())
            } else {
                list.elements.append(.init(value: StateValue.absent.setting(value, steps.dropFirst())))
            }
            return .list(list)
        case (.index?, _):
            return .list(StateList([.init(value: StateValue.absent.setting(value, steps.dropFirst()))]))
        case (.each?, _): return self
        }
    }
}
