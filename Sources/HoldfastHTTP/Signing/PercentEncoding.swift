/// Every byte percent-encoded but letters, digits and `-._~` (RFC 3986, section 2.3), in upper-case digits: what AWS
/// calls UriEncode.
func percentEncoded(_ bytes: some Sequence<UInt8>, keeping others: String = "") -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    let kept = Array(others.utf8)
    var out: [UInt8] = []
    for byte in bytes {
        if isUnreserved(byte) || kept.contains(byte) {
            out.append(byte)
        } else {
            out.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }
    return String(decoding: out, as: UTF8.self)
}

extension String {
    /// The text with every byte percent-encoded but letters, digits, `-._~` and the characters of `others`.
    package func percentEncoded(keeping others: String = "") -> String {
        HoldfastHTTP.percentEncoded(utf8, keeping: others)
    }

    /// The bytes with `%XX` taken back; a `%` that two hexadecimal digits don't follow stays.
    package var percentDecodedBytes: [UInt8] {
        let bytes = Array(utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = hexDigit(bytes[index + 1]), let low = hexDigit(bytes[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return out
    }
}

/// The body of a form (`application/x-www-form-urlencoded`) with its fields in this order.
package func formBody(_ fields: [(String, String)]) -> [UInt8] {
    Array(fields.map { "\($0.0.percentEncoded())=\($0.1.percentEncoded())" }.joined(separator: "&").utf8)
}

private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        true
    default: false
    }
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
