package import HoldfastCore
package import HoldfastEngine
package import HoldfastJSON

/// Sends calls as fast as the providers' limits allow, and learns from what they say of it.
package struct BudgetedSender<C: HoldfastClock>: CallSender {
    private let sender: any CallSender
    private let budgets: Budgets<C>
    private let limit: BudgetLimit?

    /// - Parameter perSecond: calls to one service in one account and region; `nil`: what the provider allows.
    package init(_ sender: any CallSender, _ budgets: Budgets<C>, perSecond: Int? = nil) {
        self.sender = sender
        self.budgets = budgets
        limit = perSecond.map { BudgetLimit(capacity: Double($0) * 4, perSecond: Double($0)) }
    }

    package func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer {
        let key = BudgetKey(call, in: scope)
        do {
            try await budgets.spend(key, limit ?? call.budget)
        } catch {
            throw CallFailure(kind: .cancelled, code: "cancelled", message: "cancelled")
        }
        do {
            let answer = try await sender.send(call, parameters: parameters, in: scope)
            await budgets.succeeded(key)
            return answer
        } catch {
            if error.kind == .throttled { await budgets.throttled(key, retryAfter: error.retryAfter) }
            throw error
        }
    }
}

extension BudgetKey {
    /// What a call is counted with.
    package init(_ call: CloudCall, in scope: CallScope) {
        self.init(cloud: scope.cloud, account: scope.account, region: scope.region, family: call.family)
    }
}

extension CloudCall {
    /// The part of a cloud's API that has limits of its own: an AWS service, a kind of Azure's or Google's resources.
    fileprivate var family: String { name.split(separator: ".").first.map(String.init) ?? name }

    /// What the provider allows to this part of its API (EC2's developer guide: 100 and 20 a second for reads; Azure
    /// Resource Manager: 250 and 25 a second; Compute Engine: 1,500 a minute). AWS's other services get EC2's.
    fileprivate var budget: BudgetLimit {
        switch wire {
        case .arm: BudgetLimit(capacity: 250, perSecond: 25)
        case .google: BudgetLimit(capacity: 100, perSecond: 25)
        // S3 answers thousands a second; this bounds what we ask of it.
        case .restXML: BudgetLimit(capacity: 200, perSecond: 200)
        case .query, .ec2, .json10, .json11, .restJSON: BudgetLimit(capacity: 100, perSecond: 20)
        }
    }
}
