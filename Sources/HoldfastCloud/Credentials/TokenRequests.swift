package import HoldfastCore
package import HoldfastCrypto
internal import HoldfastHTTP
internal import HoldfastJSON

/// A token that whoever bears it is let in with.
package struct BearerToken: Sendable, Equatable {
    package var value: Secret
    /// By our clock.
    package var expires: Timestamp
    /// Google: the project that pays for the calls (`x-goog-user-project`); empty where it is not said.
    package var quotaProject: String

    package init(value: Secret, expires: Timestamp, quotaProject: String = "") {
        self.value = value
        self.expires = expires
        self.quotaProject = quotaProject
    }
}

/// Sends the requests that give credentials, and reads their answers. A failed request is not repeated here.
struct TokenRequests: Sendable {
    let exchange: any HTTPExchange
    /// The time on the wall.
    let now: @Sendable () -> Timestamp

    /// Tokens and keys are short; a longer answer is not one.
    static let bodyLimit = 1 << 20
    /// Bytes of a server's own words that are quoted.
    static let quoteLimit = 400

    /// The answer where its status is 200; anything else is thrown.
    /// - Parameters:
    ///   - what: what is being done, and with whom, for messages.
    ///   - hidden: what was sent and must not come back in a message, should the server quote it.
    func send(
        _ request: HTTPRequest, _ what: String, hiding hidden: [Secret]
    ) async throws(CredentialFailure) -> HTTPResponse {
        let answer = try await anyAnswer(request, what)
        guard answer.status == 200 else { throw refusal(answer, what, hiding: hidden) }
        return answer
    }

    /// The answer, whatever its status.
    func anyAnswer(_ request: HTTPRequest, _ what: String) async throws(CredentialFailure) -> HTTPResponse {
        var bounded = request
        bounded.bodyLimit = Self.bodyLimit
        do {
            return try await exchange.send(bounded)
        } catch {
            throw .transport(error, what)
        }
    }

    /// The object that is the body of a 200 answer.
    func object(
        _ request: HTTPRequest, _ what: String, hiding hidden: [Secret]
    ) async throws(CredentialFailure) -> (body: JSONObject, answer: HTTPResponse) {
        let answer = try await send(request, what, hiding: hidden)
        guard let body = (try? JSON.parse(answer.body))?.object else {
            throw CredentialFailure(.unavailable, code: "unreadable", "\(what): the answer is not a JSON object")
        }
        return (body, answer)
    }

    /// The failure that an answer stands for.
    func refusal(_ answer: HTTPResponse, _ what: String, hiding hidden: [Secret]) -> CredentialFailure {
        let said = ServerWords(answer.body, hiding: hidden)
        var message = "\(what): HTTP \(answer.status)"
        if !said.code.isEmpty { message += " \(said.code)" }
        if !said.message.isEmpty { message += ": \(said.message)" }
        let later = answer.status == 429 || answer.status == 408 || answer.status >= 500 || said.meansLater
        return CredentialFailure(
            later ? .unavailable : .denied, code: said.code.isEmpty ? "http-\(answer.status)" : said.code, message,
            status: answer.status, retryAfter: answer.retryAfter)
    }

    /// When something ends that the server says ends at `end` by the server's clock, by ours: clocks may differ.
    func ours(_ end: Timestamp, in answer: HTTPResponse) -> Timestamp {
        guard let date = answer.headers["Date"].flatMap({ seconds(httpDate: $0) }) else { return end }
        return now() + end.since(Timestamp(seconds: date))
    }

    /// A token from an OAuth answer: `access_token`, and `expires_in` in seconds (a number or a text of one).
    func token(_ body: JSONObject, _ what: String) throws(CredentialFailure) -> BearerToken {
        let lifetime = body["expires_in"]?.scalarText.flatMap { Int($0) }
        guard let value = body["access_token"]?.string, !value.isEmpty, let lifetime, lifetime >= 0 else {
            throw CredentialFailure(
                .unavailable, code: "unreadable", "\(what): the answer has no access_token with expires_in")
        }
        // Tokens live for hours; a day of a century is somebody's mistake, and must not overflow.
        return BearerToken(value: Secret(value), expires: now() + Span(seconds: min(lifetime, 86_400)))
    }
}

/// Code and words of a server's refusal, in the forms that token servers use.
struct ServerWords {
    var code = ""
    var message = ""

    /// - Parameter hidden: what the server was shown, and must not be quoted with.
    init(_ body: [UInt8], hiding hidden: [Secret]) {
        if let object = (try? JSON.parse(body))?.object {
            readJSON(object)
        } else if let document = try? XMLReader.read(body) {
            code = document.firstText("Code") ?? ""
            message = document.firstText("Message") ?? ""
        }
        // Shorter ones would tear words apart, and are nobody's secret.
        for secret in hidden where secret.revealed.utf8.count >= 4 {
            for spelling in [secret.revealed, secret.revealed.percentEncoded()] {
                code = code.replacing(spelling, with: "[secret]")
                message = message.replacing(spelling, with: "[secret]")
            }
        }
        // Codes are words; what is not one is not shown as one.
        if !code.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) || code.utf8.count > 100 { code = "" }
        message = String(message.filter { !$0.isNewline }.prefix(TokenRequests.quoteLimit))
    }

    private mutating func readJSON(_ object: JSONObject) {
        if let error = object["error"]?.object {
            code = error["status"]?.string ?? error["code"]?.scalarText ?? ""
            message = error["message"]?.string ?? ""
        } else {
            code = object["error"]?.string ?? object["code"]?.string ?? object["Code"]?.string ?? ""
            message =
                object["error_description"]?.string ?? object["message"]?.string ?? object["Message"]?.string ?? ""
        }
    }

    /// Errors of OAuth servers that are theirs, whatever the status (RFC 6749, section 4.1.2.1).
    var meansLater: Bool {
        ["internal_failure", "server_error", "temporarily_unavailable"].contains(code)
            || ["Throttling", "ThrottlingException", "RequestLimitExceeded"].contains(code)
    }
}

extension XMLElement {
    /// The text of the first element of this name, here or below.
    func firstText(_ name: String) -> String? {
        if self.name == name { return text }
        for child in children {
            if let found = child.firstText(name) { return found }
        }
        return nil
    }
}

extension TokenRequests {
    /// An exchange of a self-made assertion, which bears times: where it is refused and the server's clock differs from
    /// ours by a minute or more, it is made once more by the server's.
    /// - Parameter make: the request, for a time in seconds since 1970, and the secrets in it.
    func asserted(
        _ what: String, make: (Int64) throws(CredentialFailure) -> (request: HTTPRequest, secrets: [Secret])
    ) async throws(CredentialFailure) -> JSONObject {
        func ask(_ offset: Int64) async throws(CredentialFailure) -> (HTTPResponse, [Secret]) {
            let made = try make(now().nanoseconds / 1_000_000_000 + offset)
            return (try await anyAnswer(made.request, what), made.secrets)
        }
        var (answer, secrets) = try await ask(0)
        if answer.status == 400 || answer.status == 401,
            let date = answer.headers["Date"].flatMap({ seconds(httpDate: $0) })
        {
            let offset = date - now().nanoseconds / 1_000_000_000
            if abs(offset) >= 60 { (answer, secrets) = try await ask(offset) }
        }
        guard answer.status == 200 else { throw refusal(answer, what, hiding: secrets) }
        guard let body = (try? JSON.parse(answer.body))?.object else {
            throw CredentialFailure(.unavailable, code: "unreadable", "\(what): the answer is not a JSON object")
        }
        return body
    }
}
