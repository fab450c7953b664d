/// Why a text is not JSON, and where.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case unexpectedEnd = "ends in the middle of a value"
        case unexpectedByte = "has a byte that cannot stand here"
        case badEscape = "has an escape that JSON does not know"
        case badNumber = "has a number that is not written as JSON writes them"
        case badUTF8 = "is not UTF-8"
        case controlInString = "has a raw control character in a string"
        case tooDeep = "nests deeper than the limit"
        case trailing = "goes on after the value"
        case duplicateKey = "has two members of one name"
    }
    package var reason: Reason
    /// Bytes from the start of the text.
    package var offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
    package var description: String { "the JSON \(reason.rawValue), at byte \(offset)" }
}

/// What the parsers accept beyond the grammar.
package struct JSONLimits: Sendable {
    /// Arrays and objects open at one time.
    package var depth = 256
    /// Two members of one name: an error, or the last one stays.
    package var rejectsDuplicateKeys = false
    package init(depth: Int = 256, rejectsDuplicateKeys: Bool = false) {
        self.depth = depth
        self.rejectsDuplicateKeys = rejectsDuplicateKeys
    }
}
