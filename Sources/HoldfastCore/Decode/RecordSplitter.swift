internal import HoldfastJSON

/// Finds where the elements of a list begin and end by quotes and brackets alone, so that the whole ones can be read
/// from a text that is broken somewhere.
struct RecordSplitter {
    /// Where the next element may begin.
    private var at: Int
    private let start: Int
    private var isClosed = false
    private var isLastBroken = false
    /// The name of the first element's first member, with its quotes: the records of one list begin alike.
    private var opening: [UInt8] = []

    /// - Parameter start: the index after the bracket that begins the list.
    init(after start: Int) {
        at = start
        self.start = start
    }

    /// The next element; `nil` after the last. One that is broken reaches to where a record begins as the first did.
    mutating func next(in text: Swift.Span<UInt8>) -> Range<Int>? {
        guard !isClosed else { return nil }
        let first = LenientText.skipSpace(text, at)
        guard first < text.count else { return nil }
        var end = LenientText.skipValue(text, first)
        if end == first, text[end] == UInt8(ascii: "]") {
            isClosed = true
            at = end + 1
            return nil
        }
        if opening.isEmpty { opening = LenientText.opening(text, first) }
        isLastBroken = !RecordSplitter.isJSON(text.extracting(first..<end))
        if isLastBroken, let resumed = resumption(text, after: first) { end = resumed }
        isClosed = end < text.count && text[end] == UInt8(ascii: "]")
        at = min(end + 1, text.count)
        return first..<end
    }

    /// The comma before the next place where a record begins as the first one did.
    private func resumption(_ text: Swift.Span<UInt8>, after start: Int) -> Int? {
        guard !opening.isEmpty else { return nil }
        var comma = start
        while comma < text.count {
            if text[comma] == UInt8(ascii: ","),
                LenientText.opening(text, LenientText.skipSpace(text, comma + 1)) == opening
            {
                return comma
            }
            comma += 1
        }
        return nil
    }

    /// What is wrong with the text around the elements, once they have all been taken.
    func faultOutside(in text: Swift.Span<UInt8>) -> JSONError? {
        if !isClosed { return isLastBroken ? nil : JSONError(.unexpectedEnd, at: text.count) }
        var around: [UInt8] = []
        for index in 0..<start { around.append(text[index]) }
        around.append(UInt8(ascii: "]"))
        for index in at..<text.count { around.append(text[index]) }
        do {
            _ = try JSON.parse(around, limits: JSONLimits(rejectsDuplicateKeys: true))
            return nil
        } catch {
            return JSONError(error.reason, at: error.offset < start ? error.offset : error.offset + at - start - 1)
        }
    }

    private static let object = FieldSet(["eventName"])

    private static func isJSON(_ element: Swift.Span<UInt8>) -> Bool {
        var slots: [JSONSlice] = []
        return object.scan(element, into: &slots) == .fields || (try? JSON.parse(element)) != nil
    }
}

/// Reading of text that may not be JSON: every function takes an index, and the end of the text is an answer too.
enum LenientText {
    /// What lies between a byte order mark and the space around it.
    static func content(of bytes: Swift.Span<UInt8>) -> Range<Int> {
        var start = 0
        var end = bytes.count
        if end > 1, bytes[0] == UInt8(ascii: "{"), bytes[end - 1] == UInt8(ascii: "}") { return 0..<end }
        if end >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
        start = skipSpace(bytes, start)
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    /// The list of records in a text that begins with a brace: its name, and the index after its bracket.
    static func list(in text: Swift.Span<UInt8>) -> (name: String, start: Int)? {
        var at = 1
        while true {
            at = skipSpace(text, at)
            guard at < text.count, text[at] == UInt8(ascii: "\"") else { return nil }
            let end = skipString(text, at)
            let name = string(text, (at + 1)..<max(at + 1, end - 1))
            at = skipSpace(text, end)
            guard at < text.count, text[at] == UInt8(ascii: ":") else { return nil }
            at = skipSpace(text, at + 1)
            if at < text.count, text[at] == UInt8(ascii: "["), RecordShape.lists.contains(where: { $0.name == name }) {
                return (name, at + 1)
            }
            at = skipValue(text, at)
            guard at < text.count, text[at] == UInt8(ascii: ",") else { return nil }
            at += 1
        }
    }

    /// Of an object that begins here, the name of its first member with its quotes; else empty.
    static func opening(_ text: Swift.Span<UInt8>, _ start: Int) -> [UInt8] {
        guard start < text.count, text[start] == UInt8(ascii: "{") else { return [] }
        let quote = skipSpace(text, start + 1)
        guard quote < text.count, text[quote] == UInt8(ascii: "\"") else { return [] }
        return Array(string(text, quote..<skipString(text, quote)).utf8)
    }

    /// To the comma or the bracket that ends a list's element.
    static func skipValue(_ text: Swift.Span<UInt8>, _ start: Int) -> Int {
        var depth = 0
        var at = start
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""):
                at = skipString(text, at)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ",") where depth == 0: return at
            case UInt8(ascii: "]") where depth == 0: return at
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth = max(0, depth - 1)
            default: break
            }
            at += 1
        }
        return at
    }

    /// To the index after the quote that ends a string.
    private static func skipString(_ text: Swift.Span<UInt8>, _ start: Int) -> Int {
        var at = start + 1
        while at < text.count {
            if text[at] == UInt8(ascii: "\"") { return at + 1 }
            at += text[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return text.count
    }

    static func skipSpace(_ text: Swift.Span<UInt8>, _ start: Int) -> Int {
        var at = start
        while at < text.count, isSpace(text[at]) { at += 1 }
        return at
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private static func string(_ text: Swift.Span<UInt8>, _ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        for index in range { bytes.append(text[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
