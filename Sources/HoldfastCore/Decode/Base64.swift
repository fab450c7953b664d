/// The bytes behind a text in base64 (RFC 4648, both alphabets, with or without padding, line breaks passed over);
/// `nil` for any other text.
package func bytes(fromBase64 text: String) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count / 4 * 3)
    var word: UInt32 = 0
    var digits = 0
    var padding = 0
    for byte in text.utf8 {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): digit = 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): digit = 63
        case UInt8(ascii: "="):
            padding += 1
            continue
        case 0x0A, 0x0D, 0x20, 0x09: continue
        default: return nil
        }
        guard padding == 0 else { return nil }
        word = word << 6 | UInt32(digit)
        digits += 1
        if digits % 4 == 0 {
            out.append(contentsOf: [UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)])
            word = 0
        }
    }
    switch digits % 4 {
    case 1: return nil
    case 2: out.append(UInt8(word >> 4 & 255))
    case 3: out.append(contentsOf: [UInt8(word >> 10 & 255), UInt8(word >> 2 & 255)])
    default: break
    }
    return padding <= 2 ? out : nil
}
