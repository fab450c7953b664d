import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import HoldfastStore

/// What is asked of clouds: polled logs, credentials, permissions, organisations, and what time it is there.
struct CloudCheckup {
    private let data: DataSet
    private let configuration: Configuration
    private let clouds: Clouds
    private let accountLimit: Int
    private let clocks = Clocks()
    private let sender: ClockedSender
    private let reader: CloudReader<SystemWallClock>

    init(_ data: DataSet, accountLimit: Int) {
        self.data = data
        self.accountLimit = accountLimit
        // What organisations were found to have stands in the journal, where there is one.
        let journal = try? SQLiteJournal(.file(data.configuration.sqlitePath), access: .readOnly)
        configuration = data.configuration.knowing((try? journal?.accounts()) ?? [])
        clouds = Clouds(
            catalog: data.catalog, configuration, mayWrite: configuration.remediation.highest == .remediate)
        sender = ClockedSender(inner: clouds.sender, clocks: clocks)
        reader = CloudReader(
            catalog: data.catalog,
            caller: CloudCaller(
                catalog: data.catalog, sender: sender, budgets: clouds.budgets, perSecond: configuration.callsPerSecond,
                clock: SystemWallClock()))
    }

    /// - Parameter tell: given what is found of each account, as it is found.
    /// - Returns: the rest.
    func diagnoses(_ tell: ([Diagnosis]) -> Void) async -> [Diagnosis] {
        for source in configuration.sources { tell(await polled(source)) }
        for discovery in configuration.discover { tell([await organisation(discovery)]) }
        let read = configuration.accounts.filter { configuration.clouds.contains($0.cloud) }
        for account in read.prefix(accountLimit) { tell(await examine(account)) }
        if read.count > accountLimit {
            tell([
                .note(
                    "permission", "", "\(read.count - accountLimit) more accounts were not tried",
                    do: "--accounts \(read.count) tries all")
            ])
        }
        await clouds.http.close()
        return [clocks.diagnosis]
    }

    // MARK: Sources

    private func polled(_ source: Configuration.Source) async -> [Diagnosis] {
        var found: [Diagnosis] = []
        for trial in PolledTrial.trials(of: source, configuration, now: SystemWallClock.now) {
            do throws(CallFailure) {
                guard let call = data.catalog.call(trial.call) else { continue }
                _ = try await sender.send(call, parameters: trial.parameters, in: trial.scope)
                found.append(.ok("source", trial.name, "it answers"))
            } catch {
                found.append(.fails("source", trial.name, error.message, do: Self.remedy(error, call: trial.call)))
            }
        }
        return found
    }

    private static func remedy(_ error: CallFailure, call: String) -> String {
        switch error.kind {
        case .denied: "allow \(call): `holdfast permissions --read` prints all that is needed"
        case .throttled: "wait and try again"
        case .refused: "correct what the source names"
        case .unavailable, .notSent, .unknownOutcome, .cancelled:
            "see whether this machine reaches the cloud's hosts (proxy, firewall, endpoints:)"
        }
    }

    private func organisation(_ discovery: Configuration.Discovery) async -> Diagnosis {
        guard let plan = data.catalog.discoveries[discovery.kind] else {
            return .fails(
                "organisation", discovery.name, "the catalog has no \(discovery.kind)", do: "use the shipped one")
        }
        let found = await clouds.finder.find(
            plan, root: discovery.root, as: discovery.lister, wantsTags: configuration.classifiesByTags)
        if let first = found.failures.first {
            return .fails(
                "organisation", discovery.name, first.message, do: "see runbooks/discovery-failing.md")
        }
        return .ok("organisation", discovery.name, "it has \(found.accounts.count) accounts")
    }

    // MARK: Accounts

    private func examine(_ account: Configuration.Account) async -> [Diagnosis] {
        let name = "\(account.cloud.rawValue) \(account.id)"
        if let problem = account.access.problems.first {
            return [.fails("credential", name, problem, do: "correct it under accounts:")]
        }
        if let refused = await credential(account, .read, "\(name) to read") { return [refused] }
        var found: [Diagnosis] = [.ok("credential", "\(name) to read", "it was given")]
        if account.writeRole != nil, configuration.remediation.highest == .remediate {
            let refused = await credential(account, .write, "\(name) to write")
            found.append(refused ?? .ok("credential", "\(name) to write", "it was given; no call was made with it"))
        }
        do {
            guard let place = try clouds.scanAccounts(configuration).first(where: { $0.id == account.id }) else {
                return found
            }
            return found + (await permissions(place, name))
        } catch {
            return found + [.fails("permission", name, "\(error)", do: "name regions: under accounts:")]
        }
    }

    private func credential(
        _ account: Configuration.Account, _ access: CallScope.Access, _ name: String
    ) async -> Diagnosis? {
        do throws(CallFailure) {
            try await clouds.credentials.obtain(
                for: CallScope(cloud: account.cloud, account: account.id, access: access))
            return nil
        } catch {
            return .fails(
                "credential", name, error.message,
                do:
                    "look at this machine's credentials, the role, and whom it trusts (runbooks/rotate-credentials.md)"
            )
        }
    }

    /// Of each type that rules read, in the account's first region: its list's first page and its first resource.
    private func permissions(_ account: ScanAccount, _ name: String) async -> [Diagnosis] {
        var first = account
        first.regions = Array(account.regions.prefix(1))
        let units = first.units(data.policy())
        var tried = Tried()
        await withTaskGroup(of: (ScanUnit, Bool, [ReadError]).self) { group in
            for unit in units {
                group.addTask {
                    let attempt = await reader.attempt(unit.type, at: unit.place)
                    return (unit, attempt.hasRead, attempt.failures)
                }
            }
            for await (unit, hasRead, failures) in group { tried.add(unit, hasRead, failures) }
        }
        return tried.diagnoses(name, types: units.count)
    }
}
