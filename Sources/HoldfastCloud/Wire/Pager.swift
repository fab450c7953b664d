package import HoldfastCore
package import HoldfastJSON

/// All pages of a call, one after the other. How one leads to the next is data: of AWS the provider's model says it, of
/// Azure the answer's `nextLink`, of Google its `nextPageToken`. A call that knows no pages has one.
package struct Pager: Sendable {
    private enum Rule: Sendable {
        case tokens(WirePages)
        case link
        case pageToken
        case none
    }
    private var call: CloudCall
    private var parameters: JSONObject
    private let scope: CallScope
    private let sender: any CallSender
    private let rule: Rule
    private let limit: Int
    private var count = 0
    private var isOver = false
    /// What has led to a page before. One that comes again would lead on for ever.
    private var seen: Set<String> = []

    /// - Parameter limit: pages after which the list is given up as endless.
    package init(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope, catalog: Catalog, sender: any CallSender,
        limit: Int = 10_000
    ) {
        self.call = call
        self.parameters = parameters
        self.scope = scope
        self.sender = sender
        self.limit = limit
        switch call.wire {
        case .arm: rule = .link
        case .google: rule = .pageToken
        default: rule = catalog.wire(of: call)?.operation.pages.map(Rule.tokens) ?? .none
        }
    }

    /// The next page; `nil` after the last. After an error the same page can be asked for again, unless the pages turn
    /// in a circle.
    package mutating func next() async throws(CallFailure) -> CallAnswer? {
        if isOver { return nil }
        guard count < limit else { throw failure("tooManyPages", "gave \(limit) pages and does not end") }
        let answer = try await sender.send(call, parameters: parameters, in: scope)
        count += 1
        isOver = true
        guard let mark = lead(from: answer.body) else { return answer }
        guard seen.insert(mark).inserted else { throw failure("repeatedPage", "leads to a page that it gave before") }
        isOver = false
        return answer
    }

    /// Turns the call into the one for the page after this answer; gives what leads there, `nil` where there is none.
    private mutating func lead(from answer: JSON) -> String? {
        switch rule {
        case .none: return nil
        case .link:
            guard let link = answer["nextLink"]?.string, !link.isEmpty else { return nil }
            call = call.following(link)
            parameters = JSONObject()
            return link
        case .pageToken:
            guard let token = answer["nextPageToken"]?.string, !token.isEmpty else { return nil }
            if call.request.hasPrefix("POST "), var body = parameters["body"]?.object {
                body["pageToken"] = .string(token)
                parameters["body"] = .object(body)
            } else {
                parameters["pageToken"] = .string(token)
            }
            return token
        case .tokens(let pages):
            if let more = pages.more, answer.value(atNames: more)?.bool != true { return nil }
            var found: [String] = []
            for token in pages.tokens {
                let value = answer.value(atNames: token.output) ?? .null
                parameters[token.input] = value.isNull || value == "" ? nil : value
                found.append(parameters[token.input]?.canonicalText ?? "")
            }
            return found.allSatisfy(\.isEmpty) ? nil : found.joined(separator: "\n")
        }
    }

    private func failure(_ code: String, _ what: String) -> CallFailure {
        CallFailure(kind: .unavailable, code: code, message: "\(call.name) \(what)")
    }
}

extension JSON {
    /// What stands at names with `.` between them.
    fileprivate func value(atNames path: String) -> JSON? {
        path.split(separator: ".").reduce(Optional(self)) { $0?[String($1)] }
    }
}
