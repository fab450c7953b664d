package import HoldfastCore
package import HoldfastCrypto
internal import HoldfastJSON

/// Sends prompts and messages to a URL, signed, once each time it is asked to.
///
/// The body is `{"kind": "approval-asked", "at", "prompt", "url"}`, `{"kind": "message", "at", "message"}` or
/// `{"kind": "test", "at"}`. The signature is HMAC-SHA-256 under the configured key over the header
/// `Holdfast-Timestamp` (seconds since 1970), a full stop and the body; `Holdfast-Signature` is `v1=` and its
/// hexadecimal digits. Who takes it compares both, refuses what is older than five minutes, and takes one
/// `Holdfast-Delivery` once.
package struct WebhookNotifier: MessageChannel {
    package let name: String
    private let url: String
    private let key: Secret
    private let link: @Sendable (_ digest: String) -> String?
    private let now: @Sendable () -> Timestamp
    private let send: Outbound

    /// Bytes of the shortest key.
    package static let shortestKey = 16

    /// - Parameters:
    ///   - name: `webhook 1`: what messages call it, since URLs may hold secrets.
    ///   - link: the page of a plan, as browsers reach it; `nil` where none does.
    package init(
        name: String, url: String, key: Secret, link: @escaping @Sendable (_ digest: String) -> String?,
        now: @escaping @Sendable () -> Timestamp, send: @escaping Outbound
    ) {
        self.name = name
        self.url = url
        self.key = key
        self.link = link
        self.now = now
        self.send = send
    }

    package func deliver(_ prompt: Prompt) async throws(DeliveryError) {
        let time = now()
        let stamp = String(time.nanoseconds / 1_000_000_000)
        try await post(
            [
                "kind": "approval-asked", "at": .string(time.description), "prompt": prompt.json,
                "url": link(prompt.digest).map { .string($0) } ?? .null,
            ], at: stamp, delivery: "\(prompt.digest.prefix(32))-\(stamp)")
    }

    package func deliver(_ message: Message) async throws(DeliveryError) {
        let stamp = String(now().nanoseconds / 1_000_000_000)
        try await post(
            ["kind": "message", "at": .string(message.at.description), "message": message.json], at: stamp,
            delivery: message.id)
    }

    /// Sends `{"kind": "test", "at"}`, signed like a prompt: nobody is asked anything.
    package func deliverTest() async throws(DeliveryError) {
        let time = now()
        let stamp = String(time.nanoseconds / 1_000_000_000)
        try await post(["kind": "test", "at": .string(time.description)], at: stamp, delivery: "test-\(stamp)")
    }

    private func post(_ json: JSON, at stamp: String, delivery: String) async throws(DeliveryError) {
        let body = json.canonicalBytes
        let request = OutboundRequest(
            method: "POST", url: url,
            headers: [
                ("Content-Type", "application/json"), ("User-Agent", "holdfast"), ("Holdfast-Timestamp", stamp),
                ("Holdfast-Signature", Self.signature(of: body, at: stamp, key: key)),
                ("Holdfast-Delivery", delivery),
            ], body: body)
        let answer: OutboundAnswer
        do throws(OutboundFailure) { answer = try await send(request) } catch { throw DeliveryError(error.message) }
        guard (200..<300).contains(answer.status) else { throw DeliveryError("it answers \(answer.status)") }
    }

    /// As the header has it.
    package static func signature(of body: [UInt8], at stamp: String, key: Secret) -> String {
        "v1=\(hmacSHA256(key: Array(key.revealed.utf8), Array("\(stamp).".utf8) + body))"
    }
}
