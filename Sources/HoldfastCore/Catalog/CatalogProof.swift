internal import HoldfastJSON

/// What the providers' models say of the catalog.
package struct CatalogProof: Sendable {
    /// The contents of `operations.tsv` of each cloud all of whose models were given: what is logged, a tab, the
    /// operation that it comes from.
    package var operations: [Cloud: String] = [:]
    /// The contents of `aws/wire/<service>.json` and `aws/endpoints.json`, by path, of each AWS model that was given.
    package var wire: [String: String] = [:]
    /// Calls, parameters, events and places in events that the models do not have.
    package var problems: [Problem] = []
}

extension Catalog {
    /// The proof needs the file at this path.
    package func needsModel(at path: String) -> Bool {
        switch ModelFile.part(at: path) {
        case .operations(let cloud, let name): models.contains { $0.cloud == cloud && $0.name == name }
        case .pages(let name): models.contains { $0.cloud == .aws && $0.name == name }
        case .partitions, .endpoints: models.contains { $0.cloud == .aws }
        case nil: false
        }
    }

    /// Holds calls and events against the providers' models.
    ///
    /// - Parameter files: those that ``needsModel(at:)`` asks for; of several versions of one AWS model the last by
    ///   path counts.
    package func proof(from files: some Sequence<ModelFile>) -> CatalogProof {
        var prover = CatalogProver(catalog: self)
        for file in files.sorted(by: { $0.path.precedesInUTF8($1.path) }) { prover.read(file) }
        prover.listOperations()
        prover.checkCalls()
        prover.checkEvents()
        prover.checkReads()
        prover.takeWireFiles()
        prover.proof.problems.sort { $0.place < $1.place }
        return prover.proof
    }
}

private struct CatalogProver {
    let catalog: Catalog
    var proof = CatalogProof()
    /// By cloud and model.
    private var operations: [String: [ModelOperation]] = [:]
    /// What is logged -> the operations that it comes from.
    private var sources: [Cloud: [String: [ModelOperation]]] = [:]
    private var logged: [Cloud: [String: String]] = [:]
    /// Clouds of which a model is missing: a list of their operations would miss some too.
    private var incomplete: Set<Cloud> = []
    private var wire: WireProver

    init(catalog: Catalog) {
        self.catalog = catalog
        wire = WireProver(catalog: catalog)
    }

    mutating func read(_ file: ModelFile) {
        guard let part = ModelFile.part(at: file.path), catalog.needsModel(at: file.path) else { return }
        if case .operations(.azure, let name) = part {
            if let found = ModelFile.azure(file.bytes) { operations["azure \(name)", default: []] += found }
            return
        }
        guard let json = try? JSON.parse(file.bytes) else { return }
        wire.note(json, as: part, at: file.path)
        guard case .operations(let cloud, let name) = part,
            let found = ModelFile.operations(in: json, cloud: cloud, model: name)
        else { return }
        let key = "\(cloud.rawValue) \(name)"
        operations[key] = cloud == .aws ? found : (operations[key] ?? []) + found
    }

    mutating func takeWireFiles() {
        let (files, problems) = wire.files()
        proof.wire = files
        proof.problems += problems
    }

    // MARK: What is logged

    mutating func listOperations() {
        for model in catalog.models {
            guard let found = operations["\(model.cloud.rawValue) \(model.name)"] else {
                proof.problems.append(
                    Problem("the model \"\(model.name)\" is not among the files given", at: model.place))
                incomplete.insert(model.cloud)
                continue
            }
            for operation in found where !operation.logged.isEmpty { note(operation, of: model) }
            for name in model.beside { note(name, from: nil, cloud: model.cloud) }
            let known = Set(found.map(model.own))
            for name in model.names.keys.sorted() where !known.contains(name) {
                let hint = suggestion(for: name, among: known.sorted())
                proof.problems.append(
                    Problem("the model \"\(model.name)\" has no operation \"\(name)\"\(hint)", at: model.place))
            }
        }
        for (cloud, names) in logged where !incomplete.contains(cloud) {
            let lines = names.sorted { $0.key.precedesInUTF8($1.key) }.map { "\($0.key)\t\($0.value)\n" }
            proof.operations[cloud] = "# Made by `holdfast catalog prove`; do not edit.\n" + lines.joined()
        }
    }

    private mutating func note(_ operation: ModelOperation, of model: ProviderModel) {
        let own = model.own(operation)
        for name in model.names[own] ?? (model.logs.isEmpty ? [] : [own]) {
            let patterns = name.contains("/") && model.cloud != .azure ? [name] : model.logs
            for pattern in patterns { note(pattern.replacing("*", with: name), from: operation, cloud: model.cloud) }
        }
    }

    private mutating func note(_ name: String, from operation: ModelOperation?, cloud: Cloud) {
        let name = cloud == .azure ? name.lowercased() : name
        if let operation { sources[cloud, default: [:]][name, default: []].append(operation) }
        let source = operation?.name ?? "-"
        if let old = logged[cloud]?[name], !source.precedesInUTF8(old) { return }
        logged[cloud, default: [:]][name] = source
    }

    // MARK: Calls

    mutating func checkCalls() {
        for name in catalog.callNames {
            guard let call = catalog.call(name), let cloud = Cloud(rawValue: String(call.service.prefix { $0 != "/" }))
            else { continue }
            let prefix = "\(cloud.rawValue) "
            let known = operations.filter { $0.key.hasPrefix(prefix) }.flatMap(\.value)
            let candidates = known.filter { call.isOf($0, cloud: cloud) }
            let exact = candidates.first { call.isSentAs($0, cloud: cloud) }
            guard let operation = exact ?? candidates.first else {
                let wanted = cloud == .azure ? call.request : name
                let hint = suggestion(for: wanted, among: known.map(\.name).sorted())
                proof.problems.append(Problem("no model has the operation \"\(wanted)\"\(hint)", at: call.place))
                continue
            }
            check(call, against: operation, cloud: cloud)
        }
    }

    private mutating func check(_ call: CloudCall, against operation: ModelOperation, cloud: Cloud) {
        if !operation.protocols.isEmpty, !operation.protocols.contains(call.wire.rawValue) {
            let list = operation.protocols.sorted().joined(separator: ", ")
            proof.problems.append(
                Problem("\(call.name) travels by \(list), not by \(call.wire.rawValue)", at: call.place))
        }
        let isSame = call.isSentAs(operation, cloud: cloud)
        if !isSame {
            proof.problems.append(
                Problem("the request of \(call.name) is \"\(operation.request)\" in the model", at: call.place))
        }
        guard let parameters = operation.parameters else { return }
        for parameter in call.parameters where !parameters.contains(parameter) {
            let hint = suggestion(for: parameter, among: parameters.sorted())
            proof.problems.append(Problem("\(call.name) has no parameter \"\(parameter)\"\(hint)", at: call.place))
        }
    }

    /// Every property of a type is filled by one of its reads, or is in its id.
    mutating func checkReads() {
        for type in catalog.typeNames.compactMap({ catalog.type($0) }) where !type.read.isEmpty {
            let reads = type.read.flatMap(\.paths)
            let filled = Set(reads.compactMap(\.property)).union(type.id.variables).union(["AccountId"])
                .union((type.secret + type.unread.keys).compactMap(\.property))
            let properties = Set(type.paths.compactMap { PropertyPath($0.replacing(".*", with: ""))?.property })
            for property in properties.subtracting(filled).sorted() {
                proof.problems.append(Problem("no call under read: of \(type.name) fills \(property)", at: type.place))
            }
        }
    }

    // MARK: Events

    mutating func checkEvents() {
        for action in catalog.actions + catalog.notOurs.keys.sorted() {
            let meaning = catalog.meanings[action]
            guard let cloud = catalog.cloud(of: action), let known = logged[cloud] else { continue }
            if known[action] == nil {
                let service = action.prefix { $0 != "/" } + "/"
                let near = known.keys.filter { $0.hasPrefix(service) }.sorted()
                let why = near.isEmpty ? "; no model: of the catalog logs for \(service.dropLast())" : ""
                let hint = suggestion(for: action, among: near)
                let place = meaning?.place ?? SourcePlace(file: "catalog/\(cloud.rawValue)", line: 1, column: 1)
                proof.problems.append(Problem("no model logs \"\(action)\"\(why)\(hint)", at: place))
            }
            if cloud == .aws, let meaning { checkPlaces(in: meaning) }
        }
    }

    /// The request parameters that an event's meaning reads are parameters of its operation. Only for protocols whose
    /// parameters CloudTrail shows by name, with a lower-case first letter.
    private mutating func checkPlaces(in meaning: EventMeaning) {
        let same = catalog.actions.filter { catalog.meanings[$0]?.place == meaning.place }
        let origins = same.flatMap { sources[.aws]?[$0] ?? [] }
        let plain: Set<String> = ["query", "json-1.0", "json-1.1", "rest-json"]
        guard !origins.isEmpty, origins.allSatisfy({ !$0.protocols.isDisjoint(with: plain) }) else { return }
        let parameters = Set(origins.flatMap { $0.parameters ?? [] }.map(\.lowerFirst))
        for path in meaning.paths.sorted(by: { $0.description < $1.description }) {
            guard path.property == "requestParameters", path.steps.count > 1, case .name(let name) = path.steps[1],
                !parameters.contains(name)
            else { continue }
            let hint = suggestion(for: name, among: parameters.sorted())
            proof.problems.append(
                Problem("\(meaning.action) has no request parameter \"\(name)\"\(hint)", at: meaning.place))
        }
    }
}

extension ProviderModel {
    /// The operation's name without what all of the model's begin with.
    fileprivate func own(_ operation: ModelOperation) -> String {
        operation.logged.hasPrefix(without) ? String(operation.logged.dropFirst(without.count)) : operation.logged
    }
}

extension CloudCall {
    fileprivate func isOf(_ operation: ModelOperation, cloud: Cloud) -> Bool {
        cloud == .azure ? isSentAs(operation, cloud: cloud) : name == operation.name
    }

    /// The same method and path: of AWS to the letter; of the others without the query, whatever the variables are
    /// called, and with a name (`default`) for a variable.
    fileprivate func isSentAs(_ operation: ModelOperation, cloud: Cloud) -> Bool {
        if cloud == .aws { return request == operation.request }
        let own = CloudCall.parts(of: request)
        let model = CloudCall.parts(of: operation.request)
        return own.count == model.count && zip(own, model).allSatisfy { $0 == $1 || $1 == "{}" }
    }

    private static func parts(of request: String) -> [String] {
        let path = request.prefix { $0 != "?" }.lowercased().replacing(/\{[^}]*\}/, with: "{}")
        return path.split(separator: "/").map(String.init)
    }
}

extension Catalog {
    fileprivate func cloud(of action: String) -> Cloud? {
        if let meaning = meanings[action] { return meaning.effects.first.flatMap { types[$0.types[0]] }?.cloud }
        return notOursClouds[action]
    }
}

extension EventMeaning {
    /// Every place in the event that is read, without those that start at an element of a list.
    fileprivate var paths: Set<PropertyPath> {
        var found: Set<PropertyPath> = []
        for effect in effects {
            let level = effect.each.map { $0.steps.count(where: { $0 == .each }) } ?? 0
            var paths = effect.each.map { [$0] } ?? []
            paths += effect.carries.flatMap(\.sources).filter { $0.up == level }
            if level == 0 {
                paths += (effect.name?.paths ?? []) + effect.variables.flatMap(\.source.paths)
                paths += effect.matches.flatMap(\.source.paths)
                paths += effect.conditions.map(\.path) + (effect.account?.paths ?? []) + (effect.region?.paths ?? [])
            }
            found.formUnion(paths.map { PropertyPath($0.steps) })
        }
        return found
    }
}

extension CarriedChange {
    /// The places that this reads, from where the effect stands.
    fileprivate var sources: [EventPath] {
        let paths: [EventPath]
        switch kind {
        case .set(let assignments), .patch(let assignments): paths = assignments.flatMap(\.source.paths)
        case .copy(let from, let names): paths = names.map { from.appending($0.lowerFirst) }
        case .put(_, let each, let key, let value): paths = each.map { [$0] } ?? ((key?.paths ?? []) + value.paths)
        case .remove(_, let each, let key): paths = each.map { [$0] } ?? key.paths
        case .touched: paths = []
        }
        return paths + conditions.map(\.path)
    }
}

extension EventPath {
    fileprivate func appending(_ name: String) -> EventPath {
        var copy = self
        copy.steps.append(.name(name))
        return copy
    }
}
