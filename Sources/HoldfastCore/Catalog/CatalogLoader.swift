internal import HoldfastJSON

extension Catalog {
    /// Reads all catalog files and checks each against itself, the others and the clouds' operations.
    ///
    /// - Parameters:
    ///   - files: with the names that types and calls carry as their service: `aws/s3`; the first part is the cloud.
    ///   - operations: the names of all operations that a cloud logs (Azure's in lower case); a cloud that is not in
    ///     here is not checked.
    ///   - wire: how AWS's calls travel; `nil`: nothing is known of that, and nothing is checked.
    /// - Returns: what could be read, and everything that is wrong, in the order of files and lines.
    package static func load(
        _ files: [(name: String, node: Node)], operations: [Cloud: Set<String>]?, wire: [WireFile]? = nil
    ) -> (catalog: Catalog, problems: [Problem]) {
        var loader = CatalogLoader(operations: operations ?? [:])
        for (name, node) in files {
            guard let cloud = Cloud(rawValue: String(name.prefix { $0 != "/" })) else {
                let clouds = Cloud.allCases.map(\.rawValue).joined(separator: ", ")
                loader.reader.report("a catalog file lies in the folder of its cloud: \(clouds)", at: node.place)
                continue
            }
            loader.reader.problems += schemaShape.problems(in: node)
            loader.files.append(.init(service: name, cloud: cloud, node: node))
        }
        loader.readModels()
        loader.readTypes()
        loader.readCalls()
        loader.readEvents()
        loader.readNotOurs()
        loader.readDiscovery()
        loader.checkReferences()
        if let wire { loader.takeWire(wire) }
        return (loader.catalog, loader.reader.problems.sorted { $0.place < $1.place })
    }
}

private struct CatalogLoader {
    struct File {
        var service: String
        var cloud: Cloud
        var node: Node
        func section(_ name: String) -> [Node.Entry] { node[name]?.entries ?? [] }
    }
    var catalog = Catalog()
    var reader = CatalogReader()
    var files: [File] = []
    let operations: [Cloud: Set<String>]
    /// Where the first of each name stands.
    private var seen: [String: SourcePlace] = [:]

    init(operations: [Cloud: Set<String>]) { self.operations = operations }

    /// Reports the second of two things with one name.
    private mutating func isNew(_ kind: String, _ name: String, at place: SourcePlace) -> Bool {
        if let first = seen["\(kind) \(name)"] {
            reader.report("\(kind) \"\(name)\" is here twice; the first stands at \(first)", at: place)
            return false
        }
        seen["\(kind) \(name)"] = place
        return true
    }

    mutating func readModels() {
        for file in files {
            for entry in file.section("models")
            where isNew("\(file.cloud.rawValue) model", entry.key, at: entry.keyPlace) {
                let names = (entry.value["names"]?.entries ?? []).map { ($0.key, $0.value.texts) }
                catalog.models.append(
                    ProviderModel(
                        name: entry.key, cloud: file.cloud, logs: entry.value["logs"]?.texts ?? [],
                        without: entry.value["without"]?.text ?? "",
                        names: Dictionary(names) { first, _ in first }, beside: entry.value["beside"]?.texts ?? [],
                        place: entry.keyPlace))
            }
        }
    }

    mutating func readTypes() {
        for file in files {
            for entry in file.section("types") where isNew("type", entry.key, at: entry.keyPlace) {
                guard var type = reader.type(entry, cloud: file.cloud, service: file.service) else { continue }
                for sample in entry.value["samples"]?.entries ?? [] {
                    if isNew("sample", sample.key, at: sample.keyPlace) {
                        catalog.sampleTypes[sample.key] = type.name
                    } else {
                        type.samples[sample.key] = nil
                    }
                }
                catalog.types[type.name] = type
            }
        }
    }

    mutating func readCalls() {
        for file in files {
            let types = catalog.types.values.filter { $0.service == file.service }.sorted { $0.name < $1.name }
            for entry in file.section("calls") where isNew("call", entry.key, at: entry.keyPlace) {
                catalog.calls[entry.key] = reader.call(entry, service: file.service, types: types)
            }
        }
    }

    mutating func readEvents() {
        for file in files {
            for entry in file.section("events") {
                let meaning = reader.meaning(entry, types: catalog.types)
                let also = entry.value["also"]?.list ?? []
                let names =
                    [(entry.key, entry.keyPlace)] + also.compactMap { node in node.text.map { ($0, node.place) } }
                for (name, place) in names {
                    let action = file.cloud == .azure ? name.lowercased() : name
                    checkOperation(action, of: file.cloud, at: place)
                    guard isNew("event", action, at: place) else { continue }
                    catalog.meanings[action] = meaning.named(action, keepingTests: name == entry.key)
                }
            }
        }
    }

    mutating func readNotOurs() {
        for file in files {
            for node in file.node["not-ours"]?.list ?? [] {
                guard let reason = node["because"]?.text else { continue }
                for operation in node["operations"]?.list ?? [] {
                    guard let text = operation.text else { continue }
                    let action = file.cloud == .azure ? text.lowercased() : text
                    guard isNew("event", action, at: operation.place) else { continue }
                    if action.hasSuffix("*") {
                        catalog.notOursPrefixes.append((String(action.dropLast()), reason))
                    } else {
                        checkOperation(action, of: file.cloud, at: operation.place)
                        catalog.notOurs[action] = reason
                        catalog.notOursClouds[action] = file.cloud
                    }
                }
            }
        }
        catalog.notOursPrefixes.sort { ($1.prefix.utf8.count, $0.prefix) < ($0.prefix.utf8.count, $1.prefix) }
    }

    mutating func readDiscovery() {
        for file in files {
            for entry in file.section("discovery") where isNew("discovery", entry.key, at: entry.keyPlace) {
                catalog.discoveries[entry.key] = reader.discovery(entry, cloud: file.cloud)
            }
        }
    }

    private mutating func checkOperation(_ action: String, of cloud: Cloud, at place: SourcePlace) {
        guard let known = operations[cloud], !known.contains(action) else { return }
        let service = action.prefix { $0 != "/" } + "/"
        let near = known.filter { $0.hasPrefix(service) }
        let hint = suggestion(for: action, among: (near.isEmpty ? known : near).sorted())
        reader.report("\(cloud.rawValue) logs no operation \"\(action)\"\(hint)", at: place)
    }

    mutating func takeWire(_ files: [WireFile]) {
        for file in files {
            guard file.name.hasPrefix("aws/wire/") else {
                catalog.partitions += AWSPartition.partitions(in: file.json)
                continue
            }
            do throws(WireFileFault) {
                catalog.wireModels[String(file.name.dropFirst("aws/wire/".count))] = try WireModel(file.json)
            } catch {
                let place = SourcePlace(file: file.path, line: 1, column: 1)
                reader.report("the file \(error.reason); run holdfast catalog prove --models DIR", at: place)
            }
        }
        reader.problems += catalog.wireProblems()
    }

    mutating func checkReferences() {
        for name in catalog.typeNames {
            guard let type = catalog.types[name] else { continue }
            for step in type.read { checkCall(step.call, with: step.parameters, at: step.place) }
            if let list = type.list { checkCall(list.call, with: list.parameters, at: list.place) }
            for relation in type.relations.values.sorted(by: { $0.name < $1.name }) { check(relation, of: type) }
        }
        for plan in catalog.discoveries.values.sorted(by: { $0.name < $1.name }) {
            for step in plan.steps { checkCall(step.call, with: step.parameters, at: step.place) }
        }
        for name in catalog.callNames {
            guard let call = catalog.calls[name] else { continue }
            if let inverse = call.inverseWhenAbsent { checkCall(inverse, at: call.place) }
            if let restore = call.restore {
                checkCall(restore.from, at: restore.place)
                checkCall(name, with: restore.parameters, at: restore.place)
            }
        }
    }

    private mutating func checkCall(
        _ name: String, with parameters: [ReadStep.Parameter] = [], at place: SourcePlace
    ) {
        guard let call = catalog.calls[name] else {
            reader.report("unknown call \"\(name)\"\(suggestion(for: name, among: catalog.callNames))", at: place)
            return
        }
        for parameter in parameters where !call.parameters.contains(parameter.name) {
            let hint = suggestion(for: parameter.name, among: call.parameters)
            reader.report("\(name) takes no parameter \"\(parameter.name)\"\(hint)", at: place)
        }
    }

    private mutating func check(_ relation: ResourceType.Relation, of type: ResourceType) {
        guard let other = catalog.types[relation.type] else {
            let hint = suggestion(for: relation.type, among: catalog.typeNames)
            reader.report(
                "relation \(relation.name) leads to the unknown type \"\(relation.type)\"\(hint)", at: type.place)
            return
        }
        _ = reader.check(relation.by, of: relation.isReverse ? other : type, at: type.place)
    }
}

extension EventMeaning {
    fileprivate func named(_ action: String, keepingTests: Bool) -> EventMeaning {
        EventMeaning(self, action: action, keepingTests: keepingTests)
    }
}
