internal import COpenSSL

/// Signatures of the Cryptographic Message Syntax (RFC 5652) beside what they sign: what `openssl cms -verify` checks.
package enum CMS {
    /// A signature over some bytes, in PEM form, with the signer's certificate in it.
    ///
    /// - Parameters:
    ///   - key: a private key in PEM form.
    ///   - certificate: the key's certificate in PEM form; of several the first is the signer's.
    package static func sign(_ bytes: [UInt8], key: Secret, certificate: String) throws(CryptoFailure) -> String {
        let text = key.revealed
        guard !text.contains("ENCRYPTED") else {
            throw CryptoFailure(
                .encrypted, "the signing key is encrypted with a passphrase, which nobody is there to type")
        }
        guard let signer = withPEM(certificate, { PEM_read_bio_X509($0, nil, { _, _, _, _ in -1 }, nil) }) else {
            throw CryptoFailure(.noCertificate, "there is no certificate in PEM form (BEGIN CERTIFICATE) to sign with")
        }
        defer { X509_free(signer) }
        guard let private_ = withPEM(text, { PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil) }) else {
            throw CryptoFailure(.noKey, "there is no private key in PEM form to sign with")
        }
        defer { EVP_PKEY_free(private_) }
        guard X509_check_private_key(signer, private_) == 1 else {
            ERR_clear_error()
            throw CryptoFailure(.wrongKind, "the certificate is of another key than the one that is to sign")
        }
        let flags = UInt32(CMS_DETACHED | CMS_BINARY)
        let made = withBytes(bytes) { input -> String? in
            guard let message = CMS_sign(signer, private_, nil, input, flags) else { return nil }
            defer { CMS_ContentInfo_free(message) }
            return pem(message)
        }
        guard let made else { throw CryptoFailure(.failed, "OpenSSL would not sign with this key") }
        return made
    }

    /// Who signed some bytes.
    package struct Signer: Sendable, Hashable {
        /// The certificate's subject, as RFC 2253 writes it.
        package var subject: String
        /// SHA-256 of the certificate, in hexadecimal digits.
        package var fingerprint: String
        /// Whether a certificate that was given as trusted stands behind it.
        package var isTrusted: Bool
    }

    /// Checks a signature.
    ///
    /// - Parameters:
    ///   - signature: as ``sign(_:key:certificate:)`` gives it.
    ///   - trusted: certificates in PEM form, one of which must be the signer's or its issuer's; `nil`: any signer.
    /// - Returns: `nil` where the signature is not of these bytes, or damaged.
    package static func verify(_ signature: String, of bytes: [UInt8], trusted: String?) -> Signer? {
        defer { ERR_clear_error() }
        guard let message = withPEM(signature, { PEM_read_bio_CMS($0, nil, { _, _, _, _ in -1 }, nil) }) else {
            return nil
        }
        defer { CMS_ContentInfo_free(message) }
        // A text that says the same in other bytes is not what was written.
        guard pem(message) == signature else { return nil }
        let store = X509_STORE_new()
        defer { X509_STORE_free(store) }
        for certificate in certificates(trusted ?? "") {
            X509_STORE_add_cert(store, certificate)
            X509_free(certificate)
        }
        let isTrusted = trusted != nil && verifies(message, bytes, store, flags: UInt32(CMS_BINARY))
        guard isTrusted || verifies(message, bytes, store, flags: UInt32(CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY))
        else { return nil }
        guard let signers = CMS_get0_signers(message) else { return nil }
        defer { OPENSSL_sk_free(signers) }
        guard let first = OPENSSL_sk_value(signers, 0) else { return nil }
        let certificate = OpaquePointer(first)
        return Signer(subject: subject(certificate), fingerprint: fingerprint(certificate), isTrusted: isTrusted)
    }

    /// SHA-256 of a certificate in PEM form, in hexadecimal digits; `nil` where the text holds none.
    package static func fingerprint(of certificate: String) -> String? {
        withPEM(certificate) { stream -> String? in
            guard let found = PEM_read_bio_X509(stream, nil, { _, _, _, _ in -1 }, nil) else { return nil }
            defer { X509_free(found) }
            return fingerprint(found)
        }
    }

    private static func pem(_ message: OpaquePointer) -> String? {
        guard let output = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(output) }
        return PEM_write_bio_CMS(output, message) == 1 ? readAll(output) : nil
    }

    private static func verifies(
        _ message: OpaquePointer, _ bytes: [UInt8], _ store: OpaquePointer?, flags: UInt32
    ) -> Bool {
        let partial = UInt(X509_V_FLAG_PARTIAL_CHAIN)
        X509_STORE_set_flags(store, partial)
        // The purpose of e-mail, which is OpenSSL's default here, asks for extensions that a signing key need not have.
        X509_STORE_set_purpose(store, X509_PURPOSE_ANY)
        return withBytes(bytes) { input in CMS_verify(message, nil, store, input, nil, flags) == 1 } ?? false
    }

    private static func certificates(_ pem: String) -> [OpaquePointer] {
        var found: [OpaquePointer] = []
        _ = withPEM(pem) { stream -> Bool? in
            while let one = PEM_read_bio_X509(stream, nil, { _, _, _, _ in -1 }, nil) { found.append(one) }
            return true
        }
        return found
    }

    private static func subject(_ certificate: OpaquePointer) -> String {
        guard let output = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(output) }
        X509_NAME_print_ex(output, X509_get_subject_name(certificate), 0, holdfast_rfc2253_names)
        return readAll(output)
    }

    private static func fingerprint(_ certificate: OpaquePointer) -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        var length: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &bytes, &length) == 1 else { return "" }
        return hexText(bytes.prefix(Int(length)))
    }

    private static func withBytes<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result?) -> Result? {
        bytes.withUnsafeBytes { buffer -> Result? in
            guard let stream = BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else { return nil }
            defer {
                BIO_free(stream)
                ERR_clear_error()
            }
            return body(stream)
        }
    }

    private static func readAll(_ stream: OpaquePointer) -> String {
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = BIO_read(stream, &chunk, Int32(chunk.count))
            guard count > 0 else { return String(decoding: out, as: UTF8.self) }
            out.append(contentsOf: chunk.prefix(Int(count)))
        }
    }
}
