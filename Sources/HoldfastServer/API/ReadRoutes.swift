internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import Hummingbird

/// `GET /api/v1/…`: the questions that the command line asks, with the same answers.
struct ReadRoutes: Sendable {
    let archive: @Sendable () async -> Archive

    func add(to group: RouterGroup<Visit>) {
        for path in [
            "findings", "findings/:id", "findings/:id/plan", "resources", "resource", "notices", "dead-letters",
            "counters", "audit", "approvals", "plans/:digest", "findings/:id/why", "runs", "runs/:id", "halts",
            "rollout",
            "campaigns", "drills", "drills/:id", "reports/dry-run", "reports/exemptions",
        ] {
            group.get(RouterPath(path)) { request, _ in try await self.answer(request) }
        }
    }

    private func answer(_ request: Request) async throws(Refusal) -> Response {
        let path = try Address.path(of: request).dropFirst(2)
        do throws(QueryError) {
            guard let (query, page) = try Query.read(path: Array(path), parameters: Address.parameters(of: request))
            else { throw QueryError(.unknown, "there is no such question") }
            return .json(try await archive().answer(query, page).json)
        } catch {
            throw Refusal(error)
        }
    }
}

extension Refusal {
    init(_ error: QueryError) {
        switch error.code {
        case .unknown: self = .notFound(error.message)
        case .malformed: self = .malformed(error.message)
        case .failed: self = Refusal(503, "journal-failed", error.message, retryAfter: 10)
        }
    }
}

/// The path and parameters of a request, percent-decoded.
enum Address {
    /// - Throws: 400 where a part is not UTF-8 in percent-encoding, or holds a control character.
    static func path(of request: Request) throws(Refusal) -> [String] {
        var parts: [String] = []
        for part in request.uri.path.split(separator: "/") {
            guard let decoded = decode(part, plusIsSpace: false) else {
                throw .malformed("the path is not in percent-encoded UTF-8")
            }
            parts.append(decoded)
        }
        return parts
    }

    static func parameters(of request: Request) throws(QueryError) -> Query.Parameters {
        guard let found = pairs(request.uri.query ?? "") else {
            throw QueryError(.malformed, "the parameters are not in percent-encoded UTF-8")
        }
        return found
    }

    /// The pairs of a query or of a form's body (`application/x-www-form-urlencoded`); `nil` where one cannot be read.
    static func pairs(_ text: some StringProtocol) -> Query.Parameters? {
        var found: Query.Parameters = []
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0], plusIsSpace: true),
                let value = decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { return nil }
            found.append((name, value))
        }
        return found
    }

    /// A part of a path.
    static func decoded(_ text: some StringProtocol) -> String? { decode(text, plusIsSpace: false) }

    private static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(hexDigit), let low = rest.next().flatMap(hexDigit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { return nil }
        // Lines are broken in reasons that people write, and nowhere else.
        return decoded.unicodeScalars.contains { $0.value < 0x20 && !"\r\n\t".unicodeScalars.contains($0) }
            ? nil : decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
