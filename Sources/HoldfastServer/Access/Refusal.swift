package import HoldfastJSON

/// A request that is not done, and why: one sentence that a person understands.
package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    package var status: Int
    /// One word for programs: `unauthenticated`, `forbidden`, `not-found`, …
    package var code: String
    package var message: String
    /// Seconds after which it may be tried again.
    package var retryAfter: Int?
    /// Where an undo asks for a person's word: the difference that it is about.
    package var difference: JSON?

    package init(_ status: Int, _ code: String, _ message: String, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }
    package var description: String { message }

    static func malformed(_ message: String) -> Refusal { Refusal(400, "malformed", message) }
    static func unauthenticated(_ message: String) -> Refusal { Refusal(401, "unauthenticated", message) }
    static func forbidden(_ message: String) -> Refusal { Refusal(403, "forbidden", message) }
    static func notFound(_ message: String) -> Refusal { Refusal(404, "not-found", message) }
    static func conflict(_ message: String) -> Refusal { Refusal(409, "conflict", message) }
}
