internal import HoldfastCore
internal import HoldfastHTTP
internal import HoldfastJSON

/// A call with its request, not yet authorised, and what is needed to read what comes back.
struct PreparedCall: Sendable {
    var call: CloudCall
    var request: HTTPRequest
    /// As it was asked for.
    var asked: CallScope
    /// With the region that a signature names.
    var scope: CallScope
    var signingName = ""
    /// Of AWS's calls.
    var wire: AWSWire?

    /// `s3.GetBucketPolicy in 111122223333 eu-west-1`
    var title: String {
        let place = [scope.account, scope.region].filter { !$0.isEmpty }.joined(separator: " ")
        return place.isEmpty ? call.name : "\(call.name) in \(place)"
    }

    /// The role that only reads can do no harm twice.
    var mayBeDoneTwice: Bool { scope.access == .read || call.isIdempotent }

    // MARK: Refusals

    private func found(_ response: HTTPResponse) -> WireRefusal? {
        if let wire { return wire.isRefusal(response) ? wire.refusal(response) : nil }
        guard response.status >= 300 else { return nil }
        return call.wire == .arm ? RequestLine.azureRefusal(response) : RequestLine.googleRefusal(response)
    }

    func isThrottled(_ response: HTTPResponse) -> Bool {
        guard let refusal = found(response) else { return false }
        return FailureKinds.isThrottling(response.status, refusal.code, response)
    }

    /// `nil` where the cloud did as it was told.
    func refusal(_ response: HTTPResponse) -> CallFailure? {
        guard let refusal = found(response) else { return nil }
        let said = refusal.message.isEmpty ? "" : ": \(PreparedCall.shown(refusal.message))"
        return CallFailure(
            kind: FailureKinds.kind(of: refusal, in: response), status: response.status, code: refusal.code,
            message: "\(title) answered \(response.status) \(PreparedCall.shown(refusal.code))\(said)",
            retryAfter: response.retryAfter)
    }

    /// On one line, and no longer than a person reads.
    private static func shown(_ text: String) -> String {
        let line = String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
        return line.count > 400 ? "\(line.prefix(400))…" : line
    }

    /// The region where the bucket lies, where it is another.
    func movedTo(by outcome: Result<HTTPResponse, HTTPFailure>) -> String? {
        guard let wire, wire.operation.hostMember != nil, case .success(let response) = outcome,
            let refusal = found(response), let region = refusal.region, region != scope.region,
            [301, 307].contains(response.status) || refusal.code == "AuthorizationHeaderMalformed"
        else { return nil }
        return region
    }

    func failure(_ failure: HTTPFailure) -> CallFailure {
        switch failure {
        case .notSent(let code, let message):
            CallFailure(kind: .notSent, code: code, message: "\(title) was not sent: \(message)")
        case .unknownOutcome(let code, let message):
            CallFailure(kind: .unknownOutcome, code: code, message: "\(title) was sent, and no answer came: \(message)")
        case .cancelled: CallFailure(kind: .cancelled, code: "cancelled", message: "\(title) was cancelled")
        }
    }

    // MARK: Answers

    /// The answer's body in the shape of the cloud's own API.
    func body(_ response: HTTPResponse) throws(WireFault) -> JSON {
        if let wire { return try wire.answer(response) }
        return response.body.isEmpty ? .null : try jsonBody(response.body)
    }
}

extension WireRequest {
    /// - Parameter url: where it goes, with path and query.
    func http(_ url: String) -> HTTPRequest {
        HTTPRequest(method: method, url: url, headers: headers, body: body)
    }
}
