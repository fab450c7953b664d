internal import HoldfastCore

/// Where calls go, where that is not where the provider's list says: tests, private endpoints, sovereign clouds.
package struct Endpoints: Sendable, Hashable {
    /// Base URLs by AWS service as `AWS_ENDPOINT_URL_…` ends: `S3`, `S3_CONTROL`; under an empty name for all services.
    package var aws: [String: String]
    /// The partition of calls that name no region: `aws`, `aws-cn`.
    package var awsPartition: String
    /// Azure's Resource Manager: `https://management.azure.com`, without a slash at its end.
    package var azure: String
    /// Base URLs by Google's host: `compute.googleapis.com`; under an empty name for all hosts.
    package var google: [String: String]

    package init(
        aws: [String: String] = [:], awsPartition: String = "aws", azure: String = "https://management.azure.com",
        google: [String: String] = [:]
    ) {
        self.aws = aws
        self.awsPartition = awsPartition
        self.azure = azure
        self.google = google
    }

    /// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`, as AWS's own tools read them.
    ///
    /// - Parameter environment: all of it.
    package init(environment: [String: String]) {
        self.init()
        for (name, value) in environment where !value.isEmpty {
            if name == "AWS_ENDPOINT_URL" { aws[""] = value }
            if name.hasPrefix("AWS_ENDPOINT_URL_") { aws[String(name.dropFirst("AWS_ENDPOINT_URL_".count))] = value }
        }
    }
}

/// Where one call goes, and what its signature says of that.
struct CallAddress: Sendable, Hashable {
    /// Absolute and percent-encoded.
    var url: String
    /// AWS's name of the service in a signature; else empty.
    var signingName = ""
    /// The region in a signature; empty where the cloud has none.
    var region = ""
}

extension Endpoints {
    /// - Parameters:
    ///   - region: empty: the home region of the partition.
    ///   - partitions: of the catalog.
    func address(
        of request: WireRequest, service: WireService, region: String, partitions: [AWSPartition]
    ) throws(WireFault) -> CallAddress {
        guard region.isEmpty || isHostLabel(region) else { throw WireFault("\"\(region)\" is no name of a region") }
        let named = region.isEmpty ? nil : partitions.first { $0.contains(region: region) }
        guard let partition = named ?? partitions.first(where: { $0.name == awsPartition }) else {
            throw WireFault("the catalog has no partition \"\(awsPartition)\"; run holdfast catalog prove --models DIR")
        }
        let host = partition.host(of: service.endpointPrefix, region: region)
        let key = service.id.uppercased().replacing(" ", with: "_")
        var base = URLBase(aws[key] ?? aws[""] ?? "https://\(host.name)")
        let isOwn = aws[key] == nil && aws[""] == nil
        // An address has no hosts below it.
        if !base.isAddress { base.host = request.hostPrefix + base.host }
        var request = request
        if let bucket = request.bucket, isOwn, isHostedBucket(bucket) {
            base.host = "\(bucket).\(base.host)"
            let rest = request.path.dropFirst(1 + bucket.utf8.count)
            request.path = rest.isEmpty ? "/" : String(rest)
        }
        return CallAddress(
            url: base.text + request.target, signingName: service.signingName, region: host.region)
    }

    /// A bucket whose name may stand in a host's name under the certificate of `*.s3…`.
    private func isHostedBucket(_ name: String) -> Bool {
        name.utf8.count >= 3 && isHostLabel(name) && name == name.lowercased()
    }
}

/// The beginning of a URL, which a path is put after: `http://127.0.0.1:5000`, `https://proxy.example.com/aws`.
private struct URLBase {
    var scheme: String
    /// With its port.
    var host: String
    /// Without a slash at its end.
    var path: String

    init(_ text: String) {
        let parts = text.firstRange(of: "://")
        scheme = parts.map { String(text[..<$0.lowerBound]) } ?? "https"
        let rest = text[(parts?.upperBound ?? text.startIndex)...]
        host = String(rest.prefix { $0 != "/" })
        path = String(rest.dropFirst(host.count))
        while path.hasSuffix("/") { path.removeLast() }
    }

    var text: String { "\(scheme)://\(host)\(path)" }

    /// A number in place of a name, or this machine.
    var isAddress: Bool {
        let name = host.prefix { $0 != ":" }
        return host.hasPrefix("[") || name == "localhost" || name.allSatisfy { $0.isNumber || $0 == "." }
    }
}
