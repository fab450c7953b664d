internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

extension JSON {
    /// A text that is not empty.
    var filled: String? { string.flatMap { $0.isEmpty ? nil : $0 } }

    /// Stands for the id of what has none: the same each time it comes.
    var digest: String { "sha256:\(sha256(canonicalBytes))" }

    /// Seconds since 1970, as AWS's JSON protocols write times.
    static func seconds(_ time: Timestamp) -> JSON { .number(JSONNumber(Int(time.wholeSeconds))) }
}

/// The query of a URL.
struct URLQuery {
    /// As it stands behind the question mark.
    let text: String

    init(_ text: String) { self.text = text }

    init(link: String) { text = link.firstIndex(of: "?").map { String(link[link.index(after: $0)...]) } ?? "" }

    /// Names and values in their order, percent-decoded.
    var items: [(name: String, value: String)] {
        text.split(separator: "&").map { part in
            let name = part.prefix { $0 != "=" }
            return (URLQuery.decoded(name), URLQuery.decoded(part.dropFirst(name.count + 1)))
        }
    }

    /// Without its percent signs; what no two hexadecimal digits follow stays.
    ///
    /// - Parameter plus: what a plus stands for: itself in a link, a space in a form.
    static func decoded(_ text: some StringProtocol, plus: Character = "+") -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let digits = bytes[min(at + 1, bytes.count)..<min(at + 3, bytes.count)]
            if bytes[at] == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy(isHex),
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                out.append(byte)
                at += 3
            } else {
                out.append(bytes[at] == UInt8(ascii: "+") ? plus.asciiValue ?? bytes[at] : bytes[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
