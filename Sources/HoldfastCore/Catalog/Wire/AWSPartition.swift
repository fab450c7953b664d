package import HoldfastJSON

/// A part of AWS with regions, names and accounts of its own: `aws`, `aws-cn`, `aws-us-gov`. From
/// `catalog/aws/endpoints.json`, made by `holdfast catalog prove` from the provider's own list.
package struct AWSPartition: Sendable, Hashable {
    package struct Host: Sendable, Hashable {
        package var name: String
        /// The region that the signature names.
        package var region: String
    }
    /// As ARNs name it.
    package var name: String
    /// `amazonaws.com`
    package var suffix: String
    /// Where calls go that name no region.
    package var homeRegion: String
    /// A regular expression over the names of its regions.
    var regions: String
    /// Those regions that the provider's list names.
    package var names: [String] = []
    /// Services with one host for all regions, by what stands for them in hosts: `iam`.
    var global: [String: Host]

    /// Whether a region is in this partition, by the form of its name.
    package func contains(region: String) -> Bool {
        guard let pattern = try? Regex(regions) else { return false }
        return region.wholeMatch(of: pattern) != nil
    }

    /// Where a service answers.
    ///
    /// - Parameters:
    ///   - service: its endpoint prefix: `s3-control`.
    ///   - region: empty: the partition's home region.
    package func host(of service: String, region: String) -> Host {
        if let host = global[service] { return host }
        let region = region.isEmpty ? homeRegion : region
        return Host(name: "\(service).\(region).\(suffix)", region: region)
    }

    /// The partitions in the JSON of the file, sorted by name.
    package static func partitions(in json: JSON) -> [AWSPartition] {
        (json.object?.members ?? []).map { member in
            let partition = member.value
            let global = (partition["global"]?.object?.members ?? []).map { entry in
                let host = Host(name: entry.value["host"]?.string ?? "", region: entry.value["region"]?.string ?? "")
                return (entry.name, host)
            }
            return AWSPartition(
                name: member.name, suffix: partition["suffix"]?.string ?? "",
                homeRegion: partition["homeRegion"]?.string ?? "", regions: partition["regions"]?.string ?? "",
                names: (partition["names"]?.array ?? []).compactMap(\.string),
                global: Dictionary(global, uniquingKeysWith: { first, _ in first }))
        }
    }

    // MARK: From botocore

    /// The contents of the file, from botocore's `partitions.json` and `endpoints.json`.
    static func extract(partitions: JSON, endpoints: JSON) -> JSON {
        let lists = endpoints["partitions"]?.array ?? []
        let entries = (partitions["partitions"]?.array ?? []).compactMap { partition -> (String, JSON)? in
            guard let id = partition["id"]?.string, let suffix = partition["outputs"]?["dnsSuffix"]?.string else {
                return nil
            }
            var entry = JSONObject([("suffix", .string(suffix))])
            entry["homeRegion"] = partition["outputs"]?["implicitGlobalRegion"]
            entry["regions"] = partition["regionRegex"]
            // Each partition lists its global pseudo region too: aws-global.
            let names = (partition["regions"]?.object?.members ?? []).map(\.name).filter { $0 != "\(id)-global" }
            entry["names"] = .array(names.sorted().map { .string($0) })
            let services = lists.first { $0["partition"]?.string == id }?["services"]?.object?.members ?? []
            let global = services.compactMap { service in globalHost(service.value).map { (service.name, $0) } }
            if !global.isEmpty { entry["global"] = .object(JSONObject(global)) }
            return (id, .object(entry))
        }
        return .object(JSONObject(entries))
    }

    private static func globalHost(_ service: JSON) -> JSON? {
        guard service["isRegionalized"] == false, let pseudo = service["partitionEndpoint"]?.string,
            let endpoint = service["endpoints"]?[pseudo], let host = endpoint["hostname"],
            let region = endpoint["credentialScope"]?["region"]
        else { return nil }
        return ["host": host, "region": region]
    }
}
