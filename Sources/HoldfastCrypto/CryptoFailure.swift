internal import COpenSSL

/// Why a key or a certificate cannot be used. Says nothing of what is in it.
package struct CryptoFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// There is no private key, or no certificate, in the text.
        case noKey, noCertificate
        /// The key needs a passphrase.
        case encrypted
        /// A key of another kind than the algorithm needs.
        case wrongKind
        /// OpenSSL would not sign.
        case failed
    }
    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    package var description: String { message }
}

/// A PEM text as a stream of OpenSSL's, for the time of one call.
func withPEM<Result>(_ text: String, _ body: (OpaquePointer) -> Result?) -> Result? {
    var bytes = Array(text.utf8)
    defer { bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
    return bytes.withUnsafeBytes { buffer -> Result? in
        guard let stream = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
        defer {
            BIO_free(stream)
            ERR_clear_error()
        }
        return body(stream)
    }
}
