/// Texts that come again and again, each made once: principals, operations, days.
struct TextPool {
    private struct Entry {
        var hash: UInt64
        var text: String
    }
    /// Open-addressed; at most half of them are taken, and all are given up when that is reached.
    private var entries: [Entry] = []
    private var count = 0
    private var day = ""
    private var midnight = Timestamp(seconds: 0)

    private static let size = 1 << 13

    /// The text of these bytes, which are UTF-8.
    mutating func text(_ bytes: Swift.Span<UInt8>) -> String {
        bytes.count <= 15 ? TextPool.made(bytes) : text(bytes, and: bytes.extracting(first: 0))
    }

    /// The two texts with a slash between them.
    mutating func path(_ first: Swift.Span<UInt8>, _ second: Swift.Span<UInt8>) -> String {
        text(first, and: second, isPath: true)
    }

    private mutating func text(
        _ first: Swift.Span<UInt8>, and second: Swift.Span<UInt8>, isPath: Bool = false
    ) -> String {
        if entries.isEmpty || count * 2 > TextPool.size {
            entries = Array(repeating: Entry(hash: 0, text: ""), count: TextPool.size)
            count = 0
        }
        // Ends differ most. Equal hashes of unequal texts cost a comparison and nothing else.
        let hash = (TextPool.tail(first) &* 31 &+ TextPool.tail(second)) | 1
        var place = Int(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> 51)
        while entries[place].hash != 0 {
            if entries[place].hash == hash, TextPool.equal(entries[place].text, first, second, isPath: isPath) {
                return entries[place].text
            }
            place = (place + 1) & (TextPool.size - 1)
        }
        let made = isPath ? "\(TextPool.made(first))/\(TextPool.made(second))" : TextPool.made(first)
        entries[place] = Entry(hash: hash, text: made)
        count += 1
        return made
    }

    /// A time as CloudTrail writes it, `2026-01-02T03:04:05Z`; `nil` for every other form.
    mutating func time(_ text: Swift.Span<UInt8>) -> Timestamp? {
        guard text.count == 20, text[10] == UInt8(ascii: "T"), text[19] == UInt8(ascii: "Z"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":")
        else { return nil }
        let date = text.extracting(first: 10)
        if !TextPool.equal(day, date, date.extracting(first: 0), isPath: false) {
            let made = TextPool.made(date)
            guard let start = Timestamp("\(made)T00:00:00Z") else { return nil }
            day = made
            midnight = start
        }
        guard let hour = TextPool.number(text, 11), let minute = TextPool.number(text, 14),
            let second = TextPool.number(text, 17), hour < 24, minute < 60, second < 60
        else { return nil }
        return midnight + Span(seconds: hour * 3600 + minute * 60 + second)
    }

    /// Two digits.
    private static func number(_ text: Swift.Span<UInt8>, _ start: Int) -> Int? {
        let tens = text[start] &- UInt8(ascii: "0")
        let ones = text[start + 1] &- UInt8(ascii: "0")
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }

    /// The last 24 bytes and the length, mixed.
    private static func tail(_ bytes: Swift.Span<UInt8>) -> UInt64 {
        var mixed = UInt64(bytes.count)
        for index in max(0, bytes.count - 24)..<bytes.count {
            mixed = (mixed ^ UInt64(bytes[index])) &* 0x100_0000_01B3
        }
        return mixed
    }

    private static func made(_ bytes: Swift.Span<UInt8>) -> String {
        unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    private static func equal(
        _ text: String, _ first: Swift.Span<UInt8>, _ second: Swift.Span<UInt8>, isPath: Bool
    ) -> Bool {
        let bytes = text.utf8.span
        guard bytes.count == first.count + second.count + (isPath ? 1 : 0) else { return false }
        for index in first.indices where bytes[index] != first[index] { return false }
        guard isPath else { return true }
        for index in second.indices where bytes[first.count + 1 + index] != second[index] { return false }
        return true
    }
}
