internal import COpenSSL

/// A public key that checks signatures.
package struct PublicKey: ~Copyable {
    private let key: OpaquePointer

    /// - Parameter der: an RSA key as PKCS #1 has it (`RSAPublicKey`, what CloudTrail lists), or any as X.509 has it
    ///   (`SubjectPublicKeyInfo`).
    package init(der: [UInt8]) throws(CryptoFailure) {
        let found = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            defer { ERR_clear_error() }
            var start = buffer.baseAddress
            if let key = d2i_PublicKey(EVP_PKEY_RSA, nil, &start, buffer.count) { return key }
            start = buffer.baseAddress
            return d2i_PUBKEY(nil, &start, buffer.count)
        }
        guard let found else {
            throw CryptoFailure(.noKey, "these bytes are no public key in DER form (PKCS #1 or X.509)")
        }
        key = found
    }

    deinit { EVP_PKEY_free(key) }

    /// Whether a signature over SHA-256 of the bytes is this key's: RSASSA-PKCS1-v1_5, or ECDSA in DER.
    package func verifies(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
    }
}

/// The bytes that hexadecimal digits stand for; `nil` where the text is something else.
package func bytes(hex text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else { return nil }
        out.append(high << 4 | low)
    }
    return out
}

private func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 65...70: digit - 55
    case 97...102: digit - 87
    default: nil
    }
}
