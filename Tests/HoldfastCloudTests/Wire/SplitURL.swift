import HoldfastJSON

/// A URL in parts; the query decoded and sorted, as a JSON list of pairs.
struct SplitURL {
    var host: String
    var path: String
    var query: String

    init(_ url: String) {
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        let end = url[start...].firstIndex(of: "/") ?? url.endIndex
        host = String(url[..<end])
        path = String(url[end...].prefix { $0 != "?" })
        let items = url.drop { $0 != "?" }.dropFirst().split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.map { SplitURL.decoded($0) } + (parts.count == 1 ? [""] : [])
        }
        let sorted = items.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        query = JSON.array(sorted.map { .array($0.map { .string($0) }) }).canonicalText
    }

    private static func decoded(_ text: Substring) -> String {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
