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
    /// Arrays and objects open at one time. The parser takes stack in proportion.
    package var depth = 256
    /// Two members of one name: an error, or the last one stays.
    package var rejectsDuplicateKeys = false
    package init(depth: Int = 256, rejectsDuplicateKeys: Bool = false) {
        self.depth = depth
        self.rejectsDuplicateKeys = rejectsDuplicateKeys
    }
}

extension JSON {
    /// The one value that a text by RFC 8259 holds. A byte order mark at its start is passed over.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .init()
    ) throws(JSONError) -> JSON {
        var parser = StrictParser(bytes: bytes.assumingMemoryBound(to: UInt8.self), limits: limits)
        return try parser.document()
    }

    /// See ``parse(_:limits:)`` of a buffer; for callers that hold no pointer.
    package static func parse(_ bytes: Span<UInt8>, limits: JSONLimits = .init()) throws(JSONError) -> JSON {
        try bytes.withUnsafeBytes { (bytes) throws(JSONError) in try parse(bytes, limits: limits) }
    }

    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .init()) throws(JSONError) -> JSON {
        try parse(bytes.span, limits: limits)
    }

    package static func parse(_ text: String, limits: JSONLimits = .init()) throws(JSONError) -> JSON {
        try parse(text.utf8.span, limits: limits)
    }
}

/// A cursor over the bytes of one text. Recursion is bounded by the depth limit.
///
/// It shares nothing with the scanner behind ``FieldSet``, so that each can be held against the other.
private struct StrictParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    var at = 0
    var depth = 0

    init(bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONError) -> JSON {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { at = 3 }
        skipSpace()
        let value = try value()
        skipSpace()
        guard at == bytes.count else { throw JSONError(.trailing, at: at) }
        return value
    }

    // MARK: Tokens

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    /// The byte under the cursor.
    private func peek() throws(JSONError) -> UInt8 {
        guard at < bytes.count else { throw JSONError(.unexpectedEnd, at: at) }
        return bytes[at]
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard try peek() == byte else { throw JSONError(.unexpectedByte, at: at) }
        at += 1
    }

    private mutating func expect(literal: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for index in 0..<literal.utf8CodeUnitCount { try expect(literal.utf8Start[index]) }
        return value
    }

    // MARK: Values

    private mutating func value() throws(JSONError) -> JSON {
        switch try peek() {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
        case UInt8(ascii: "t"): return try expect(literal: "true", .bool(true))
        case UInt8(ascii: "f"): return try expect(literal: "false", .bool(false))
        case UInt8(ascii: "n"): return try expect(literal: "null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw JSONError(.unexpectedByte, at: at)
        }
    }

    private mutating func nested(
        _ container: (inout StrictParser) throws(JSONError) -> JSON
    ) throws(JSONError) -> JSON {
        guard depth < limits.depth else { throw JSONError(.tooDeep, at: at) }
        depth += 1
        at += 1
        skipSpace()
        let value = try container(&self)
        depth -= 1
        return value
    }

    private mutating func array() throws(JSONError) -> JSON {
        var elements: [JSON] = []
        if try peek() == UInt8(ascii: "]") {
            at += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            if try !another(before: UInt8(ascii: "]")) { return .array(elements) }
        }
    }

    private mutating func object() throws(JSONError) -> JSON {
        var members: [JSONObject.Member] = []
        var starts: [Int] = []
        if try peek() == UInt8(ascii: "}") {
            at += 1
            return .object(JSONObject())
        }
        while true {
            if limits.rejectsDuplicateKeys { starts.append(at) }
            let name = try string()
            skipSpace()
            try expect(UInt8(ascii: ":"))
            skipSpace()
            members.append(JSONObject.Member(name: name, value: try value()))
            if try !another(before: UInt8(ascii: "}")) { break }
        }
        let object = JSONObject(members: members)
        if limits.rejectsDuplicateKeys, object.count < members.count {
            throw JSONError(.duplicateKey, at: StrictParser.firstRepeated(members, starts: starts))
        }
        return .object(object)
    }

    private static func firstRepeated(_ members: [JSONObject.Member], starts: [Int]) -> Int {
        var seen: Set<[UInt8]> = []
        for (member, start) in zip(members, starts) where !seen.insert(Array(member.name.utf8)).inserted {
            return start
        }
        return starts[0]
    }

    /// Passes over the comma between two elements, or over the end of their container.
    private mutating func another(before end: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        let byte = try peek()
        guard byte == end || byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: at) }
        at += 1
        if byte == end { return false }
        skipSpace()
        return true
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = at
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        if at < bytes.count, bytes[at] == UInt8(ascii: "0") { at += 1 } else { try digits() }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            try digits()
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        if at < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[at] {
            throw JSONError(.badNumber, at: start)
        }
        return JSONNumber(unchecked: String(decoding: bytes[start..<at], as: UTF8.self))
    }

    /// One digit or more.
    private mutating func digits() throws(JSONError) {
        let start = at
        while at < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[at] { at += 1 }
        guard at > start else { throw JSONError(at < bytes.count ? .badNumber : .unexpectedEnd, at: at) }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        try expect(UInt8(ascii: "\""))
        let start = at
        var isASCII = try skipUnescaped()
        if bytes[at] == UInt8(ascii: "\"") {
            at += 1
            let text = UnsafeBufferPointer(rebasing: bytes[start..<(at - 1)])
            // Where there is nothing to check, this is quick.
            return isASCII ? String(decoding: text, as: UTF8.self) : try StrictParser.text(text, at: start)
        }
        var unescaped = Array(bytes[start..<at])
        while bytes[at] != UInt8(ascii: "\"") {
            try escape(into: &unescaped)
            let run = at
            isASCII = try skipUnescaped() && isASCII
            unescaped.append(contentsOf: bytes[run..<at])
        }
        at += 1
        // What escapes stand for begins and ends on scalars: the raw runs decide whether the whole is UTF-8.
        if !isASCII {
            _ = try StrictParser.text(UnsafeBufferPointer(rebasing: bytes[start..<(at - 1)]), at: start)
        }
        return String(decoding: unescaped, as: UTF8.self)
    }

    /// To the quote or the backslash that ends a run of raw bytes; whether all of them are ASCII.
    private mutating func skipUnescaped() throws(JSONError) -> Bool {
        var seen: UInt8 = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return seen < 0x80 }
            guard byte >= 0x20 else { throw JSONError(.controlInString, at: at) }
            seen |= byte
            at += 1
        }
        throw JSONError(.unexpectedEnd, at: at)
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) throws(JSONError) -> String {
        do {
            return String(copying: try UTF8Span(validating: bytes.span))
        } catch {
            throw JSONError(.badUTF8, at: start + error.byteOffsets.lowerBound)
        }
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
        let start = at
        at += 1
        let byte = try peek()
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexCode()
            if 0xD800...0xDBFF ~= code {
                guard try peek() == UInt8(ascii: "\\") else { throw JSONError(.badEscape, at: start) }
                at += 1
                guard try peek() == UInt8(ascii: "u") else { throw JSONError(.badEscape, at: start) }
                at += 1
                let low = try hexCode()
                guard 0xDC00...0xDFFF ~= low else { throw JSONError(.badEscape, at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw JSONError(.badEscape, at: start) }
            unescaped.append(contentsOf: scalar.utf8)
        default: throw JSONError(.badEscape, at: start)
        }
    }

    private mutating func hexCode() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let byte = try peek()
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw JSONError(.badEscape, at: at)
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }
}
