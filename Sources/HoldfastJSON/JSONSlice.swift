/// The place of one value inside a text that a ``FieldSet`` has scanned. Every reading takes the bytes of that text
/// again; with the bytes of another text a reading may give nonsense or trap, never touch memory outside of them.
package struct JSONSlice: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        /// The text has no such member.
        case absent
        case null, `false`, `true`, number, string, array, object
    }
    /// Bytes from the start of the whole text. A string's place is between its quotes.
    @usableFromInline let start: UInt32
    @usableFromInline let length: UInt32
    package let kind: Kind
    /// A string that holds escapes, so that its bytes are not its text.
    package let isEscaped: Bool

    package static let absent = JSONSlice(start: 0, end: 0, kind: .absent)

    /// A text that is one object from its first byte to its last.
    package static func whole(_ count: Int) -> JSONSlice { JSONSlice(start: 0, end: count, kind: .object) }

    @inline(__always)
    init(start: Int, end: Int, kind: Kind, isEscaped: Bool = false) {
        self.start = UInt32(truncatingIfNeeded: start)
        length = UInt32(truncatingIfNeeded: end &- start)
        self.kind = kind
        self.isEscaped = isEscaped
    }

    /// Where the value's bytes are, counted from the start of the whole text; a string's without its quotes.
    @inlinable @inline(__always) package var range: Range<Int> {
        Range(uncheckedBounds: (Int(start), Int(start) &+ Int(length)))
    }
    @inlinable @inline(__always) package var isAbsent: Bool { kind == .absent }

    /// The truth value, where this is one.
    @inlinable package var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The text of a string, escapes resolved; `nil` for every other kind.
    package func string(in bytes: Span<UInt8>) -> String? {
        guard kind == .string else { return nil }
        if isEscaped { return try? tree(in: bytes)?.string }
        return bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether this is a string of exactly these bytes.
    package func equals(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        if isEscaped { return string(in: bytes)?.equalsInUTF8(text.description) == true }
        return text.withUTF8Buffer { equals(UnsafeRawBufferPointer($0), in: bytes) }
    }

    /// Whether this is a string of exactly these bytes.
    package func equals(_ text: String, in bytes: Span<UInt8>) -> Bool {
        if isEscaped { return string(in: bytes)?.equalsInUTF8(text) == true }
        return text.utf8.span.withUnsafeBytes { equals($0, in: bytes) }
    }

    private func equals(_ text: UnsafeRawBufferPointer, in bytes: Span<UInt8>) -> Bool {
        guard kind == .string, text.count == Int(length) else { return false }
        return bytes.extracting(range).withUnsafeBytes { $0.elementsEqual(text) }
    }

    /// The value's bytes at the end of others, and its place there.
    package func copied(from bytes: Span<UInt8>, to other: inout [UInt8]) -> JSONSlice {
        if kind == .absent { return self }
        let quote = kind == .string ? 1 : 0
        let start = other.count + quote
        bytes.extracting((range.lowerBound - quote)..<(range.upperBound + quote)).withUnsafeBufferPointer {
            other.append(contentsOf: $0)
        }
        return JSONSlice(start: start, end: start + range.count, kind: kind, isEscaped: isEscaped)
    }

    /// The value as a tree; `nil` where it is absent. Throws for two members of one name where the limits say so;
    /// offsets in errors count from the start of the whole text.
    package func tree(in bytes: Span<UInt8>, limits: JSONLimits = .init()) throws(JSONError) -> JSON? {
        if kind == .absent { return nil }
        let quote = kind == .string ? 1 : 0
        let whole = (range.lowerBound - quote)..<(range.upperBound + quote)
        do {
            return try JSON.parse(bytes.extracting(whole), limits: limits)
        } catch {
            throw JSONError(error.reason, at: error.offset + whole.lowerBound)
        }
    }
}

/// The elements of an array, one by one, each found when it is asked for.
package struct JSONElements: Sendable {
    /// Where the next element starts, or the bracket that ends the array.
    private var next: Int
    private let end: Int
    private var isFirst = true

    /// - Parameter array: of kind `array`; of any other kind has no elements.
    package init(_ array: JSONSlice) {
        next = array.kind == .array ? array.range.lowerBound + 1 : array.range.upperBound
        end = array.range.upperBound
    }

    /// The next element, `nil` after the last.
    package mutating func next(in bytes: Span<UInt8>) -> JSONSlice? {
        bytes.withUnsafeBytes { bytes in
            guard let scanner = Scanner(bytes), let start = startOfNext(scanner),
                let (slice, after) = scanner.slice(at: start, depth: 64)
            else {
                return nil
            }
            next = after
            return slice
        }
    }

    /// The next element with its fields, `nil` after the last. The outcome is `unusual` also where the element is no
    /// object; the element can then be read as a tree.
    package mutating func next(
        in bytes: Span<UInt8>, fields: FieldSet, into slots: inout [JSONSlice]
    ) -> (element: JSONSlice, outcome: FieldSet.Outcome)? {
        bytes.withUnsafeBytes { bytes in
            guard let scanner = Scanner(bytes), let start = startOfNext(scanner) else { return nil }
            let end = fields.scan(scanner, from: start, into: &slots)
            if end >= 0 {
                next = end
                return (JSONSlice(start: start, end: end, kind: .object), .fields)
            }
            guard let (element, end) = scanner.slice(at: start, depth: 64) else { return nil }
            next = end
            return (element, .unusual)
        }
    }

    /// Where the next element starts.
    private mutating func startOfNext(_ scanner: Scanner) -> Int? {
        guard next < end else { return nil }
        var at = scanner.skipSpace(next)
        if !isFirst {
            guard scanner.byte(at) == UInt8(ascii: ",") else { return nil }
            at = scanner.skipSpace(at + 1)
        }
        isFirst = false
        return at < end ? at : nil
    }
}
