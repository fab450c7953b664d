internal import HoldfastJSON

/// Where access or changes are logged, of types that carry it themselves: `{enabled, target}`.
enum Logging {
    private static let places: [String: (enabled: String?, target: String)] = [
        "AWS::S3::Bucket": (nil, "LoggingConfiguration.DestinationBucketName"),
        "AWS::CloudTrail::Trail": ("IsLogging", "S3BucketName"),
        "AWS::RDS::DBInstance": (nil, "EnableCloudwatchLogsExports"),
        "AWS::RDS::DBCluster": (nil, "EnableCloudwatchLogsExports"),
        "compute.googleapis.com/Firewall": ("logConfig.enable", "logConfig.metadata"),
        "compute.googleapis.com/Subnetwork": ("logConfig.enable", "logConfig.metadata"),
        "storage.googleapis.com/Bucket": (nil, "logging.logBucket"),
    ]

    static func reads(_ type: String) -> [PropertyPath] {
        guard let place = places[type] else { return [] }
        return [place.enabled, place.target].compactMap { $0.flatMap { PropertyPath($0) } }
    }

    /// Where no property says whether it is on, it is on where there is a target.
    static func value(of document: StateValue, type: String) -> FacetValue {
        guard let place = places[type] else { return .unknown("logging is not read from \(type)") }
        func at(_ text: String) -> StateValue { PropertyPath(text).map { document[$0] } ?? .absent }
        let targets = at(place.target).texts(place.target)
        let enabled =
            place.enabled.map { at($0).bool($0, default: false) } ?? targets.map { .known(!$0.isEmpty) }
        let target: Reading<JSON> = targets.map { texts in
            .known(texts.isEmpty ? .null : .string(texts.joined(separator: ", ")))
        }
        return FacetMap.value(
            [("enabled", enabled.map { .known(.bool($0)) }), ("target", target)], document, reads(type))
    }
}
