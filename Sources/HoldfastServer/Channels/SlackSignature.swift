internal import HoldfastCore
internal import HoldfastCrypto

/// Whether a request is Slack's own, new, and comes for the first time
/// (https://docs.slack.dev/authentication/verifying-requests-from-slack): HMAC-SHA-256 under the app's signing secret
/// over `v0:`, the timestamp, `:` and the body as it came.
struct SlackSignature: Sendable {
    private let secret: Secret
    /// What is older may have been taken by a process before this one.
    private let began: Timestamp
    /// Signatures that were taken, until they are too old to come again.
    private var taken: [String: Timestamp] = [:]
    static let patience = Span(seconds: 300)
    /// Requests within ``patience``; with more of them none is taken.
    static let limit = 10_000

    init(secret: Secret, began: Timestamp) {
        self.secret = secret
        self.began = began
    }

    /// - Returns: why it is refused; `nil` where it is taken.
    mutating func refusal(stamp: String?, signature: String?, body: [UInt8], now: Timestamp) -> String? {
        guard let stamp, let signature, let seconds = Int64(stamp), (0...99_999_999_999).contains(seconds) else {
            return "it is not signed as Slack signs"
        }
        let wanted = "v0=\(hmacSHA256(key: Array(secret.revealed.utf8), Array("v0:\(stamp):".utf8) + body))"
        guard Sessions.areEqual(wanted, signature) else { return "its signature is not Slack's" }
        let sent = Timestamp(seconds: seconds)
        guard now.since(sent).nanoseconds <= Self.patience.nanoseconds,
            sent.since(now).nanoseconds <= Self.patience.nanoseconds
        else { return "it was signed at \(sent), and it is \(now): more than five minutes apart" }
        guard sent >= Timestamp(seconds: began.nanoseconds / 1_000_000_000) else {
            return "it was signed before this service started, and may have been taken then; say it again"
        }
        taken = taken.filter { $0.value > now }
        guard taken[signature] == nil else { return "it came before: the same request is taken once" }
        guard taken.count < Self.limit else { return "more requests came in five minutes than are taken" }
        taken[signature] = sent + Self.patience + Self.patience
        return nil
    }
}
