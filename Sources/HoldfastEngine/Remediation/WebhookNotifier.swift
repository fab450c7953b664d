package import HoldfastCore
package import HoldfastCrypto
internal import HoldfastJSON

/// Sends prompts to a URL, signed, once each time it is asked to.
///
/// The body is `{"kind": "approval-asked", "at", "prompt", "url"}`, or `{"kind": "test", "at"}`. The signature is
/// HMAC-SHA-256 under the configured key over the header `Holdfast-Timestamp` (seconds since 1970), a full stop and the
/// body; `Holdfast-Signature` is `v1=` and its hexadecimal digits. Who takes it compares both, refuses what is older
/// than five minutes, and takes one `Holdfast-Delivery` once.
package struct WebhookNotifier: Notifier {
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
        try await post(
            [
                "kind": "approval-asked", "at": .string(now().description), "prompt": prompt.json,
                "url": link(prompt.digest).map { .string($0) } ?? .null,
            ], delivery: String(prompt.digest.prefix(32)))
    }

    /// Sends `{"kind": "test", "at"}`, signed like a prompt: nobody is asked anything.
    package func deliverTest() async throws(DeliveryError) {
        try await post(["kind": "test", "at": .string(now().description)], delivery: "test")
    }

    private func post(_ json: JSON, delivery: String) async throws(DeliveryError) {
        let answer: OutboundAnswer
        do throws(OutboundFailure) { answer = try await send(request(json.canonicalBytes, delivery)) } catch {
            throw DeliveryError(error.message)
        }
        guard (200..<300).contains(answer.status) else { throw DeliveryError("it answers \(answer.status)") }
    }

    private func request(_ body: [UInt8], _ delivery: String) -> OutboundRequest {
        let stamp = String(now().nanoseconds / 1_000_000_000)
        return OutboundRequest(
            method: "POST", url: url,
            headers: [
                ("Content-Type", "application/json"), ("User-Agent", "holdfast"), ("Holdfast-Timestamp", stamp),
                ("Holdfast-Signature", Self.signature(of: body, at: stamp, key: key)),
                ("Holdfast-Delivery", "\(delivery)-\(stamp)"),
            ], body: body)
    }

    /// As the header has it.
    package static func signature(of body: [UInt8], at stamp: String, key: Secret) -> String {
        "v1=\(hmacSHA256(key: Array(key.revealed.utf8), Array("\(stamp).".utf8) + body))"
    }
}
