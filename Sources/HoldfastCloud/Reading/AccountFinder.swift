package import HoldfastCore
package import HoldfastEngine

/// Asks organisations which accounts they have, by the calls that the catalog names.
package struct AccountFinder<C: HoldfastClock>: Sendable {
    private let caller: CloudCaller<C>

    package init(caller: CloudCaller<C>) { self.caller = caller }

    /// What an organisation said.
    package struct Found: Sendable {
        /// In the order of their ids.
        package var accounts: [DiscoveredAccount]
        /// All containers were listed: what is not among the accounts is not in the organisation.
        package var isWhole: Bool
        package var failures: [ReadFailure]
    }

    /// - Parameters:
    ///   - root: the container to begin with; empty: the organisation's own roots.
    ///   - account: whose credentials ask, as ``CredentialKeeper`` knows it; empty: our own.
    ///   - wantsTags: whether tags are asked for where that takes calls of its own.
    package func find(
        _ plan: DiscoveryPlan, root: String, as account: String, wantsTags: Bool
    ) async -> Found {
        var run = DiscoveryRun(plan, root: root, wantsTags: wantsTags)
        let context = ResourceContext(cloud: plan.cloud, account: account, region: "")
        while case let requests = run.next(), !requests.isEmpty {
            for (request, outcome) in await caller.all(requests, at: context) { run.take(outcome.forRun, for: request) }
        }
        return Found(accounts: run.accounts, isWhole: run.isWhole, failures: run.failures)
    }
}
