internal import COpenSSL

/// A private key that signs: RSA, an elliptic curve key on P-256, or Ed25519.
package struct SigningKey: ~Copyable {
    /// Signatures by their names in JSON Web Algorithms (RFC 7518, section 3.1; RFC 8037), all but Ed25519's over
    /// SHA-256.
    package enum Algorithm: String, Sendable {
        /// RSASSA-PKCS1-v1_5.
        case rs256 = "RS256"
        /// RSASSA-PSS, MGF1 with SHA-256, a salt of 32 bytes.
        case ps256 = "PS256"
        /// ECDSA on P-256; the signature is R and S, 32 bytes each.
        case es256 = "ES256"
        /// Ed25519, over the bytes themselves; 64 bytes.
        case edDSA = "EdDSA"
    }
    private let key: OpaquePointer

    /// - Parameter pem: PKCS #8 (`BEGIN PRIVATE KEY`) or the older forms (`BEGIN RSA PRIVATE KEY`, `BEGIN EC PRIVATE
    ///   KEY`); certificates beside it are passed over. Keys with a passphrase are refused.
    package init(pem: Secret) throws(CryptoFailure) {
        let text = pem.revealed
        guard !text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"), !text.contains("Proc-Type: 4,ENCRYPTED") else {
            throw CryptoFailure(
                .encrypted,
                "the private key is encrypted with a passphrase, which nobody is there to type; store it without one"
                    + " (openssl pkey -in KEY.pem -out PLAIN.pem) in a file that only this service may read")
        }
        // Without a callback OpenSSL would ask the terminal for a passphrase.
        let found = withPEM(text) { stream in PEM_read_bio_PrivateKey(stream, nil, { _, _, _, _ in -1 }, nil) }
        guard let found else {
            throw CryptoFailure(.noKey, "there is no private key in PEM form (PKCS #8 or PKCS #1) that can be read")
        }
        key = found
    }

    deinit { EVP_PKEY_free(key) }

    /// What the key can sign with: RSA keys with RS256 and PS256, keys on P-256 with ES256, Ed25519's with EdDSA; empty
    /// for other keys.
    package var algorithms: [Algorithm] {
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA: [.rs256, .ps256]
        case EVP_PKEY_EC where curve == "prime256v1": [.es256]
        case EVP_PKEY_ED25519: [.edDSA]
        default: []
        }
    }

    private var curve: String {
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return "" }
        return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The signature over the bytes, in the form that JSON Web Signatures have.
    package func sign(_ bytes: [UInt8], by algorithm: Algorithm) throws(CryptoFailure) -> [UInt8] {
        guard algorithms.contains(algorithm) else {
            throw CryptoFailure(
                .wrongKind, "\(algorithm.rawValue) needs \(algorithm.keyKind); this key is of another kind")
        }
        guard let signature = digestSign(bytes, by: algorithm) else {
            throw CryptoFailure(.failed, "OpenSSL would not sign with this key; is it whole, and of 2048 bits or more?")
        }
        guard algorithm == .es256 else { return signature }
        guard let flat = flatSignature(signature) else {
            throw CryptoFailure(.failed, "OpenSSL made a signature that cannot be read")
        }
        return flat
    }

    /// Tells the key's public half from others: see ``PublicKey/id``.
    package var publicID: String { publicKeyID(key) }

    private func digestSign(_ bytes: [UInt8], by algorithm: Algorithm) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var parameters: OpaquePointer?
        let digest = algorithm == .edDSA ? nil : EVP_sha256()
        guard EVP_DigestSignInit(context, &parameters, digest, nil, key) == 1 else { return nil }
        if algorithm == .ps256 {
            // -1: a salt as long as the digest.
            guard EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, -1) == 1
            else { return nil }
        }
        var length = 0
        guard EVP_DigestSign(context, nil, &length, bytes, bytes.count) == 1 else { return nil }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &signature, &length, bytes, bytes.count) == 1 else { return nil }
        return Array(signature.prefix(length))
    }

    /// R and S, 32 bytes each, of an ECDSA signature in DER.
    private func flatSignature(_ der: [UInt8]) -> [UInt8]? {
        let parsed: OpaquePointer? = der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_ECDSA_SIG(nil, &start, buffer.count)
        }
        guard let parsed else { return nil }
        defer { ECDSA_SIG_free(parsed) }
        var flat = [UInt8](repeating: 0, count: 64)
        let written = flat.withUnsafeMutableBufferPointer { buffer in
            BN_bn2binpad(ECDSA_SIG_get0_r(parsed), buffer.baseAddress, 32)
                + BN_bn2binpad(ECDSA_SIG_get0_s(parsed), buffer.baseAddress.map { $0 + 32 }, 32)
        }
        return written == 64 ? flat : nil
    }
}

extension SigningKey.Algorithm {
    fileprivate var keyKind: String {
        switch self {
        case .rs256, .ps256: "an RSA key"
        case .es256: "a key on the curve P-256"
        case .edDSA: "an Ed25519 key"
        }
    }
}
