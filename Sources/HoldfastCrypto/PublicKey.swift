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

    /// - Parameter pem: as X.509 has it (`BEGIN PUBLIC KEY`), which `openssl pkey -pubout` writes.
    package init(pem: String) throws(CryptoFailure) {
        guard let found = withPEM(pem, { PEM_read_bio_PUBKEY($0, nil, { _, _, _, _ in -1 }, nil) }) else {
            throw CryptoFailure(.noKey, "there is no public key in PEM form (BEGIN PUBLIC KEY) that can be read")
        }
        key = found
    }

    deinit { EVP_PKEY_free(key) }

    /// Tells this key from others: the first 16 hexadecimal digits of SHA-256 over the key as X.509 has it.
    package var id: String { publicKeyID(key) }

    /// Whether a signature in the form of JSON Web Signatures is this key's (``SigningKey/sign(_:by:)``).
    package func verifies(_ signature: [UInt8], of bytes: [UInt8], by algorithm: SigningKey.Algorithm) -> Bool {
        switch (algorithm, EVP_PKEY_get_base_id(key)) {
        case (.rs256, EVP_PKEY_RSA): return verifies(signature, of: bytes)
        case (.es256, EVP_PKEY_EC): return derSignature(signature).map { verifies($0, of: bytes) } ?? false
        case (.edDSA, EVP_PKEY_ED25519): return verifies(signature, of: bytes, digest: nil)
        default: return false
        }
    }

    /// Whether a signature over SHA-256 of the bytes is this key's: RSASSA-PKCS1-v1_5, or ECDSA in DER.
    package func verifies(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        verifies(signature, of: bytes, digest: EVP_sha256())
    }

    private func verifies(_ signature: [UInt8], of bytes: [UInt8], digest: OpaquePointer?) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard EVP_DigestVerifyInit(context, nil, digest, nil, key) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
    }

    /// An ECDSA signature in DER, of R and S, 32 bytes each.
    private func derSignature(_ flat: [UInt8]) -> [UInt8]? {
        guard flat.count == 64, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        guard ECDSA_SIG_set0(signature, BN_bin2bn(flat, 32, nil), BN_bin2bn(Array(flat[32...]), 32, nil)) == 1 else {
            return nil
        }
        var start: UnsafeMutablePointer<UInt8>?
        let length = i2d_ECDSA_SIG(signature, &start)
        guard length > 0, let start else { return nil }
        defer { CRYPTO_free(start, nil, 0) }
        return Array(UnsafeBufferPointer(start: start, count: Int(length)))
    }
}

/// See ``PublicKey/id``; empty where OpenSSL has no memory.
func publicKeyID(_ key: OpaquePointer) -> String {
    var start: UnsafeMutablePointer<UInt8>?
    let length = i2d_PUBKEY(key, &start)
    guard length > 0, let start else { return "" }
    defer { CRYPTO_free(start, nil, 0) }
    return String(sha256(Array(UnsafeBufferPointer(start: start, count: Int(length)))).description.prefix(16))
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
