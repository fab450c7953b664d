internal import HoldfastJSON

/// Gathers AWS's models and makes the wire files of them.
struct WireProver {
    let catalog: Catalog
    /// By model: the last by path, with the folder that it lies in.
    private var models: [String: (folder: String, json: JSON)] = [:]
    /// By folder.
    private var paginators: [String: JSON] = [:]
    private var partitions: JSON?
    private var endpoints: JSON?

    init(catalog: Catalog) { self.catalog = catalog }

    mutating func note(_ json: JSON, as part: ModelPart, at path: String) {
        let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
        switch part {
        case .operations(.aws, let name): models[name] = (folder, json)
        case .pages: paginators[folder] = json
        case .partitions: partitions = json
        case .endpoints: endpoints = json
        case .operations: break
        }
    }

    /// Contents by path below the catalog's folder, and what the models say that nobody here can send or read.
    func files() -> (contents: [String: String], problems: [Problem]) {
        var contents: [String: String] = [:]
        var problems: [Problem] = []
        let calls = catalog.calls.values.filter(\.isAWS)
        for (name, calls) in Dictionary(grouping: calls, by: \.model) {
            guard let (folder, model) = models[name] else { continue }
            let extraction = WireExtraction(
                model: model, paginators: paginators[folder], operations: calls.map(\.operation))
            for (operation, reason) in extraction.faults {
                let place = catalog.call("\(name).\(operation)")?.place ?? calls[0].place
                problems.append(Problem("\(name).\(operation) cannot be carried: \(reason)", at: place))
            }
            contents["aws/wire/\(name).json"] = JSON.object(extraction.json).lines(depth: 4)
        }
        if let partitions, let endpoints {
            contents["aws/endpoints.json"] = AWSPartition.extract(partitions: partitions, endpoints: endpoints)
                .lines(depth: 3)
        }
        return (contents, problems)
    }
}

extension CloudCall {
    /// Travels by one of AWS's protocols, whose messages are by the provider's model.
    package var isAWS: Bool { wire != .arm && wire != .google }
    /// The provider's model: `s3` of `s3.PutBucketPolicy`.
    package var model: String { String(name.prefix { $0 != "." }) }
    /// The operation in the model: `PutBucketPolicy`.
    package var operation: String { String(name.drop { $0 != "." }.dropFirst()) }
}
