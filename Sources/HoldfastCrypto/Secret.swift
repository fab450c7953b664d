internal import COpenSSL

/// A text that must not be seen: a key, a token, a password. Printing it, dumping it or looking into it by reflection
/// shows nothing of it, nor its length; ``revealed`` is the one way to it.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// The text itself, for what must hold it: a signature, the body of a token request.
    package var revealed: String { text }
    package var isEmpty: Bool { text.isEmpty }

    package var description: String { "[secret]" }
    package var debugDescription: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension Secret: Equatable {
    /// In a time that depends on the lengths alone.
    package static func == (a: Secret, b: Secret) -> Bool {
        constantTimeEqual(Array(a.text.utf8), Array(b.text.utf8))
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
package func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
}
