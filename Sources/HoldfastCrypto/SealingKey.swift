internal import COpenSSL

/// Encrypts and authenticates small things with AES-256-GCM (NIST SP 800-38D).
package struct SealingKey: Sendable, CustomStringConvertible, CustomReflectable {
    private let key: [UInt8]

    package static let keyBytes = 32
    package static let nonceBytes = 12
    private static let tagBytes = 16

    /// - Parameter hex: 64 hexadecimal digits; white space around them does not count.
    /// - Throws: `wrongKind` where it is anything else.
    package init(hex: Secret) throws(CryptoFailure) {
        let digits = hex.revealed.utf8.filter { !" \t\r\n".utf8.contains($0) }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
        }
        guard digits.count == 2 * SealingKey.keyBytes, bytes.count == SealingKey.keyBytes else {
            throw CryptoFailure(.wrongKind, "a key for captures is 64 hexadecimal digits: `openssl rand -hex 32`")
        }
        key = bytes
    }

    package var description: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }

    /// - Parameter nonce: 12 bytes that were never used with this key.
    /// - Returns: nonce, ciphertext and tag, one after the other.
    /// - Throws: where the nonce has another length or OpenSSL fails.
    package func seal(_ plain: [UInt8], nonce: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        guard nonce.count == SealingKey.nonceBytes else { throw CryptoFailure(.failed, "a nonce has 12 bytes") }
        let context = try CipherContext()
        let (text, tag) = try context.encrypt(plain, key: key, nonce: nonce)
        return nonce + text + tag
    }

    /// - Returns: `nil` where it was changed, cut, or sealed with another key.
    package func open(_ sealed: [UInt8]) -> [UInt8]? {
        let overhead = SealingKey.nonceBytes + SealingKey.tagBytes
        guard sealed.count >= overhead, let context = try? CipherContext() else { return nil }
        let nonce = Array(sealed.prefix(SealingKey.nonceBytes))
        let tag = Array(sealed.suffix(SealingKey.tagBytes))
        let text = Array(sealed.dropFirst(SealingKey.nonceBytes).dropLast(SealingKey.tagBytes))
        return context.decrypt(text, tag: tag, key: key, nonce: nonce)
    }
}

/// OpenSSL's state of one encryption.
private struct CipherContext: ~Copyable {
    private let pointer: OpaquePointer

    init() throws(CryptoFailure) {
        guard let pointer = EVP_CIPHER_CTX_new() else {
            throw CryptoFailure(.failed, "OpenSSL has no memory for a cipher")
        }
        self.pointer = pointer
    }

    deinit { EVP_CIPHER_CTX_free(pointer) }

    func encrypt(
        _ plain: [UInt8], key: [UInt8], nonce: [UInt8]
    ) throws(CryptoFailure) -> (text: [UInt8], tag: [UInt8]) {
        var text = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: 16)
        var written: Int32 = 0
        var rest: Int32 = 0
        let isDone =
            EVP_EncryptInit_ex(pointer, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_EncryptUpdate(pointer, &text, &written, plain, Int32(plain.count)) == 1
            && EVP_EncryptFinal_ex(pointer, nil, &rest) == 1
            && EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
        guard isDone, Int(written) == plain.count else { throw CryptoFailure(.failed, "OpenSSL could not encrypt") }
        return (text, tag)
    }

    func decrypt(_ text: [UInt8], tag: [UInt8], key: [UInt8], nonce: [UInt8]) -> [UInt8]? {
        var plain = [UInt8](repeating: 0, count: text.count)
        var tag = tag
        var written: Int32 = 0
        var rest: Int32 = 0
        let isDone =
            EVP_DecryptInit_ex(pointer, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_DecryptUpdate(pointer, &plain, &written, text, Int32(text.count)) == 1
            && EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_SET_TAG, 16, &tag) == 1
            && EVP_DecryptFinal_ex(pointer, nil, &rest) == 1
        return isDone && Int(written) == text.count ? plain : nil
    }
}
