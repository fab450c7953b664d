package import HoldfastCore
internal import HoldfastHTTP
package import HoldfastJSON

/// A change that a cloud has accepted and not yet made: says what to ask next, and when it is over. Asks nothing.
///
/// Azure's Resource Manager gives a URL to ask (`Azure-AsyncOperation`, or `Location`), Google an operation with a link
/// to itself; what gives neither shows in the resource alone (`wait:` in the catalog).
package struct LongOperation: Sendable {
    package enum Step: Sendable {
        /// Send this call in the scope of the first, after a wait, and hand on what it gave.
        case ask(CloudCall, JSONObject, after: Duration)
        /// Read the resource until all of this holds.
        case watch([CloudCall.Wait.Until])
        case done
        /// The cloud gave it up; nothing says how much of it was done.
        case failed(code: String, message: String)
    }
    private enum Kind: String {
        /// The answer's `status` says how it stands.
        case azureOperation = "azure-operation"
        /// 202 until it is over.
        case azureLocation = "azure-location"
        /// `properties.provisioningState` of the resource.
        case azureResource = "azure-resource"
        case google
    }
    package private(set) var step: Step
    /// As the catalog says; `nil` where it says nothing.
    package let atMost: Span?
    private let call: CloudCall
    private var kind: Kind

    /// How long to wait between two questions where the cloud does not say.
    private static let pause = Duration.seconds(5)

    /// - Returns: `nil` where the answer says that all is done.
    package init?(after answer: CallAnswer, to call: CloudCall, with parameters: JSONObject) {
        self.call = call
        atMost = call.wait?.atMost
        kind = .azureOperation
        step = .done
        switch call.wire {
        case .arm: startAzure(answer, parameters)
        case .google: startGoogle(answer)
        default: break
        }
        if case .done = step, let wait = call.wait,
            !wait.until.allSatisfy({ answer.body.value(at: $0.path) == $0.value })
        {
            // An operation that ended well needs no watching; here there was none.
            step = .watch(wait.until)
        }
        if case .done = step { return nil }
    }

    /// What the last call that ``step`` asked for gave.
    package mutating func take(_ outcome: Result<CallAnswer, CallFailure>) {
        guard case .ask(let asked, let parameters, _) = step else { return }
        switch outcome {
        case .failure(let failure):
            switch failure.kind {
            case .throttled, .unavailable, .notSent, .unknownOutcome, .cancelled:
                step = .ask(asked, parameters, after: failure.retryAfter ?? LongOperation.pause)
            case .denied, .refused: step = .failed(code: failure.code, message: failure.message)
            }
        case .success(let answer):
            switch kind {
            case .azureLocation where answer.status == 202:
                step = ask(follow(answer.headers["Location"]) ?? asked, answer)
            case .azureLocation: step = .done
            case .azureOperation:
                step = .by(answer.body["status"], error: answer.body["error"], else: ask(asked, answer))
            case .azureResource:
                let state = answer.body["properties"]?["provisioningState"]
                step = .by(state ?? "Succeeded", error: nil, else: ask(asked, answer, parameters))
            case .google: takeGoogle(answer, else: ask(asked, answer))
            }
        }
    }

    private func ask(_ call: CloudCall, _ answer: CallAnswer, _ parameters: JSONObject = JSONObject()) -> Step {
        .ask(call, parameters, after: answer.pause ?? LongOperation.pause)
    }

    // MARK: Across restarts

    /// What asks for it again after a restart: `{"call", "kind", "request", "parameters"}`; `nil` where there is
    /// nothing to ask.
    package var token: JSON? {
        guard case .ask(let asked, let parameters, _) = step else { return nil }
        return [
            "call": .string(call.name), "kind": .string(kind.rawValue), "request": .string(asked.request),
            "parameters": .object(parameters),
        ]
    }

    /// - Returns: `nil` where it is no token of an operation of the catalog's calls.
    package init?(token: JSON, catalog: Catalog) {
        guard let call = token["call"]?.string.flatMap({ catalog.call($0) }),
            let kind = token["kind"]?.string.flatMap(Kind.init(rawValue:)), let request = token["request"]?.string,
            request.hasPrefix("GET "), let parameters = token["parameters"]?.object
        else { return nil }
        self.call = call
        self.kind = kind
        atMost = call.wait?.atMost
        var asked = call
        asked.request = request
        asked.isIdempotent = true
        step = .ask(asked, parameters, after: .zero)
    }

    // MARK: Azure

    private mutating func startAzure(_ answer: CallAnswer, _ parameters: JSONObject) {
        guard answer.status != 204 else { return }
        if let operation = follow(answer.headers["Azure-AsyncOperation"]) {
            step = ask(operation, answer)
        } else if answer.status == 202, let location = follow(answer.headers["Location"]) {
            kind = .azureLocation
            step = ask(location, answer)
        } else if let state = answer.body["properties"]?["provisioningState"], !call.request.hasPrefix("DELETE") {
            kind = .azureResource
            var read = call
            read.request = "GET " + call.request.drop { $0 != " " }.dropFirst()
            read.isIdempotent = true
            var place = parameters
            for name in ["body", "ifMatch"] { place[name] = nil }
            step = .by(state, error: nil, else: ask(read, answer, place))
        }
    }

    private func follow(_ link: String?) -> CloudCall? { link.map { call.following($0) } }

    // MARK: Google

    private mutating func startGoogle(_ answer: CallAnswer) {
        guard answer.body["kind"]?.string?.hasSuffix("#operation") == true,
            let link = answer.body["selfLink"]?.string?.split(separator: "/", omittingEmptySubsequences: false),
            let own = call.request.split(separator: " ").last?.split(separator: "/", omittingEmptySubsequences: false),
            link.count > 3, own.count > 3
        else { return }
        kind = .google
        // Compute Engine links to another of its hosts; the operation is asked for where it was begun.
        let asked = (own[..<3] + link[3...]).joined(separator: "/")
        takeGoogle(answer, else: ask(call.following(asked), answer))
    }

    private mutating func takeGoogle(_ answer: CallAnswer, else asking: Step) {
        guard answer.body["status"]?.string == "DONE" else {
            step = asking
            return
        }
        guard let error = answer.body["error"]?["errors"]?.array?.first else {
            step = .done
            return
        }
        step = .failed(code: error["code"]?.string ?? "failed", message: error["message"]?.string ?? "")
    }
}

extension LongOperation.Step {
    /// By the word of the Resource Manager: everything that is no end is on the way.
    fileprivate static func by(_ state: JSON?, error: JSON?, else asking: LongOperation.Step) -> LongOperation.Step {
        switch state?.string?.lowercased() {
        case "succeeded": .done
        case "failed", "canceled", "cancelled":
            .failed(
                code: error?["code"]?.string ?? state?.string ?? "Failed",
                message: error?["message"]?.string ?? "the operation ended as \(state?.string ?? "Failed")")
        default: asking
        }
    }
}

extension CallAnswer {
    /// How long the cloud wants us to wait.
    fileprivate var pause: Duration? {
        headers["Retry-After"].flatMap { Int($0) }.map { .seconds(min(max($0, 0), 3600)) }
    }
}
