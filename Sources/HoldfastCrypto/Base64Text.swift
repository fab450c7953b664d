/// Base64 (RFC 4648, section 4) with padding.
package func base64Text(_ bytes: some Sequence<UInt8>) -> String {
    encoded(Array(bytes), alphabet: standardAlphabet, pads: true)
}

/// Base64url (RFC 4648, section 5) without padding, as JSON Web Signatures have it (RFC 7515, section 2).
package func base64URLText(_ bytes: some Sequence<UInt8>) -> String {
    encoded(Array(bytes), alphabet: urlAlphabet, pads: false)
}

private let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
private let standardAlphabet = Array((letters + "+/").utf8)
private let urlAlphabet = Array((letters + "-_").utf8)

private func encoded(_ bytes: [UInt8], alphabet: [UInt8], pads: Bool) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
        let count = min(3, bytes.count - index)
        var group: UInt32 = 0
        for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0) }
        for digit in 0..<4 where digit <= count {
            out.append(alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)])
        }
        if pads { out.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - count)) }
        index += 3
    }
    return String(decoding: out, as: UTF8.self)
}
