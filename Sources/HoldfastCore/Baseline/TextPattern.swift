/// A pattern for a whole text, with `*` for any run of characters and `?` for one. No regular expressions: matching is
/// bounded by the product of the two lengths, whatever the pattern and the text.
package struct TextPattern: Sendable, Hashable {
    private let pattern: [UInt8]

    package init(_ pattern: some StringProtocol) { self.pattern = Array(pattern.utf8) }

    package func matches(_ text: some StringProtocol) -> Bool {
        let text = Array(text.utf8)
        var (p, t) = (0, 0)
        // Where the last star stood, and up to where of the text it has been taken to reach.
        var star: Int?
        var reached = 0
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = p
                reached = t
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] {
                p += 1
                t += 1
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") {
                p += 1
                t = TextPattern.next(after: t, in: text)
            } else if let star {
                p = star + 1
                reached += 1
                t = reached
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// The start of the next character: `?` is one character of UTF-8, not one byte.
    private static func next(after index: Int, in text: [UInt8]) -> Int {
        var index = index + 1
        while index < text.count, text[index] & 0xC0 == 0x80 { index += 1 }
        return index
    }
}
