package import HoldfastCore
package import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON

/// Alerts by PagerDuty's Events API v2 (https://developer.pagerduty.com/docs/events-api-v2/trigger-events/): one event
/// a message, whose `dedup_key` is the message's id, so that one that comes twice is one alert.
package struct PagerDutyChannel: MessageChannel {
    package let name: String
    private let url: String
    private let key: Secret
    private let base: String?
    private let send: Outbound
    /// Characters of a summary.
    private static let summaryLimit = 1024

    /// - Parameter base: how browsers reach this service; `nil` where none does.
    package init(name: String, url: String, key: Secret, base: String?, send: @escaping Outbound) {
        self.name = name
        self.url = url
        self.key = key
        self.base = base
        self.send = send
    }

    package func deliver(_ message: Message) async throws(DeliveryError) {
        let link = message.findings.first.flatMap { id in base.map { ("\($0)/findings/\(id)", "Finding") } }
        try await trigger(
            message.title, dedup: message.id, severity: message.severity, at: message.at, details: message.json, link)
    }

    package func deliver(_ prompt: Prompt) async throws(DeliveryError) {
        try await trigger(
            "A plan waits for approval: \(prompt.sentence)", dedup: prompt.digest, severity: prompt.severity, at: nil,
            details: prompt.json, base.map { ("\($0)/plans/\(prompt.digest)", "Plan") })
    }

    private func trigger(
        _ summary: String, dedup: String, severity: Severity, at: Timestamp?, details: JSON,
        _ link: (url: String, text: String)?
    ) async throws(DeliveryError) {
        var payload = JSONObject([
            ("summary", .string(String(summary.prefix(Self.summaryLimit)))), ("source", "holdfast"),
            ("severity", .string(Self.word(severity))), ("custom_details", details),
        ])
        if let at { payload["timestamp"] = .string(at.description) }
        let links: [JSON] = link.map { [["href": .string($0.url), "text": .string($0.text)]] } ?? []
        let body: JSON = [
            "routing_key": .string(key.revealed), "event_action": "trigger", "dedup_key": .string(dedup),
            "client": "Holdfast", "payload": .object(payload), "links": .array(links),
        ]
        try await JSONPost.send(body, to: url, taking: 202...202, by: send)
    }

    private static func word(_ severity: Severity) -> String {
        switch severity {
        case .critical: "critical"
        case .high: "error"
        case .medium: "warning"
        case .low: "info"
        }
    }
}

enum JSONPost {
    /// Posts JSON once.
    ///
    /// - Parameter taking: the statuses that say that it was taken.
    /// - Throws: another status, or what kept it from an answer; nothing of what was sent.
    @discardableResult
    static func send(
        _ json: JSON, to url: String, headers: [(name: String, value: String)] = [], taking: ClosedRange<Int>,
        by send: Outbound
    ) async throws(DeliveryError) -> OutboundAnswer {
        let request = OutboundRequest(
            method: "POST", url: url,
            headers: [("Content-Type", "application/json; charset=utf-8"), ("User-Agent", "holdfast")] + headers,
            body: json.canonicalBytes)
        let answer: OutboundAnswer
        do throws(OutboundFailure) { answer = try await send(request) } catch { throw DeliveryError(error.message) }
        guard taking.contains(answer.status) else { throw DeliveryError("it answers \(answer.status)") }
        return answer
    }
}
