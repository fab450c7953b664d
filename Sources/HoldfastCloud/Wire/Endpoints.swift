internal import HoldfastCore
internal import HoldfastHTTP

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
        let override = aws[key] ?? aws[""]
        guard var base = AbsoluteURL(override ?? "https://\(host.name)") else {
            throw WireFault("\"\(override ?? host.name)\" is no URL to send \(service.id) calls to")
        }
        // An address has no hosts below it.
        if !base.isAddress { base.authority = request.hostPrefix + base.authority }
        while base.path.hasSuffix("/") { base.path.removeLast() }
        var request = request
        if let bucket = request.bucket, override == nil, isHostedBucket(bucket) {
            base.authority = "\(bucket).\(base.authority)"
            let rest = request.path.dropFirst(1 + bucket.utf8.count)
            request.path = rest.isEmpty ? "/" : String(rest)
        }
        return CallAddress(
            url: "\(base.scheme)://\(base.authority)\(base.path)\(request.target)", signingName: service.signingName,
            region: host.region)
    }

    /// A bucket whose name may stand in a host's name under the certificate of `*.s3…`.
    private func isHostedBucket(_ name: String) -> Bool {
        name.utf8.count >= 3 && isHostLabel(name) && name == name.lowercased()
    }
}

extension AbsoluteURL {
    /// A number in place of a name, or this machine.
    fileprivate var isAddress: Bool {
        host == "localhost" || host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
