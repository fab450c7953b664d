internal import Foundation
package import HoldfastCore
package import HoldfastEngine

/// A letter that is ready to go: addresses of the envelope, and the text by RFC 5322 with CR LF.
package struct Letter: Sendable, Hashable {
    package var from: String
    package var to: [String]
    package var text: [UInt8]
}

/// Hands a letter to a server once.
package typealias Post = @Sendable (Letter) async throws(OutboundFailure) -> Void

/// Messages and prompts by e-mail, as plain text.
package struct MailChannel: MessageChannel {
    package let name: String
    private let from: String
    private let to: [String]
    private let base: String?
    private let now: @Sendable () -> Timestamp
    private let post: Post

    /// - Parameter base: how browsers reach this service; `nil` where none does.
    package init(
        name: String, from: String, to: [String], base: String?, now: @escaping @Sendable () -> Timestamp,
        post: @escaping Post
    ) {
        self.name = name
        self.from = from
        self.to = to
        self.base = base
        self.now = now
        self.post = post
    }

    package func deliver(_ message: Message) async throws(DeliveryError) {
        let links = base.map { base in message.findings.map { "\(base)/findings/\($0)" } } ?? message.findings
        try await send(
            message.title, [message.title, ""] + message.lines + [""] + links, id: message.id,
            to: message.to.map { [$0.address] } ?? to)
    }

    package func deliver(_ prompt: Prompt) async throws(DeliveryError) {
        let way =
            base.map { "Decide it at \($0)/plans/\(prompt.digest)" }
            ?? "Decide it with: holdfast approvals show \(prompt.digest.prefix(12))"
        let lines =
            [prompt.sentence, "", "What may break:"] + prompt.mayBreak
            + ["", "Calls: \(prompt.calls.joined(separator: ", "))", "Undo: \(prompt.undo)", "", way]
        let title = "Approval: \(prompt.resource.id) in \(prompt.environment), \(prompt.risk.rawValue) risk"
        try await send(title, lines, id: "\(prompt.digest.prefix(32))-\(now().nanoseconds)", to: to)
    }

    private func send(_ subject: String, _ lines: [String], id: String, to: [String]) async throws(DeliveryError) {
        let host = from.split(separator: "@").last.map(String.init) ?? "localhost"
        let head = [
            "Date: \(Self.date(now()))", "From: Holdfast <\(from)>", "To: \(to.joined(separator: ", "))",
            "Subject: \(Self.word(subject))", "Message-ID: <\(Self.word(id, isPlain: true))@\(host)>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
            "Auto-Submitted: auto-generated",
        ]
        let body = Data(lines.joined(separator: "\r\n").utf8)
            .base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
        let text = (head + ["", body, ""]).joined(separator: "\r\n")
        do throws(OutboundFailure) {
            try await post(Letter(from: from, to: to, text: Array(text.utf8)))
        } catch {
            throw DeliveryError(error.message)
        }
    }

    /// Words of a header, encoded by RFC 2047 in pieces of at most 75 characters: nothing in it ends the header.
    static func word(_ text: String, isPlain: Bool = false) -> String {
        if isPlain { return String(text.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }) }
        var pieces: [String] = []
        var piece = ""
        for character in text.prefix(200) {
            if (piece + String(character)).utf8.count > 45 {
                pieces.append(piece)
                piece = ""
            }
            piece.append(character)
        }
        return (pieces + [piece]).map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(
            separator: "\r\n ")
    }

    /// `Mon, 30 Nov 2026 17:00:00 +0000`.
    static func date(_ time: Timestamp) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(time.nanoseconds / 1_000_000_000)))
    }
}
