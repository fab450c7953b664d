internal import Foundation
package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON

/// Folders (or single files) of data files.
package struct DataFolders: Sendable {
    package var catalog: [String]
    package var baseline: [String]
    package var playbooks: [String]
    package var tune: [String]

    package init(catalog: [String], baseline: [String], playbooks: [String], tune: [String] = []) {
        self.catalog = catalog
        self.baseline = baseline
        self.playbooks = playbooks
        self.tune = tune
    }
}

/// All data files of a configuration, loaded and checked against each other.
package struct DataSet: Sendable {
    package var configuration: Configuration
    package var catalog: Catalog
    package var baseline: Baseline
    package var playbooks: Playbooks
    package var problems: [Problem]
    /// SHA-256 over names and contents of the catalog's files.
    package var catalogDigest: String
    /// The same over all data files.
    package var digest: String
    /// Likewise of baseline and tuning, and of playbooks.
    package private(set) var baselineDigest: String
    package private(set) var playbooksDigest: String

    /// Reads and checks everything in some folders; what is broken is left out and stands in ``problems``.
    package init(_ folders: DataFolders, configuration: Configuration, now: Timestamp) {
        let (catalogFiles, catalogReading) = DataFolder.read(folders.catalog)
        let operations = OperationList.read(folders.catalog)
        let (wireFiles, wireReading) = DataFolder.readWire(folders.catalog)
        let (catalog, catalogProblems) = Catalog.load(
            catalogFiles.map { ($0.name, $0.node) }, operations: operations.isEmpty ? nil : operations,
            wire: wireFiles)
        let (baselineFiles, baselineReading) = DataSet.readBaseline(folders)
        let (baseline, baselineProblems) = Baseline.load(
            baselineFiles, catalog: catalog, lists: Set(configuration.lists.keys),
            environments: configuration.environments, now: now)
        let (playbookFiles, playbookReading) = DataFolder.read(folders.playbooks)
        let lists = Baseline.configurationLists.union(configuration.lists.keys)
        let (playbooks, playbookProblems) = Playbooks.load(
            playbookFiles.map { ($0.name, $0.node) },
            vocabulary: PlaybookVocabulary(catalog: catalog, baseline: baseline, lists: lists))
        self.configuration = configuration
        self.catalog = catalog
        self.baseline = baseline
        self.playbooks = playbooks
        problems =
            catalogReading + wireReading + catalogProblems + baselineReading + baselineProblems + playbookReading
            + playbookProblems + configuration.regionProblems(catalog)
        catalogDigest = DataSet.digest(catalogFiles, wireFiles)
        let others = baselineFiles.map { ($0.name, $0.node) } + playbookFiles.map { ($0.name, $0.node) }
        digest = sha256((catalogDigest + DataSet.text(others.map { ($0.0, $0.1.json) })).utf8).description
        baselineDigest = DataSet.digest(DataFolder.read(folders.baseline + folders.tune).files, [])
        playbooksDigest = DataSet.digest(playbookFiles, [])
    }

    private static func readBaseline(_ folders: DataFolders) -> (files: [BaselineFile], problems: [Problem]) {
        let (files, reading) = DataFolder.read(folders.baseline)
        let (tunes, tuneReading) = DataFolder.read(folders.tune)
        var problems = reading + tuneReading
        var found = tunes.map { BaselineFile(kind: .tune, name: $0.name, node: $0.node) }
        for file in files {
            if let (kind, name) = BaselineFile.place(ofPath: file.name) {
                found.append(BaselineFile(kind: kind, name: name, node: file.node))
            } else {
                let kinds = BaselineFile.Kind.allCases.map { "\($0.rawValue)/" }.joined(separator: ", ")
                problems.append(Problem("a baseline file lies in one of \(kinds)", at: file.node.place))
            }
        }
        return (found, problems)
    }

    private static func digest(_ files: [DataFile], _ wire: [WireFile]) -> String {
        let trees = files.map { ($0.name, $0.node.json) } + wire.map { ($0.name, $0.json) }
        return sha256(text(trees).utf8).description
    }

    private static func text(_ trees: [(String, JSON)]) -> String {
        trees.map { "\($0.0)\n\($0.1.canonicalText)\n" }.joined()
    }

    /// What the engine runs by.
    ///
    /// - Parameter found: the accounts that organisations have, as the journal knows of them.
    package func policy(found: [StoredAccount] = []) -> Policy {
        let configuration = configuration.knowing(found)
        var limits = Limits()
        limits.knownEvents = configuration.knownEvents
        limits.describesAtOnce = configuration.describesAtOnce
        limits.settleTime = configuration.settleTime
        limits.clockTolerance = configuration.clockTolerance
        limits.dirtyAge = configuration.dirtyAge
        limits.margin = configuration.consistencyMargin
        limits.evidenceRetention = configuration.audit.evidenceRetention
        limits.resolution = configuration.timeResolution
        return Policy(
            catalog: catalog, baseline: baseline, playbooks: playbooks,
            classification: configuration.classification(found: found), lists: configuration.listsWithAccounts,
            limits: limits, remediation: configuration.remediation, people: configuration.people,
            messages: configuration.routing, plansAreMade: configuration.remediation.highest > .observe,
            catalogDigest: catalogDigest,
            accounts: configuration.namesAccounts
                ? Set(configuration.accounts.map { AccountName(cloud: $0.cloud, id: $0.id) }) : nil)
    }
}

extension Configuration {
    /// What is known of an account stays so when its organisation no longer has it, or its `discover:` is gone.
    fileprivate func classification(found: [StoredAccount]) -> Classification {
        let listed = accounts.compactMap { account in
            account.environment.map {
                Classification.Account(
                    cloud: account.cloud, id: account.id, environment: $0, owner: account.owner, place: account.place)
            }
        }
        var facts: [String: [String: String]] = [:]
        for account in found { facts["\(account.cloud.rawValue)/\(account.id)"] = account.listing?.facts }
        for account in accounts where !account.name.isEmpty {
            facts["\(account.cloud.rawValue)/\(account.id)", default: [:]]["name"] = account.name
        }
        return Classification(
            environments: environments, accounts: listed,
            lines: classify.map {
                .init(match: $0.match, environment: $0.environment, owner: $0.owner, place: $0.place)
            },
            trustsLabels: trustsLabels, facts: facts)
    }

    /// The configuration's lists; `our-accounts` is its accounts where it does not say otherwise.
    fileprivate var listsWithAccounts: [String: [String]] {
        var lists = lists
        if lists["our-accounts"] == nil, !accounts.isEmpty { lists["our-accounts"] = accounts.map(\.id) }
        return lists
    }
}

/// `operations.tsv` of each cloud: the names of the operations that the cloud logs.
enum OperationList {
    static func read(_ folders: [String]) -> [Cloud: Set<String>] {
        var operations: [Cloud: Set<String>] = [:]
        for folder in folders {
            for cloud in Cloud.allCases {
                let path = "\(folder)/\(cloud.rawValue)/operations.tsv"
                guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
                let names = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
                    .compactMap { $0.split(separator: "\t").first.map(String.init) }
                operations[cloud, default: []].formUnion(names)
            }
        }
        return operations
    }
}
