package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// Makes the calls that reads and lists ask for: within the providers' limits, all pages of each.
package struct CloudCaller<C: HoldfastClock>: Sendable {
    package let clock: C
    private let catalog: Catalog
    private let sender: BudgetedSender<C>

    /// - Parameter perSecond: see ``BudgetedSender``.
    package init(
        catalog: Catalog, sender: any CallSender, budgets: Budgets<C>, perSecond: Int? = nil, clock: C
    ) {
        self.catalog = catalog
        self.sender = BudgetedSender(sender, budgets, perSecond: perSecond)
        self.clock = clock
    }

    /// What one call gave, all its pages in one.
    enum Outcome: Sendable {
        case answer(JSON, began: Timestamp)
        case refused(code: String)
        case failed(ReadFailure)

        var forRun: ReadRun.Outcome {
            switch self {
            case .answer(let json, _): .answer(json)
            case .refused(let code): .refused(code: code)
            case .failed(let failure): .failed(failure)
            }
        }
    }

    /// Calls that need nothing of each other, in the order in which they were asked for.
    func all(_ requests: [CallRequest], at context: ResourceContext) async -> [(CallRequest, Outcome)] {
        await withTaskGroup(of: (Int, Outcome).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, await outcome(of: request, at: context)) }
            }
            var outcomes: [Outcome?] = Array(repeating: nil, count: requests.count)
            for await (index, outcome) in group { outcomes[index] = outcome }
            return zip(requests, outcomes).compactMap { request, outcome in outcome.map { (request, $0) } }
        }
    }

    private func outcome(of request: CallRequest, at context: ResourceContext) async -> Outcome {
        do {
            let answer = try await pages(of: request, at: context)
            return .answer(answer.body, began: answer.started)
        } catch {
            if error.kind == .refused { return .refused(code: error.code) }
            return .failed(failure(error, of: request, at: context))
        }
    }

    /// All resources of a type in one account and region.
    ///
    /// - Parameter onlyFirstPage: the rest is left out: to see whether the call is allowed.
    package func list(
        _ step: ListStep, of type: ResourceType, at context: ResourceContext, onlyFirstPage: Bool = false
    ) async throws(ReadFailure) -> [ListedResource] {
        let request = step.asked(of: type, in: context)
        do {
            let answer = try await pages(of: request, at: context, onlyFirst: onlyFirstPage)
            return step.resources(in: answer.body, of: type, at: context).found
        } catch {
            // Google says of a service that nobody turned on that calls to it are not allowed.
            if step.absent.contains(error.code) { return [] }
            throw failure(error, of: request, at: context)
        }
    }

    /// All pages of a call, as one answer.
    private func pages(
        of request: CallRequest, at context: ResourceContext, onlyFirst: Bool = false
    ) async throws(CallFailure) -> CallAnswer {
        guard let call = catalog.call(request.call) else {
            throw CallFailure(kind: .refused, code: "unknown-call", message: "the catalog has no call \(request.call)")
        }
        let scope = CallScope(cloud: context.cloud, account: context.account, region: context.region)
        var pager = Pager(call, parameters: request.parameters, in: scope, catalog: catalog, sender: sender)
        var whole: CallAnswer?
        while let page = try await pager.next() {
            if whole == nil { whole = page } else { whole?.body.append(page.body) }
            if onlyFirst { break }
        }
        guard let whole else {
            throw CallFailure(kind: .unavailable, code: "no-answer", message: "\(call.name) gave no page")
        }
        return whole
    }

    private func failure(_ error: CallFailure, of request: CallRequest, at context: ResourceContext) -> ReadFailure {
        guard error.kind == .denied else {
            let wait = error.retryAfter.map { Span(nanoseconds: Int64($0 / .nanoseconds(1))) }
            return ReadFailure(code: error.code, message: error.message, isDenied: false, retryAfter: wait)
        }
        let permission = catalog.call(request.call)?.permission ?? request.call
        return ReadFailure(code: "\(permission) in \(context.account)", message: error.message, isDenied: true)
    }
}

extension JSON {
    /// The lists of another page after those of this one, at whatever depth; all else stays.
    fileprivate mutating func append(_ page: JSON) {
        switch (self, page) {
        case (.array(let own), .array(let more)): self = .array(own + more)
        case (.object(var own), .object(let more)):
            for member in more.members {
                if var known = own[member.name] {
                    known.append(member.value)
                    own[member.name] = known
                } else {
                    own[member.name] = member.value
                }
            }
            self = .object(own)
        default: break
        }
    }
}
