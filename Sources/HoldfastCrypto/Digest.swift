internal import COpenSSL

/// A SHA-256 digest, 32 bytes.
package struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// - Parameter bytes: 32 of them.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }
    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// 64 lower-case hexadecimal digits.
    package var description: String { hexText(bytes) }
}

/// Lower-case hexadecimal digits, two a byte.
package func hexText(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// SHA-256 (FIPS 180-4) of some bytes.
package func sha256(_ bytes: some Sequence<UInt8>) -> SHA256Digest {
    let input = Array(bytes)
    var out = [UInt8](repeating: 0, count: 32)
    _ = SHA256(input, input.count, &out)
    return SHA256Digest(unchecked: out)
}

/// HMAC-SHA-256 (RFC 2104) of some bytes.
package func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> SHA256Digest {
    var out = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    _ = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &out, &length)
    return SHA256Digest(unchecked: out)
}
