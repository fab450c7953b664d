package import HoldfastCore
package import HoldfastEngine
package import HoldfastJSON

/// The device flow (RFC 8628), as what to do next: a person confirms a code in a browser anywhere, and the program
/// asks again and again whether they have.
package struct DeviceFlow: Sendable {
    /// What the provider answered to the beginning.
    package struct Code: Sendable, Hashable {
        package var device: String
        package var user: String
        package var place: String
        /// With the code in it, where the provider has such a thing.
        package var completePlace: String?
        package var lasts: Span
        package var interval: Span

        /// - Throws: ``SignInFailure`` where a part is missing.
        package init(_ json: JSON) throws(SignInFailure) {
            guard let device = json["device_code"]?.string, let user = json["user_code"]?.string,
                let place = json["verification_uri"]?.string ?? json["verification_url"]?.string
            else { throw SignInFailure("the provider's answer has no code: \(OAuthAnswer.problem(json))") }
            self.device = device
            self.user = user
            self.place = place
            completePlace = json["verification_uri_complete"]?.string
            lasts = OAuthAnswer.seconds(json["expires_in"]) ?? Span(seconds: 600)
            interval = OAuthAnswer.seconds(json["interval"]) ?? Span(seconds: 5)
        }
    }

    package enum Action: Sendable, Hashable {
        /// Ask after this time.
        case ask(after: Span)
        case done(TokenSet)
        case failed(String)
    }

    private var interval: Span
    private let ends: Timestamp

    package init(_ code: Code, now: Timestamp) {
        interval = code.interval
        ends = now + code.lasts
    }

    package var first: Action { .ask(after: interval) }

    /// - Parameter answer: `nil` where none came.
    package mutating func next(after answer: OutboundAnswer?, now: Timestamp) -> Action {
        guard let answer else {
            // RFC 8628, 3.5: who gets no answer asks less often.
            interval = Span(nanoseconds: min(interval.nanoseconds * 2, Span(seconds: 60).nanoseconds))
            return again(now)
        }
        guard let json = try? JSON.parse(answer.body) else {
            return answer.status >= 500 ? again(now) : .failed("the provider answers \(answer.status) with no JSON")
        }
        if answer.status == 200 {
            return TokenSet(json, now: now).map(Action.done) ?? .failed("the provider gave no token")
        }
        switch json["error"]?.string {
        case "authorization_pending": return again(now)
        case "slow_down":
            interval = Span(nanoseconds: interval.nanoseconds + Span(seconds: 5).nanoseconds)
            return again(now)
        case "expired_token": return expired
        case "access_denied": return .failed("the sign-in was refused in the browser")
        default: return answer.status >= 500 ? again(now) : .failed(OAuthAnswer.problem(json))
        }
    }

    private func again(_ now: Timestamp) -> Action { now + interval < ends ? .ask(after: interval) : expired }

    private var expired: Action {
        .failed("nobody confirmed the code in time; run `holdfast login` again")
    }
}

/// What a provider's token endpoint gave.
package struct TokenSet: Sendable, Hashable {
    package var access: String
    package var id: String?
    package var refresh: String?
    package var expires: Timestamp

    /// `nil` where there is no token in it.
    package init?(_ json: JSON, now: Timestamp) {
        guard let access = json["access_token"]?.string ?? json["id_token"]?.string else { return nil }
        self.access = access
        id = json["id_token"]?.string
        refresh = json["refresh_token"]?.string
        expires = now + (OAuthAnswer.seconds(json["expires_in"]) ?? Span(seconds: 300))
    }

    /// What Holdfast's server is shown: the access token where it is one that is meant for it, else the ID token.
    package func bearer(for audience: String) -> String {
        guard let token = try? CompactToken(access) else { return id ?? access }
        let audiences = token.claims["aud"]?.array?.compactMap(\.string) ?? [token.claims["aud"]?.string ?? ""]
        return audiences.contains(audience) ? access : id ?? access
    }
}

/// Why nobody was signed in, in a sentence.
package struct SignInFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// What OAuth's answers have in common.
enum OAuthAnswer {
    /// What went wrong, by the provider's own words.
    static func problem(_ json: JSON) -> String {
        let words = [json["error"]?.string, json["error_description"]?.string].compactMap { $0 }
        return words.isEmpty ? "the provider said no more" : printable(words.joined(separator: ": "))
    }

    static func seconds(_ json: JSON?) -> Span? {
        guard case .number(let number)? = json, (0...10_000_000).contains(number.double) else { return nil }
        return Span(nanoseconds: Int64(number.double * 1e9))
    }

    /// `application/x-www-form-urlencoded`.
    static func form(_ pairs: [(String, String)]) -> [UInt8] {
        Array(pairs.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&").utf8)
    }
}

/// RFC 3986: everything but the unreserved characters.
package func percentEncoded(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            out.unicodeScalars.append(Unicode.Scalar(byte))
        default: out += byte < 16 ? "%0\(String(byte, radix: 16))" : "%\(String(byte, radix: 16))"
        }
    }
    return out
}
