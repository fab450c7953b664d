/// A JSON value as a tree. For parts of events, for the bodies of calls and for states under evaluation; events in
/// the intake lane are read in place through a ``FieldSet`` and never become one of these whole.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    /// Strings are equal where their bytes are: Unicode's equivalent spellings are different values of a cloud.
    package static func == (a: JSON, b: JSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.number(let x), .number(let y)): x == y
        case (.string(let x), .string(let y)): x.equalsInUTF8(y)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }
}

/// A JSON number, kept as it was written: `1`, `1.0` and `1e0` are different texts of one number, and equal.
package struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
    /// The text by the grammar of RFC 8259, section 6.
    package let text: String

    /// - Parameter text: a number by the JSON grammar; the caller has checked it.
    package init(unchecked text: String) { self.text = text }
    package init(_ value: Int) { text = String(value) }

    /// The value, where it is a whole number that fits.
    package var int: Int? {
        if let int = Int(text) { return int }
        guard let double = Double(text), double == double.rounded(), abs(double) < 0x1p53 else { return nil }
        return Int(double)
    }
    /// The nearest double; infinite where the number is larger than any.
    package var double: Double { Double(text) ?? .nan }
    package var description: String { text }

    package static func == (a: JSONNumber, b: JSONNumber) -> Bool {
        if a.text == b.text { return true }
        if let x = a.int, let y = b.int { return x == y }
        return a.int == nil && b.int == nil && a.double == b.double
    }
    package func hash(into hasher: inout Hasher) {
        if let int { hasher.combine(int) } else { hasher.combine(double) }
    }
}

/// The members of a JSON object, sorted by the bytes of their names, each name once.
package struct JSONObject: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package let name: String
        package var value: JSON

        package static func == (a: Member, b: Member) -> Bool { a.name.equalsInUTF8(b.name) && a.value == b.value }
    }
    /// Sorted by the UTF-8 bytes of the name.
    package private(set) var members: [Member]

    package init() { members = [] }

    /// Members in any order; of two with one name the last stays.
    package init(_ pairs: some Sequence<(String, JSON)>) {
        self.init(members: pairs.map { Member(name: $0.0, value: $0.1) })
    }

    /// Members in any order; of two with one name the last stays.
    init(members: [Member]) {
        self.members = members
        if zip(members, members.dropFirst()).allSatisfy({ $0.name.precedesInUTF8($1.name) }) { return }
        // Most names differ within eight bytes. Equal names keep their order, so that the last of them is the last
        // written.
        let keys = members.indices.map { (prefix: members[$0].name.utf8Prefix, index: $0) }
        let order = keys.sorted { a, b in
            if a.prefix != b.prefix { return a.prefix < b.prefix }
            if members[a.index].name.precedesInUTF8(members[b.index].name) { return true }
            return a.index < b.index && !members[b.index].name.precedesInUTF8(members[a.index].name)
        }
        self.members.removeAll(keepingCapacity: true)
        for (_, index) in order {
            if self.members.last?.name.equalsInUTF8(members[index].name) == true { self.members.removeLast() }
            self.members.append(members[index])
        }
    }

    package var isEmpty: Bool { members.isEmpty }
    package var count: Int { members.count }
    package var names: [String] { members.map(\.name) }

    package subscript(name: String) -> JSON? {
        get {
            let index = lowerBound(name)
            return index < members.count && members[index].name.equalsInUTF8(name) ? members[index].value : nil
        }
        set {
            let index = lowerBound(name)
            let found = index < members.count && members[index].name.equalsInUTF8(name)
            switch (newValue, found) {
            case (let value?, true): members[index].value = value
            case (let value?, false): members.insert(Member(name: name, value: value), at: index)
            case (nil, true): members.remove(at: index)
            case (nil, false): break
            }
        }
    }

    private func lowerBound(_ name: String) -> Int {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].name.precedesInUTF8(name) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension String {
    /// Order by UTF-8 bytes: the same on every machine and in every locale.
    package func precedesInUTF8(_ other: String) -> Bool {
        let (a, b) = (utf8Prefix, other.utf8Prefix)
        return a != b ? a < b : utf8.lexicographicallyPrecedes(other.utf8)
    }
    /// The first eight bytes as one number, in the order of the texts; zeros where there are fewer.
    fileprivate var utf8Prefix: UInt64 {
        let bytes = utf8.span
        var prefix: UInt64 = 0
        for index in 0..<min(8, bytes.count) { prefix |= UInt64(bytes[index]) << UInt64(56 - 8 * index) }
        return prefix
    }
    /// Equal bytes; `==` on its own also holds between spellings that Unicode calls equivalent.
    @inlinable package func equalsInUTF8(_ other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
}

extension JSON {
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var int: Int? { if case .number(let value) = self { value.int } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// The member of an object, `nil` where there is none or this is no object.
    package subscript(name: String) -> JSON? { object?[name] }

    /// A scalar as text: strings as they are, numbers as written, `true` and `false`; `nil` for the rest.
    package var scalarText: String? {
        switch self {
        case .string(let value): value
        case .number(let value): value.text
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    /// What kind of value this is, for messages.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "a map"
        }
    }
}
