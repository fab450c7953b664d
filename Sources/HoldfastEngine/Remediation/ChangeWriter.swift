package import HoldfastCore

/// Changes clouds. Only a permit reaches it, and a permit holds the one call that it is for.
package protocol ChangeWriter: Sendable {
    /// Makes the permit's call, if it has not expired. Deadlines are inside.
    func apply(_ permit: consuming Permit) async -> WriteOutcome
    /// Asks how a long operation stands; changes nothing.
    func poll(_ operation: AcceptedOperation, context: ResourceContext) async -> WriteOutcome
}

/// Tells people of a plan that waits for them.
package protocol Notifier: Sendable {
    var name: String { get }
    /// - Throws: where it could not be delivered; it is tried again, and nothing is approved meanwhile.
    func deliver(_ prompt: Prompt) async throws(DeliveryError)
}

/// Why a prompt did not reach anybody.
package struct DeliveryError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String
    package init(_ message: String) { self.message = message }
    package var description: String { message }
}
