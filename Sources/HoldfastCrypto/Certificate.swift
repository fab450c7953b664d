internal import COpenSSL

/// The thumbprints of a certificate: digests of its DER form, by which a JSON Web Signature names the key.
package struct CertificateThumbprints: Sendable, Hashable {
    /// 20 bytes; `x5t` in base64url.
    package let sha1: [UInt8]
    /// 32 bytes; `x5t#S256` in base64url.
    package let sha256: [UInt8]

    /// - Parameter pem: a text with a certificate in PEM form; of several the first, which by custom is the leaf. Keys
    ///   beside it are passed over.
    package init(pem: Secret) throws(CryptoFailure) {
        let digests = withPEM(pem.revealed) { stream -> ([UInt8], [UInt8])? in
            guard let certificate = PEM_read_bio_X509(stream, nil, { _, _, _, _ in -1 }, nil) else { return nil }
            defer { X509_free(certificate) }
            guard let short = digest(certificate, EVP_sha1()), let long = digest(certificate, EVP_sha256()) else {
                return nil
            }
            return (short, long)
        }
        guard let digests else {
            throw CryptoFailure(.noCertificate, "there is no certificate in PEM form (BEGIN CERTIFICATE)")
        }
        (sha1, sha256) = digests
    }
}

private func digest(_ certificate: OpaquePointer, _ kind: OpaquePointer?) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 64)
    var length: UInt32 = 0
    guard X509_digest(certificate, kind, &bytes, &length) == 1 else { return nil }
    return Array(bytes.prefix(Int(length)))
}
