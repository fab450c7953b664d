import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP

/// What reaches the clouds, made once for a process: connections, credentials, the providers' limits.
struct Clouds: Sendable {
    let http: HTTPClient
    let credentials: CredentialKeeper
    let sender: WireSender<SystemWallClock>
    let budgets: Budgets<SystemWallClock>
    let reader: CloudReader<SystemWallClock>
    let finder: AccountFinder<SystemWallClock>

    /// Nothing in here may write: no write-role is ever taken on.
    init(catalog: Catalog, _ configuration: Configuration) {
        let clock = SystemWallClock()
        let named = configuration.endpoints
        var options = HTTPClientOptions()
        options.authorities = named.authorities.map(configuration.resolve)
        http = HTTPClient(options)
        var endpoints = Endpoints(environment: ProcessInfo.processInfo.environment)
        if let azure = named.azure { endpoints.azure = azure }
        endpoints.google = named.google
        credentials = CredentialKeeper(
            accounts: configuration.listers + configuration.accounts.map(\.access), mayWrite: false, surroundings: .current(), exchange: http,
            targets: Clouds.targets(named), now: { SystemWallClock.now })
        let budgets = Budgets(clock: clock)
        self.budgets = budgets
        sender = WireSender(
            catalog: catalog, http: http, authority: credentials, endpoints: endpoints, clock: clock,
            slowDown: { await budgets.throttled(BudgetKey($0, in: $1), retryAfter: $2) },
            newToken: { UUID().uuidString })
        let caller = CloudCaller(
            catalog: catalog, sender: sender, budgets: budgets, perSecond: configuration.callsPerSecond, clock: clock)
        reader = CloudReader(catalog: catalog, caller: caller)
        finder = AccountFinder(caller: caller)
    }
}

extension Clouds {
    /// Hosts that get tokens: the clouds' own, and those that the configuration names in their place.
    fileprivate static func targets(_ named: Configuration.Endpoints) -> TokenTargets? {
        guard named.azure != nil || !named.google.isEmpty else { return nil }
        let authority = ProcessInfo.processInfo.environment["AZURE_AUTHORITY_HOST"].flatMap {
            AbsoluteURL($0)?.authority
        }
        var targets = TokenTargets.usual(authority: authority ?? "login.microsoftonline.com")
        if let host = named.azure.flatMap({ AbsoluteURL($0)?.authority }) {
            targets.azure[host] = "https://management.azure.com"
        }
        for url in named.google.values { if let host = AbsoluteURL(url)?.authority { targets.google.insert(host) } }
        return targets
    }
}

extension Configuration.Discovery {
    /// Whose credentials list: an account's, or those kept under the name of the container that it begins with.
    var lister: String { cloud == .aws ? account : root }
}

extension Configuration {
    /// What lists the organisations is reached like an account, unless it is one that is configured.
    fileprivate var listers: [AccountAccess] {
        discover.compactMap { discovery in
            switch discovery.cloud {
            case .aws: discovery.account.isEmpty ? nil : discovery.enrolled(discovery.account, name: "").access
            case .azure, .gcp:
                AccountAccess(
                    cloud: discovery.cloud, account: discovery.root,
                    readRole: discovery.readRole?.contains("{account}") == true ? nil : discovery.readRole,
                    tenant: discovery.tenant)
            }
        }
    }
}

extension Configuration.Account {
    var access: AccountAccess {
        AccountAccess(
            cloud: cloud, account: id, readRole: readRole, writeRole: writeRole, externalID: externalID, tenant: tenant)
    }
}

extension Clouds {
    /// The accounts that the configuration names and whose clouds are read.
    ///
    /// - Throws: where an account's roles cannot be meant, and where AWS is read and no region is named.
    func scanAccounts(_ configuration: Configuration, regions: [String] = []) throws -> [ScanAccount] {
        let own = try credentials.ownRegion().map { [$0] } ?? []
        return try configuration.accounts.map { account in
            if let problem = account.access.problems.first { throw Failure(problem) }
            let named = [regions, account.regions, own].first { !$0.isEmpty } ?? []
            guard account.cloud != .aws || !named.isEmpty else {
                throw Failure("no region of the account \(account.id) is named: give regions:, or set AWS_REGION")
            }
            return ScanAccount(cloud: account.cloud, id: account.id, regions: named)
        }
    }
}

/// What a scan goes over: an account, and the regions in which it is looked at.
struct ScanAccount: Hashable {
    var cloud: Cloud
    var id: String
    /// Of AWS; the first is also where global services are asked.
    var regions: [String]
}

extension ScanAccount {
    /// Every type that rules look at, in each of the account's places; what matters most comes first.
    func units(_ policy: Policy) -> [ScanUnit] {
        let types = policy.baseline.typesRead.compactMap { policy.catalog.type($0) }
            .filter { $0.cloud == cloud && !$0.read.isEmpty }
        let ordered = types.sorted { (policy.priority(of: $0.name), $0.name) < (policy.priority(of: $1.name), $1.name) }
        return ordered.flatMap { type in
            let regions = cloud == .aws && type.scope != .global ? regions : [""]
            return regions.compactMap { region -> ScanUnit? in
                let place = ResourceContext(cloud: cloud, account: id, region: region)
                guard type.list != nil || type.single(in: place) != nil else { return nil }
                return ScanUnit(type: type.name, place: place)
            }
        }
    }
}
