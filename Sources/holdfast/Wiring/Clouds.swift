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

    /// Nothing in here may write: no write-role is ever taken on.
    init(catalog: Catalog, _ configuration: Configuration) {
        let clock = SystemWallClock()
        let environment = ProcessInfo.processInfo.environment
        http = HTTPClient()
        credentials = CredentialKeeper(
            accounts: configuration.accounts.map(\.access), mayWrite: false, surroundings: .current(), exchange: http,
            now: { SystemWallClock.now })
        sender = WireSender(
            catalog: catalog, http: http, authority: credentials, endpoints: Endpoints(environment: environment),
            clock: clock, newToken: { UUID().uuidString })
        budgets = Budgets(clock: clock)
        reader = CloudReader(
            catalog: catalog,
            caller: CloudCaller(
                catalog: catalog, sender: sender, budgets: budgets, perSecond: configuration.callsPerSecond,
                clock: clock))
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
    /// Every type that can be read, in each of the account's places; what matters most comes first.
    func units(_ policy: Policy) -> [ScanUnit] {
        let types = policy.catalog.typeNames.compactMap { policy.catalog.type($0) }
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
